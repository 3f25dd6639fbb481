"""From one entry of a topic map to what the catalogue hangs on a topic."""

from collections.abc import Mapping
from typing import Any

from core.api import Entity, EntityKind, Output, OutputKind, Value
from integrations.mqtt.components import located
from integrations.mqtt.events import plain_params
from integrations.mqtt.line import LineSpec, Sequence
from integrations.mqtt.points import UNCERTAIN, Convert, Event, number, switched, text
from integrations.mqtt.spec import CommandSpec, EntitySpec, Presence, Take
from integrations.mqtt.templates import (
    WHOLE_TEXT,
    Extract,
    SilentError,
    TemplateError,
    by_path,
    silent,
    text_of,
)

#: What a template prints that means yes.
TRUE = frozenset({"True", "true", "ON", "on", "1", "1.0"})


def presence_of(data: Mapping[str, Any], fill: Any) -> tuple[Presence, ...]:
    """Return a topic's availability, as a map says it."""
    here = data.get("availability")
    if here is None:
        return ()
    extract = here.get("template", WHOLE_TEXT)
    return (Presence(fill(here["topic"]), extract, here["here"], here["gone"]),)


def line_of(data: Mapping[str, Any], topic: str, fill: Any) -> LineSpec | None:
    """Return how a topic is heard in time; None when the map does not say."""
    if not ("sequence" in data or "interval_s" in data or data["polls"]):
        return None
    given = data.get("sequence")
    return LineSpec(
        topic,
        given and Sequence(given["path"], given.get("time"), given.get("absent")),
        # Where the device tells itself that it is gone, that is what counts.
        0.0 if "availability" in data else data.get("interval_s", 0.0),
        tuple((fill(p["topic"]), fill(p["payload"]).encode()) for p in data["polls"]),
        data["poll_s"],
    )


def loss_of(uid: str, topic: str, line: LineSpec, age_s: float) -> EntitySpec:
    """Return the entity that tells the share of lost messages."""
    sequence = line.sequence
    return EntitySpec(
        Entity(
            uid=uid,
            name=uid,
            kind=EntityKind.SENSOR,
            quantity="link_loss",
            unit="%",
            max_age_s=age_s,
        ),
        topic=topic,
        extract=by_path(()),
        convert=sequence.loss if sequence is not None else number,
    )


def event_of(entry: Mapping[str, Any], topic: str, fill: Any) -> EntitySpec:
    """Return a discrete event of a topic."""
    uid = fill(entry["uid"])
    return EntitySpec(
        Entity(
            uid=uid,
            name=uid,
            kind=EntityKind.EVENT,
            quantity=entry["kind"],
        ),
        take=_taker(entry),
        event_topic=topic,
    )


def entity_of(
    entry: Mapping[str, Any],
    topic: str,
    presence: tuple[Presence, ...],
    fill: Any,
    age_s: float,
) -> EntitySpec:
    """Return an entity of a topic, stale after ``age_s`` unless it says another."""
    kind = entry["kind"]
    output = _output(entry) if kind == "output" else None
    if kind == "output" and output is None:
        kind = "binary"  # nobody said what it moves, so nothing is moved by it
    uid = fill(entry["uid"])
    extract = entry.get("path") or entry.get("template") or WHOLE_TEXT
    return EntitySpec(
        Entity(
            uid=uid,
            name=fill(entry.get("name", uid)),
            kind=EntityKind.SENSOR if kind == "text" else EntityKind(kind),
            quantity=entry["quantity"],
            unit=entry["unit"],
            max_age_s=entry.get("max_age_s", age_s),
            critical=entry["critical"],
            full_scale=entry.get("full_scale"),
            output=output,
        ),
        topic=topic,
        extract=silent(extract) if entry["optional"] else extract,
        convert=_convert(entry),
        presence=presence,
        command=_command(entry, fill) if output is not None else None,
        also=tuple((fill(a["topic"]), silent(a["path"])) for a in entry["also"]),
    )


def _output(entry: Mapping[str, Any]) -> Output | None:
    if "output" not in entry:
        return None
    return Output(
        kind=OutputKind(entry["output"]),
        ex_rated=entry.get("ex_rated", False),
        contact_zone=entry.get("contact_zone"),
        outside_air=entry.get("outside_air", False),
        fail_safe=entry.get("fail_safe", "hold_last"),
    )


def _command(entry: Mapping[str, Any], fill: Any) -> CommandSpec | None:
    """Return how an output is told; one that trips by itself has its own words.

    A siren is never given a time after which it ends by itself (design §5).
    """
    command = entry.get("command")
    if command is None:
        return None
    trips = entry["output"] == "power_cut" and entry.get("fail_safe") == "on"
    words = [command["on"], command["off"]]
    if trips:
        words = [command.get(f"trip_{w}", command[w]) for w in ("on", "off")]
    on, off = (fill(word).encode() for word in words)
    if entry.get("inverted", False):
        on, off = off, on
    return CommandSpec(fill(command["topic"]), on, off, command["repeat"])


def _convert(entry: Mapping[str, Any]) -> Convert:
    kind = entry["kind"]
    if kind in {"binary", "output"}:
        on, off = entry["on"], entry["off"]
        return switched(off, on) if entry.get("inverted", False) else switched(on, off)
    if kind == "location":
        floor = entry.get("least_quality")
        return _doubted(floor["key"], floor["at_least"]) if floor else located
    return text if kind == "text" else number


def _doubted(key: str, floor: float) -> Convert:
    """Judge a position whose own quality figure must reach ``floor``."""

    def judge(raw: Any) -> tuple[Value, int, str]:
        value, quality, reason = located(raw)
        if quality or not isinstance(raw, dict):
            return value, quality, reason
        figure, bad, _ = number(raw.get(key))
        if bad or not isinstance(figure, float) or figure < floor:
            return value, UNCERTAIN, "mqtt.low_quality"
        return value, quality, reason

    return judge


def _taker(entry: Mapping[str, Any]) -> Take:
    """Return what takes an event out of a message, once for each occurrence.

    With an ``id`` an occurrence is a new id; without one it is the moment at
    which ``when`` becomes true, or each message when there is no ``when``.
    """
    when: Extract | None = entry.get("when")
    ident: Extract | None = entry.get("id")
    wanted: Mapping[str, Extract] = entry["params"]
    kind: str = entry["kind"]
    before: dict[str, Any] = {"on": False, "id": None}

    def take(said: str, data: Any, retained: bool) -> Event | None:
        on = when is None or text_of(tried(when, said, data)) in TRUE
        rising, before["on"] = on and not before["on"], on
        if not on:
            return None
        found = tried(ident, said, data) if ident is not None else None
        if found is not None:
            if found == before["id"]:
                return None
            before["id"] = found
        elif when is not None and not rising:
            return None
        facts = {name: tried(extract, said, data) for name, extract in wanted.items()}
        return Event(kind, plain_params(facts), "" if found is None else text_of(found))

    return take


def tried(extract: Extract, said: str, data: Any) -> Any:
    """Return what an extract takes; None where there is nothing."""
    try:
        return extract.fn(said, data)
    except (TemplateError, SilentError):
        return None
