"""The credit report: what it says, how it is set and signed, how anybody can check it."""
