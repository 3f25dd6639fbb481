"""The conformance kit: proves an integration against its own simulator."""
