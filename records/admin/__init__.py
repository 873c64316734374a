"""Records in the staff admin."""

from records.admin import catalogue, feeds, records

__all__ = ["catalogue", "feeds", "records"]
