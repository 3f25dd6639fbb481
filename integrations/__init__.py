"""Integrations: one folder each, loaded by the host process through its manifest."""
