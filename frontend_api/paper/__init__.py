"""Permits and blank forms on paper: one A4 page each, sealed by the site's key."""
