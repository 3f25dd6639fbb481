"""Levels, zones and muster points."""
