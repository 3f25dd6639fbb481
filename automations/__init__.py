"""Blueprints and automations: YAML → checked rule → compiled bundle → engine."""
