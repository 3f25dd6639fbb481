"""A driver that tries what no driver may; it is run by a real hub, confined."""
