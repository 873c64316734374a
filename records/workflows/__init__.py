"""Procedures of the records, one file each."""
