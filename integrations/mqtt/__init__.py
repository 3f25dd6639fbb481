"""MQTT: Home Assistant's discovery, mapped topics, command topics."""
