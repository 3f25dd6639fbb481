"""Evacuation and roll call, notices and escalation, commands."""
