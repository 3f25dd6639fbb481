"""The options of a site's ``positioning`` section, checked when it is published."""

from collections.abc import Mapping
from typing import Any

import voluptuous as vol

from core.api import checks
from core.api.said import Said

OWN = "own"
OWN_PORT, OWN_USER = 1883, "hub"
#: Name of the own broker's password in the site's secret store.
OWN_SECRET = "mqtt.hub"  # noqa: S105 - a name, not a secret
KINDS = ("dwm1001_uart", "dwm1001_mqtt", "pozyx", "sewio")
SECRET = {"secret": True}


def _label(zh: str, en: str, help_zh: str = "", help_en: str = "") -> dict[str, Any]:
    told: dict[str, Any] = {"label": {"zh": zh, "en": en}}
    if help_en:
        told["help"] = {"zh": help_zh, "en": help_en}
    return told


def _text(value: object) -> str:
    if not isinstance(value, str) or not value or len(value) > 256:
        raise vol.Invalid(
            Said("expected a text, found {value!r} (quote it: '…')", value=value)
        )
    return value


def _ident(value: object) -> str:
    text = _text(value)
    if len(text) > 40 or not text.replace("-", "").replace("_", "").isalnum():
        raise vol.Invalid(
            Said("expected letters, digits, - and _, found {value!r}", value=value)
        )
    return text


def _node(value: object) -> str:
    """Take an anchor's id; YAML reads some of them as numbers: quote them."""
    return _ident(value).lower()


_metre = checks.within(-100_000, 100_000)


def _point(value: object) -> list[float]:
    if not isinstance(value, list | tuple) or len(value) != 3:
        raise vol.Invalid(
            Said("expected [x, y, z] in metres, found {value!r}", value=value)
        )
    return [_metre(each) for each in value]


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
        vol.Optional("password", description=SECRET): _text,
        vol.Optional("tls", default=False): bool,
        vol.Optional("ca_file"): _text,
    }
)


def _broker(value: object) -> Any:
    if value == OWN:
        return OWN
    if not isinstance(value, dict):
        raise vol.Invalid("expected 'own' or a mapping with 'host'")
    return _BROKER(value)


_FRAME = vol.Schema(
    {
        vol.Optional("offset", default=[0.0, 0.0, 0.0]): _point,
        vol.Optional("rotation_deg", default=0.0): checks.within(-360, 360),
        vol.Optional("scale", default=1.0): checks.within(0.0001, 10_000),
        vol.Optional("levels", default=[]): [
            {vol.Required("from"): _metre, vol.Required("z"): _metre}
        ],
    }
)
_COMMON: dict[Any, Any] = {
    vol.Required("id", description=_label("名称", "Name")): _ident,
    vol.Required("kind"): vol.In(KINDS),
    vol.Optional(
        "interval_s",
        default=1.0,
        description=_label(
            "上报间隔（秒）",
            "Interval (s)",
            "标签两次上报之间的最长间隔",
            "Longest pause between two words of a tag that lives",
        ),
    ): checks.within(0.05, 3600),
    vol.Optional(
        "accuracy_m",
        default=3.0,
        description=_label(
            "精度（米）",
            "Accuracy (m)",
            "按验收测试结果填写；AQ 3064.3 限值 3 米",
            "As the acceptance test measured it; AQ 3064.3 asks for 3 m",
        ),
    ): checks.within(0.05, 100),
    vol.Optional("least_quality", default=50.0): checks.within(0, 100),
    vol.Optional("frame", default={}): _FRAME,
    vol.Optional("prefix"): _ident,
}
_MQTT = {vol.Optional("broker", default=OWN): _broker}
_OF_KIND: dict[str, dict[Any, Any]] = {
    "dwm1001_uart": {
        vol.Required("port", description=_label("串口", "Serial port")): _text,
        vol.Optional("baudrate", default=115_200): vol.In((115_200, 921_600)),
        vol.Optional("mode", default="lec"): vol.In(("lec", "lep")),
        vol.Optional("node", description=_label("节点编号", "Node id")): _node,
    },
    "dwm1001_mqtt": {
        **_MQTT,
        vol.Optional("prefixes", default=["dwm", "leaps"]): [_level],
    },
    "pozyx": {**_MQTT, vol.Optional("topic", default="tags"): _level},
    "sewio": {
        vol.Required("host", description=_label("服务器地址", "Server")): _text,
        vol.Optional("port", default=80): checks.port,
        vol.Optional("ws_port", default=8080): checks.port,
        vol.Optional("tls", default=False): bool,
        vol.Required(
            "api_key", description=SECRET | _label("API 密钥", "API key")
        ): _text,
        vol.Optional("feeds", default=[]): [_ident],
        vol.Optional("poll_s", default=1.0): checks.within(0.3, 60),
    },
}
_SOURCES = {
    kind: vol.Schema({**_COMMON, **more, "kind": kind})
    for kind, more in _OF_KIND.items()
}


def _source(value: object) -> Any:
    if not isinstance(value, dict) or value.get("kind") not in KINDS:
        raise vol.Invalid(
            Said("expected a mapping with 'kind' of {kinds}", kinds=list(KINDS))
        )
    return _SOURCES[value["kind"]](value)


def _sources(value: object) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise vol.Invalid("expected at least one source")
    found = [_source(each) for each in value]
    ids = [each["id"] for each in found]
    if len(set(ids)) < len(ids):
        raise vol.Invalid("two sources have one id")
    return found


_ANCHOR = vol.Schema(
    {
        vol.Required("at"): _point,
        vol.Optional("floor", default=0.0): _metre,
        vol.Optional("name"): _text,
    }
)


def schema() -> vol.Schema:
    """Return the schema of the options; its errors carry the path to the fault."""
    return vol.Schema(
        {
            vol.Optional("language", default="en"): vol.In(("en", "zh")),
            vol.Required("sources"): _sources,
            vol.Optional("anchors", default={}): {_node: _ANCHOR},
            vol.Optional("range_sigma_m", default=0.15): checks.within(0.01, 5),
            vol.Optional("nlos_m", default=3.0): checks.within(0, 50),
            vol.Optional("tag_height_m", default=1.2): checks.within(0, 3),
            vol.Optional("max_accuracy_m", default=5.0): checks.within(0.1, 100),
            vol.Optional("max_speed_m_s", default=7.0): checks.within(0.5, 50),
            vol.Optional("secrets", default={}): {str: str},
        }
    )


def secrets_of(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the secrets that the host process is handed."""
    found: list[str] = []
    for source in options["sources"]:
        broker = source.get("broker")
        if broker == OWN:
            found.append(OWN_SECRET)
        elif broker and "password" in broker:
            found.append(broker["password"])
        if "api_key" in source:
            found.append(source["api_key"])
    return tuple(dict.fromkeys(found))


def prefill(facts: Mapping[str, str]) -> dict[str, Any]:
    """Return options made from a finding: a module on USB, a gateway's topics."""
    source: dict[str, Any] = {"id": "uwb"}
    topic = facts.get("topic", "")
    if facts.get("device") or facts.get("path"):
        source |= {"kind": "dwm1001_uart", "port": facts.get("device") or facts["path"]}
    elif topic.split("/", 1)[0] == "tags":
        source |= {"kind": "pozyx", "broker": OWN}
    elif topic:
        source |= {"kind": "dwm1001_mqtt", "broker": OWN}
        source["prefixes"] = [topic.split("/", 1)[0]]
    else:
        source |= {"kind": "sewio", "host": facts.get("address", "")}
        if facts.get("port", "").isdigit():
            source["port"] = int(facts["port"])
    return {"sources": [source]}
