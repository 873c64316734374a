"""Everything about records that writes."""
