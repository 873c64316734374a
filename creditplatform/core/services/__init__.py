"""Everything in the core that writes."""
