"""The options of the hostile driver: what it is to try its hands on."""

import voluptuous as vol


def schema() -> vol.Schema:
    """Return the form."""
    return vol.Schema(
        {
            vol.Required("data"): str,
            vol.Required("keeper"): int,
            vol.Required("core"): int,
            vol.Required("allowed"): vol.All(int, vol.Range(1, 65535)),
            vol.Required("forbidden"): vol.All(int, vol.Range(1, 65535)),
        }
    )
