"""The listeners that hear of devices: each started once, for all integrations."""
