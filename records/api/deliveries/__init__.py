"""Feeds and batches over the interface: deliver, poll, cancel, confirm columns."""
