"""Bluetooth sensors that only advertise: BTHome v2, plain and encrypted."""
