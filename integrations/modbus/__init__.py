"""Modbus TCP and RTU: devices described by YAML register profiles."""
