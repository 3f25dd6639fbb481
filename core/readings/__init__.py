"""Live readings: quality, age, units, limits."""
