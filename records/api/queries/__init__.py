"""Authorised queries for business systems: a clean record, records, many persons at once, consent."""
