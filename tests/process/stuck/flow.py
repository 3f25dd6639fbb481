"""The form: which failure is played."""

import voluptuous as vol


def schema() -> vol.Schema:
    """Return the form."""
    return vol.Schema({vol.Required("how"): str})
