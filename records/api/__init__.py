"""The interface for other systems, under /api/v1/."""
