"""Permit packs: read, check, lay overlays on, compare, prove by vectors."""
