"""The options of a site's ``mqtt`` section, checked when it is published."""

from collections.abc import Mapping
from typing import Any

import voluptuous as vol

from core.api import ConfigError, checks, forms
from core.api.said import Said
from integrations.mqtt.session import Broker

OWN = "own"
OWN_PORT = 1883
OWN_USER = "hub"
#: Name of the own broker's password in the site's secret store.
OWN_SECRET = "mqtt.hub"  # noqa: S105 - a name, not a secret


def _text(value: object) -> str:
    if not isinstance(value, str) or not value or len(value) > 256:
        raise vol.Invalid(
            Said("expected a text, found {value!r} (quote it: '…')", value=value)
        )
    return value


def _level(value: object) -> str:
    text = _text(value)
    if set(text) & set("+#\0") or text.startswith("/") or text.endswith("/"):
        raise vol.Invalid(
            Said(
                "expected a topic prefix without wildcards, found {value!r}",
                value=value,
            )
        )
    return text


_BROKER = vol.Schema(
    {
        vol.Required("host"): _text,
        vol.Optional("port", default=1883): checks.port,
        vol.Optional("username"): _text,
        vol.Optional("password", description={"secret": True}): str,
        vol.Optional("tls", default=False): checks.flag,
        vol.Optional("ca_file"): _text,
    }
)


#: The site's own broker, or another one: what a form cannot learn from the check.
_BROKER_FORM = {"form": {"anyOf": [{"const": OWN}, forms.describe(_BROKER)]}}


def _broker(value: object) -> Any:
    if value == OWN:
        return OWN
    if not isinstance(value, dict):
        raise vol.Invalid("expected 'own' or a mapping with 'host'")
    return _BROKER(value)


def _map(value: object) -> object:
    """Check a topic map: a shipped one's id, a file's path, or the map itself."""
    # The loader of YAML is only needed where there are maps.
    from integrations.mqtt import mapping

    try:
        if isinstance(value, dict):
            mapping.inline(value)
        else:
            mapping.load(_text(value))
    except ConfigError as problem:
        raise vol.Invalid(Said("{problem}", problem=problem)) from problem
    return value


def _user(value: object) -> str:
    text = _text(value)
    if not text.isascii() or not text.replace("-", "").replace("_", "").isalnum():
        raise vol.Invalid(
            Said("expected letters, digits, - and _, found {value!r}", value=value)
        )
    if text == OWN_USER:
        raise vol.Invalid(
            Said(
                "{own_user!r} is the hub itself; name the device's user",
                own_user=OWN_USER,
            )
        )
    return text


def companions(options: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the helper processes that checked options need: the own broker.

    ``users`` are the devices' accounts, each with the topic filters that it may
    use besides its own name's; their passwords are in the site's secret store.
    """
    if options["broker"] != OWN:
        return []
    args = ["integrations.mqtt.broker", "--data", "{data}"]
    args += ["--port", str(options["port"])]
    args += ["--listen"] if options["listen"] else []
    for user, filters in sorted(options["users"].items()):
        args += ["--device", f"{user}={','.join(filters)}"]
    return [tuple(args)]


def secrets_of(options: dict[str, Any]) -> tuple[str, ...]:
    """Return the names of the secrets that the host process is handed."""
    return (OWN_SECRET,) if options["broker"] == OWN else ("mqtt.password",)


def slow_of(options: dict[str, Any]) -> dict[str, float]:
    """Return beginnings of the uids of devices that speak too rarely to hold work by.

    With each the seconds between two of its words, as the maps say.
    """
    if not options.get("maps"):
        return {}
    from integrations.mqtt import mapping

    return mapping.slow(
        mapping.inline(m) if isinstance(m, dict) else mapping.load(m)
        for m in options["maps"]
    )


def schema() -> vol.Schema:
    """Return the schema of the options; its errors carry the path to the fault."""
    return vol.Schema(
        {
            vol.Optional("broker", default=OWN, description=_BROKER_FORM): _broker,
            vol.Optional("port", default=OWN_PORT): checks.port,
            vol.Optional("client_id", default="safehold"): _text,
            vol.Optional("discovery", default=True): checks.flag,
            vol.Optional("discovery_prefix", default="homeassistant"): _level,
            vol.Optional("maps", default=[]): [_map],
            vol.Optional("listen", default=False): checks.flag,
            vol.Optional("users", default={}): {_user: [_text]},
            vol.Optional("secrets", default={}): {str: str},
        }
    )


def prefill(facts: Mapping[str, str]) -> dict[str, Any]:
    """Return options made from a finding: a broker on the network, or our own."""
    if not facts.get("address") or facts.get("topic"):
        return {"broker": OWN}
    port = facts.get("port", "")
    found: dict[str, Any] = {"host": facts["address"]}
    return {"broker": {**found, "port": int(port) if port.isdecimal() else OWN_PORT}}


def _password(said: str, secrets: dict[str, str]) -> str | None:
    """Return a broker's password: by its name, as a file wrote it, or the default."""
    return secrets.get(said) or said or secrets.get("mqtt.password")


def broker(options: dict[str, Any]) -> Broker:
    """Return the broker that checked options name; its password from the secrets."""
    said = options["broker"]
    secrets = options["secrets"]
    if said == OWN:
        return Broker(
            port=options["port"],
            username=OWN_USER,
            password=secrets.get(OWN_SECRET),
            client_id=options["client_id"],
        )
    return Broker(
        host=said["host"],
        port=said["port"],
        username=said.get("username"),
        password=_password(said.get("password", ""), secrets),
        client_id=options["client_id"],
        tls=said["tls"],
        ca_file=said.get("ca_file"),
    )


async def probe(options: dict[str, Any], secrets: dict[str, str]) -> dict[str, str]:
    """Join another broker once; the hub's own is not there before it is set up."""
    if options["broker"] == OWN:
        return {}
    # The library is not needed where a site is only published.
    from integrations.mqtt.probe import taken

    return await taken(broker({**options, "secrets": secrets}))
