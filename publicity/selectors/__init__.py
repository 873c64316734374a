"""Prepared answers for the public pages and the structured data; nothing here writes."""
