"""Codes and ids into sentences in both languages, with the names people know."""

from collections.abc import Callable
from typing import Any

import msgspec

from core import texts
from core.journal.envelope import Effect
from core.journal.events import Event
from frontend_api import steps
from frontend_api.replica import Kept, Replica
from frontend_api.views import EventView, Text

MS = 1_000_000
_PRIORITY = {1: "critical", 2: "major", 3: "minor", 4: "info"}
_LEVELS = {
    "evacuation.started": "critical",
    "evacuation.extended": "critical",
    "evacuation.late": "critical",
    "permit.held": "major",
    "permit.expired": "major",
    "notice.escalated": "major",
    "command.withheld": "minor",
    "config.refused": "major",
    "journal.gap": "major",
    "journal.damaged": "critical",
    "sirens.resounded": "major",
    "rule.skipped": "minor",
}
_BAD_STATES = frozenset({"failed", "expired"})
_NONE = Text("—", "—")
#: Parameters that hold a code where there is one for it, else a person's words.
_CODED = frozenset({"reason", "why", "detail"})
_STATES = ("state", "status", "outcome")


def text(code: str, params: dict[str, Any] | None = None) -> Text:
    """Render a code in both languages."""
    zh, en = {}, {}
    for name, value in (params or {}).items():
        two = isinstance(value, Text)
        zh[name], en[name] = (value.zh, value.en) if two else (value, value)
    return Text(texts.render(code, zh, "zh"), texts.render(code, en, "en"))


def known(*codes: str) -> str:
    """Return the first code that has a sentence, else the last one."""
    catalogue = texts.catalogue()
    return next((code for code in codes if code in catalogue), codes[-1])


def join(parts: list[Text]) -> Text:
    """List names: 、 in Chinese, commas in English."""
    if not parts:
        return _NONE
    return Text("、".join(p.zh for p in parts), ", ".join(p.en for p in parts))


