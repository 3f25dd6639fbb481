"""Cranes, hoists and platforms whose recorders post their data: here, to the hub."""
