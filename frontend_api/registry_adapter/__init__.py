"""Registries of issuers: is this card known, in date, and this person's (1.75)."""
