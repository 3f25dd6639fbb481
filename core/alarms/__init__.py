"""ISA-18.2 alarms: life cycle, supervision, shelving, metrics."""
