"""Codes that people read from paper or a screen and type: drawn by lot, of letters that are taken for no other."""

import secrets

LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


def drawn(length: int) -> str:
    """So many letters by lot."""
    return "".join(secrets.choice(LETTERS) for _place in range(length))
