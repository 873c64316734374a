"""The pages of the public sites: parse, ask one selector, show."""
