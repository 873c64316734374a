"""Objection, repair, reconsideration, complaint and tip-off."""
