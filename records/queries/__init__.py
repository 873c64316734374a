"""Authorised queries: what may be shown to whom, on what authority, and how it is answered and registered."""
