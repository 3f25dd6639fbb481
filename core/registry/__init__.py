"""Devices, entities and zone assignment, from enrolment events."""
