"""Events, codes and holds into sentences in both languages."""

from typing import Any

import msgspec

from core.journal.envelope import Effect
from core.journal.events import Event
from core.site.leaving import Attack
from frontend_api.names import NOTHING, Names, format_value, known, text
from frontend_api.replica import Kept
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
    "power.ending": "critical",
    "sirens.resounded": "major",
    "rule.skipped": "minor",
}
_BAD_STATES = frozenset({"failed", "expired"})
_STATES = ("state", "status", "outcome", "verdict", "why")


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
    if fields.get("method") == "undo":
        state = "undo"  # what was ticked by mistake is told as that
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
    attack = getattr(body, "attack", None)
    if attack is not None:
        found["attack"] = attack_text(names, attack)
    if body.name_.startswith("commission.") and (step := getattr(body, "step", "")):
        found["step"] = text(f"commission.step.{step}")
    if hasattr(body, "value"):
        found["value"] = switched(body.value)
    return found


def attack_text(names: Names, attack: Attack) -> Text:
    """Say what is injected into a drill."""
    about = names.person(attack.person)
    if not attack.person:
        about = names.zone(attack.muster or attack.zone)
    return text(f"drill.attack.{attack.kind}", {"about": about})


def _commanded(names: Names, command_id: str) -> Text:
    for record in names.replica.state.response.outputs.values():
        if record.id == command_id:
            return names.entity(record.entity_id)
    return NOTHING


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
