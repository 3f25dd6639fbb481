"""Ids and codes into names and sentences in both languages, as people know them."""

from collections.abc import Callable
from typing import Any

import msgspec

from core import texts
from core.journal.events import Event
from core.response import book_names
from core.response.lamps import is_heartbeat
from core.response.notices_config import REGULATOR
from frontend_api import steps
from frontend_api.replica import Replica
from frontend_api.views import Text

NOTHING = Text("—", "—")
#: Parameters that hold a code where there is one for it, else a person's words.
_CODED = frozenset({"reason", "why", "detail"})


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


def reason(code: str) -> Text:
    """Say why a value is not good, or what was wrong; a stranger's code as it is."""
    said = known(code, f"reading.{code}", f"gateway.why.{code}", "gateway.code_itself")
    return text(said, {"code": code})


def join(parts: list[Text]) -> Text:
    """List names: 、 in Chinese, commas in English."""
    if not parts:
        return NOTHING
    return Text("、".join(p.zh for p in parts), ", ".join(p.en for p in parts))


class Names:
    """Turn ids into the names of the bundle and the registry."""

    def __init__(self, replica: Replica) -> None:
        self.replica = replica

    def person(self, person_id: str) -> Text:
        """Name a person, or a visitor by badge."""
        kind, _, badge = person_id.partition(":")
        if kind == "visitor" and badge:
            return text("gateway.visitor", {"badge": badge})
        if kind == REGULATOR:
            outside = self.replica.bundle.notices.regulators
            found = next((e.names for e in outside if e.id == badge), None)
            return Text(found.zh, found.en) if found else Text(badge, badge)
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
        if is_heartbeat(record):
            what = text("gateway.output.heartbeat")
        elif declared.output is not None:
            siblings = registry.devices[record.device_id].entities
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

    def plan(self, plan_id: str) -> Text:
        """Name a drill's plan; one without a plan is just a drill."""
        for plan in self.replica.bundle.site.drills:
            if plan.id == plan_id:
                return Text(plan.names.zh, plan.names.en)
        return Text(plan_id, plan_id) if plan_id else text("gateway.a_drill")

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
        return self.person(notice.person_id) if notice else NOTHING

    def run(self, body: Event) -> dict[str, Any]:
        """Name the rule of a run, and the step that an event tells of."""
        rule = steps.rule_of(self.replica, str(getattr(body, "run_id", "")))
        path = str(getattr(body, "path", ""))
        step = steps.step_of(rule, path) if rule is not None else None
        output = str(step.fields.get("output", "")) if step else ""
        what = text(f"gateway.output.{output}") if output else NOTHING
        named = known(f"gateway.step.{step.action if step else ''}", "gateway.step")
        return {
            "rule": Text(rule.names.zh, rule.names.en) if rule else NOTHING,
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
        if kind == "interlock":
            return text("gateway.interlock")
        if source in self.replica.state.alarms.open:
            return self.alarm(source)
        return Text(name or source, name or source)

    def _each(self, name: str) -> Callable[[str], Text] | None:
        """Return what names the parts of a list written as one string."""
        if name in ("people", "missing", "workers"):
            return self.person
        if name in ("gas", "gases"):
            return self.quantity
        if name in ("muster", "offered"):
            return self.zone
        return _role if name in ("needed", "roles") else None

    def params(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Replace the ids among an event's or a code's parameters by names."""
        found: dict[str, Any] = {}
        for name, value in fields.items():
            if not isinstance(value, msgspec.Struct):
                found[name.removesuffix("_id")] = self._param(name, value)
        kept = self.replica.state.response.plans.kept
        books = book_names.named(self._with_run(fields), self.replica.bundle, kept)
        return found | {name: Text(n.zh, n.en) for name, n in books.items()}

    def _with_run(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Add the plan of a run, and its step, to what an event of it tells."""
        run = self.replica.state.response.plans.runs.get(str(fields.get("plan_run")))
        if run is None:
            return fields
        step = f"{run.digest}/{fields.get('step', '')}"
        return {**fields, "plan": run.plan, "plan_step": step}

    def _param(self, name: str, value: Any) -> Any:
        match name, value:
            case ("zones", list() | tuple()):
                return join([self.zone(zone) for zone in value])
            case (("missing" | "workers" | "roster"), list() | tuple()):
                people = [v["person_id"] if isinstance(v, dict) else v for v in value]
                return join([self.person(person) for person in people])
            case (("zone_id" | "zone"), _):
                return self.zone(value)
            case ("offered", list() | tuple()):
                return join([self.zone(point) for point in value])
            case ("plan", str()):
                return self.plan(value)
            case (
                (
                    "person_id"
                    | "person"
                    | "by"
                    | "issuer_id"
                    | "guardian_id"
                    | "supervisor_id"
                    | "booked_by"
                    | "owner"
                    | "from_id"
                    | "to_id"
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
            return reason(value)
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
