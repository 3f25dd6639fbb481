"""ESPHome nodes over their native API, encrypted where the node has a key."""