class Names:
    """Turn ids into the names of the bundle and the registry."""

    def __init__(self, replica: Replica) -> None:
        self.replica = replica

    def person(self, person_id: str) -> Text:
        """Name a person."""
        for person in self.replica.bundle.people:
            if person.id == person_id:
                return Text(person.name, person.name)
        return Text(person_id, person_id)

    def zone(self, zone_id: str | None) -> Text:
        """Name a zone or a muster point; None is an unknown place."""
        if zone_id is None:
            return text("gateway.unknown_place")
        if zone_id == "":
            return text("gateway.outside")
        site = self.replica.bundle.site
        named = {place.id: place.names for place in site.muster_points}
        named |= {place.id: place.names for place in site.zones}
        found = named.get(zone_id)
        return Text(found.zh, found.en) if found else Text(zone_id, zone_id)

    def device(self, device_id: str) -> Text:
        """Name a device."""
        device = self.replica.state.registry.devices.get(device_id)
        name = device.name if device else device_id
        return Text(name, name)

    def entity(self, entity_id: str) -> Text:
        """Name an entity by its device and what it measures or switches."""
        registry = self.replica.state.registry
        record = registry.entities.get(entity_id)
        if record is None:
            return Text(entity_id, entity_id)
        device, declared = self.device(record.device_id), record.declared
        if declared.output is not None:
            siblings = registry.devices[record.device_id].entities.values()
            outputs = [e for e in siblings if registry.entities[e].declared.output]
            if len(outputs) < 2:
                return device
            what = text(f"gateway.output.{declared.output.kind.value}")
        elif any(q.id == declared.quantity for q in self.replica.bundle.quantities):
            what = self.quantity(declared.quantity)
        else:
            return device
        return Text(f"{device.zh} · {what.zh}", f"{device.en} · {what.en}")

    def quantity(self, quantity: str) -> Text:
        """Name a measured quantity."""
        for known_one in self.replica.bundle.quantities:
            if known_one.id == quantity:
                return Text(known_one.names.zh, known_one.names.en)
        return Text(quantity, quantity)

    def rule(self, rule_id: str) -> Text:
        """Name a rule."""
        for rule in self.replica.bundle.rules:
            if rule.id == rule_id:
                return Text(rule.names.zh, rule.names.en)
        return Text(rule_id, rule_id)

    def permit(self, permit_id: str) -> Text:
        """Name a permit by its title."""
        permit = self.replica.state.permits.permits.get(permit_id)
        title = permit.title if permit and permit.title else permit_id
        return Text(title, title)

    def alarm(self, alarm_id: str) -> Text:
        """Name an alarm by its kind and place; closed ones by their events."""
        record = self.replica.state.alarms.open.get(alarm_id)
        if record is not None:
            return self.alarm_title(record.kind, record.zone_id)
        for kept in reversed(self.replica.events):
            if getattr(kept.body, "alarm_id", "") == alarm_id:
                kind = getattr(kept.body, "kind", "")
                if kind:
                    return self.alarm_title(kind, getattr(kept.body, "zone_id", None))
        return text("gateway.an_alarm")

    def alarm_facts(self, source: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return an alarm's parameters with names; its source stands for what lacks."""
        named = self.source(source)
        found: dict[str, Any] = dict.fromkeys(
            ("name", "host", "rule", "person", "device"), named
        )
        found |= self.params(params)
        if source.startswith(("entity:", "device:")):
            found["name"] = named  # a driver's own word has one language only
        return found

    def alarm_said(self, body: Event) -> Text:
        """Say a raised alarm with its figures, and where."""
        kind = str(getattr(body, "kind", ""))
        zone_id = getattr(body, "zone_id", None)
        if known(f"alarm.{kind}") not in texts.catalogue():
            return self.alarm_title(kind, zone_id)
        facts = self.alarm_facts(
            str(getattr(body, "source", "")), getattr(body, "params", {})
        )
        what = text(f"alarm.{kind}", facts)
        if zone_id is None:
            return what
        where = self.zone(zone_id)
        return Text(f"{what.zh} · {where.zh}", f"{what.en} · {where.en}")

    def recipient(self, notice_id: str) -> Text:
        """Name whom a notice is for; a closed one by the event that queued it."""
        for kept in reversed(self.replica.events):
            body = kept.body
            if getattr(body, "notice_id", "") == notice_id and hasattr(
                body, "person_id"
            ):
                return self.person(str(body.person_id))
        notice = self.replica.state.response.notices.get(notice_id)
        return self.person(notice.person_id) if notice else _NONE

    def run(self, body: Event) -> dict[str, Any]:
        """Name the rule of a run, and the step that an event tells of."""
        rule = steps.rule_of(self.replica, str(getattr(body, "run_id", "")))
        path = str(getattr(body, "path", ""))
        step = steps.step_of(rule, path) if rule is not None else None
        output = str(step.fields.get("output", "")) if step else ""
        what = text(f"gateway.output.{output}") if output else _NONE
        named = known(f"gateway.step.{step.action if step else ''}", "gateway.step")
        return {
            "rule": Text(rule.names.zh, rule.names.en) if rule else _NONE,
            "step": text(named, {"path": path, "output": what}),
        }

    def alarm_title(self, kind: str, zone_id: str | None) -> Text:
        """Say what and where in one line."""
        what = text(known(f"gateway.kind.{kind}", "gateway.kind.other"), {"kind": kind})
        if zone_id is None:
            return what
        where = self.zone(zone_id)
        return Text(f"{what.zh} · {where.zh}", f"{what.en} · {where.en}")

    def source(self, source: str) -> Text:
        """Name what stands behind kind:id: an actor, a cause, an alarm's source."""
        kind, _, name = source.partition(":")
        namers = {
            "entity": self.entity,
            "device": self.device,
            "zone": self.zone,
            "rule": self.rule,
            "person": self.person,
            "alarm": self.alarm,
            "permit": self.permit,
        }
        if kind in namers and name:
            return namers[kind](name)
        if kind == "hub":
            return text("gateway.hub")
        if source in self.replica.state.alarms.open:
            return self.alarm(source)
        return Text(name or source, name or source)

    def _each(self, name: str) -> Callable[[str], Text] | None:
        """Return what names the parts of a list written as one string."""
        if name in ("people", "missing", "workers"):
            return self.person
        if name in ("gas", "gases"):
            return self.quantity
        return _role if name in ("needed", "roles") else None

    def params(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Replace the ids among an event's or a code's parameters by names."""
        found: dict[str, Any] = {}
        for name, value in fields.items():
            if not isinstance(value, msgspec.Struct):
                found[name.removesuffix("_id")] = self._param(name, value)
        return found

    def _param(self, name: str, value: Any) -> Any:
        match name, value:
            case ("zones", list() | tuple()):
                return join([self.zone(zone) for zone in value])
            case (("missing" | "workers" | "roster"), list() | tuple()):
                people = [v["person_id"] if isinstance(v, dict) else v for v in value]
                return join([self.person(person) for person in people])
            case (("zone_id" | "zone"), _):
                return self.zone(value)
            case (
                (
                    "person_id"
                    | "person"
                    | "by"
                    | "issuer_id"
                    | "guardian_id"
                    | "supervisor_id"
                ),
                str(),
            ):
                return self.person(value)
            case (_, list() | tuple()):
                return "、".join(str(item) for item in value)
            case _:
                return self._scalar(name, value)

    def _scalar(self, name: str, value: Any) -> Any:
        each = self._each(name)
        if each is not None and isinstance(value, str):
            return join([each(part) for part in value.split(", ") if part])
        if name in _CODED and isinstance(value, str):
            return text(
                known(value, f"reading.{value}", "gateway.code_itself"), {"code": value}
            )
        namer = self._namers().get(name.removesuffix("_id"))
        return namer(str(value)) if namer else format_value(value)

    def _namers(self) -> dict[str, Callable[[str], Text]]:
        return {
            "entity": self.entity,
            "device": self.device,
            "permit": self.permit,
            "alarm": self.alarm,
            "quantity": self.quantity,
            "rule": self.rule,
            "subject": self.source,
            "source": self.source,
            "channel": _channel,
        }


def _role(role: str) -> Text:
    return text(known(f"gateway.role.{role}", "gateway.code_itself"), {"code": role})


def _channel(channel: str) -> Text:
    code = known(f"gateway.channel.{channel}", "gateway.code_itself")
    return text(code, {"code": channel})


def format_value(value: Any) -> Any:
    """Write a number as people do: no tails of floating point."""
    return f"{value:.4g}" if isinstance(value, float) else value


def sentence(names: Names, body: Event) -> Text:
    """Say an event in a sentence."""
    fields: dict[str, Any] = msgspec.to_builtins(body)
    fields = {f.name: getattr(body, f.name) for f in msgspec.structs.fields(body)} | {
        key: value for key, value in fields.items() if not isinstance(value, dict)
    }
    params = names.params(fields)
    for key, value in fields.items():
        if key == "params" and isinstance(value, dict):
            params = names.params(value) | params
    params |= _special(names, body)
    code = f"event.{body.name_}"
    state = next((str(fields[n]) for n in _STATES if n in fields), "")
    return text(
        known(f"{code}.{state}", code, "event.other"), {"type": body.name_} | params
    )


def _special(names: Names, body: Event) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if body.name_ == "alarm.raised":
        found["alarm"] = names.alarm_said(body)
    if hasattr(body, "run_id"):
        found |= names.run(body)
    hold = getattr(body, "hold", None)
    if hold is not None:
        found["hold"] = hold_text(names, hold.code, hold.params)
    code = getattr(body, "code", "")
    if code:
        found["code"] = code_text(names, code, getattr(body, "params", {}))
    if getattr(body, "command_id", "") and not hasattr(body, "entity_id"):
        found["entity"] = _commanded(names, str(getattr(body, "command_id", "")))
    notice_id = str(getattr(body, "notice_id", ""))
    if notice_id and not hasattr(body, "person_id"):
        found["person"] = names.recipient(notice_id)
    if hasattr(body, "value"):
        found["value"] = switched(body.value)
    return found


def _commanded(names: Names, command_id: str) -> Text:
    for record in names.replica.state.response.outputs.values():
        if record.id == command_id:
            return names.entity(record.entity_id)
    return _NONE


def switched(value: Any) -> Any:
    """Say ON and OFF in words."""
    if isinstance(value, bool):
        return text("gateway.on" if value else "gateway.off")
    return format_value(value)


def code_text(names: Names, code: str, params: dict[str, Any]) -> Text:
    """Say a code with its parameters' names."""
    said = known(f"gateway.code.{code}", f"gateway.kind.{code}", code)
    return text(said, names.params(dict(params)))


def hold_text(names: Names, code: str, params: dict[str, Any]) -> Text:
    """Say why a permit is held."""
    return text(
        known(f"hold.{code}", code, "gateway.hold.other"),
        {"code": code} | names.params(dict(params)),
    )


def event_view(names: Names, kept: Kept) -> EventView:
    """Show an event in the timeline."""
    envelope, body = kept.envelope, kept.body
    zones = getattr(body, "zones", ())
    zone_id = getattr(body, "zone_id", None) or (zones[0] if zones else None)
    return EventView(
        epoch=envelope.epoch,
        seq=envelope.seq,
        id=envelope.id,
        type=envelope.type,
        level=level(kept),
        text=sentence(names, body),
        actor=envelope.cause.actor,
        wall_ms=(envelope.act_ns or envelope.wall_ns) // MS,
        synced=envelope.sync,
        zone_id=zone_id,
        subject=body.index_key(),
        drill=envelope.cause.drill or bool(getattr(body, "mark", "")),
    )


def level(kept: Kept) -> str:
    """Say how loudly an event is shown."""
    body = kept.body
    if isinstance(priority := getattr(body, "priority", None), int):
        if kept.envelope.type == "alarm.raised":
            return _PRIORITY.get(priority, "info")
    if getattr(body, "state", "") in _BAD_STATES:
        return "major"
    if kept.envelope.type in _LEVELS:
        return _LEVELS[kept.envelope.type]
    if kept.envelope.effect is Effect.PERMISSIVE:
        return "ok"
    return "info"
