"""Announcing records over the interface."""
