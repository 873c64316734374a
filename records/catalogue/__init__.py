"""The catalogue as something that is edited, reviewed and compared."""
