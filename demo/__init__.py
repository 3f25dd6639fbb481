"""The demonstration site: data, simulators' start-up and the scripted day."""
