"""Formats of dates and times, the same in both languages."""
