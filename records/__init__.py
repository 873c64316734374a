"""Subjects, catalogue, credit records, feeds, and what a person sees of them."""
