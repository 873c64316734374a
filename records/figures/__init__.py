"""Timeliness and quality: what units deliver, when, and how well; never anything about a person."""
