"""Persons, roles, presence and access."""
