"""What a rule's actions do in the rooms of the kernel, one small function each."""

from collections.abc import Callable

from automations.doing import Doing
from automations.scope import place
from automations.watch_people import is_kind
from core.api.model import OutputKind
from core.api.reading import Value
from core.config import Step
from core.deadlines import Deadline
from core.logic.state import RunRecord
from core.people.acts import ROLES
from core.permits.state import PermitRecord
from core.registry.state import EntityRecord

#: What a rule that only advises does too: it tells people.
TELLING = frozenset({"notify", "broadcast", "permit.request_release", "webhook"})
_SOUNDERS = frozenset({"siren", "strobe", "voice", "lamp"})
_KINDS = {str(each): each for each in OutputKind}
_EVERYBODY = tuple(role for role in ROLES if role not in ("owner", "auditor"))


def in_drill(step: Step) -> bool:
    """Say whether a step is done in a drill or a test: it is seen or heard only."""
    if step.action == "command":
        return str(step.fields["output"]) in _SOUNDERS
    return step.action in TELLING | {"evacuation.start", "alarm.raise", "plan.start"}


def condition_of(step: Step, run: RunRecord) -> str:
    """Return the condition of a rule's own alarm: one a subject (R6)."""
    return f"{step.fields['condition']} {run.subject}"


# --- places -----------------------------------------------------------------------


def _zones(do: Doing) -> list[str]:
    """Return the zones that a step is for: named, the subject's own, or all."""
    named = _tuple(do.step.fields.get("zone", ()))
    site = do.runs.kernel.site
    if "all" in named:
        return [zone.id for zone in site.zones()]
    here = place(do.runs.kernel, do.run.subject)
    found = [here if each == "subject" else each for each in named or ("subject",)]
    zones = [zone for zone in found if zone is not None]
    if do.step.fields.get("neighbours"):
        zones += [near for zone in zones for near in sorted(site.neighbours(zone))]
    return list(dict.fromkeys(zones))


def _first_zone(do: Doing) -> str | None:
    return next(iter(_zones(do)), None)


# --- outputs ----------------------------------------------------------------------


def _outputs(do: Doing, kind: OutputKind) -> list[EntityRecord]:
    registry = do.runs.kernel.registry
    found = {e.id: e for zone in _zones(do) for e in registry.outputs(zone, kind)}
    return list(found.values())


def _order(do: Doing, outputs: list[EntityRecord], value: bool | float | str) -> None:
    given = [
        do.runs.kernel.commands.order(
            entity.id,
            value,
            why=do.run.id,
            deadline_s=do.step.deadline_s,
            cause=do.runs.cause(do.run),
        )
        for entity in outputs
    ]
    ids = tuple(each for each in given if each is not None)
    if not ids:
        do.runs.record(do.run, do.path, "skipped", detail="withheld")
        return
    until = Deadline.after(do.runs.hub.clock, do.step.deadline_s + 1.0)
    do.runs.record(do.run, do.path, "waiting", refs=ids, until=until)
    do.runs.arm_deadline(do.run, do.path, until)


def _command(do: Doing) -> None:
    kind = _KINDS[str(do.step.fields["output"])]
    value = do.step.fields["value"]
    outputs = _outputs(do, kind)
    if outputs:
        plain = value if isinstance(value, bool | float | int) else str(value)
        _order(do, outputs, plain)
    elif do.step.fields.get("if_none") == "skip":
        do.runs.record(do.run, do.path, "skipped", detail=f"no {kind}")
    else:
        raise LookupError(f"no {kind} serves {do.run.subject}")


# --- permits ----------------------------------------------------------------------


def _permits(do: Doing) -> list[PermitRecord]:
    """Return the permits that a hold is for: the subject's own, or its zones'."""
    kernel = do.runs.kernel
    kinds = _tuple(do.step.fields.get("kinds", ()))
    subject, _, number = do.run.subject.partition(":")
    zones = set(_zones(do))
    everywhere = "all" in _tuple(do.step.fields.get("zone", ()))
    found = []
    for permit in kernel.hub.state.permits.permits.values():
        here = everywhere or permit.zone_id in zones
        if subject == "permit" and "zone" not in do.step.fields:
            here = permit.id == number
        if here and not permit.ended and is_kind(kernel, permit, kinds):
            found.append(permit)
    return found


def _hold(do: Doing) -> None:
    subject = do.run.subject
    if not _zones(do) and not subject.startswith("permit:"):
        raise LookupError(f"{subject} is in no zone: nothing to hold")
    held: list[str] = []
    if do.step.fields.get("kinds") or subject.startswith("permit:"):
        held = [permit.id for permit in _permits(do) if _hold_one(do, permit.id)]
    else:
        for zone in _zones(do):
            held += do.runs.kernel.permits.hold_zone(
                zone,
                str(do.step.fields["code"]),
                source=f"rule:{do.run.rule}",
                retest=_tuple(do.step.fields.get("retest", ())),
                linked=bool(do.step.fields.get("linked", True)),
                cause=do.runs.cause(do.run),
            )
    ids = tuple(dict.fromkeys(held))
    do.runs.record(do.run, do.path, "done", detail=str(len(ids)), holds=ids)


def _hold_one(do: Doing, permit_id: str) -> bool:
    made = do.runs.kernel.permits.hold(
        permit_id,
        str(do.step.fields["code"]),
        source=f"rule:{do.run.rule}",
        retest=_tuple(do.step.fields.get("retest", ())),
        cause=do.runs.cause(do.run),
    )
    return made is not None


def _request_release(do: Doing) -> None:
    """Ask those who may release to look at what this rule held; never release."""
    permits = do.runs.kernel.hub.state.permits.permits
    source = f"rule:{do.run.rule}"
    made: list[str] = []
    for permit_id in dict.fromkeys(do.run.holds):
        permit = permits.get(permit_id)
        if permit is None or not any(
            record.hold.source == source for record in permit.holds.values()
        ):
            continue
        made += do.runs.kernel.notices.tell(
            roles=_tuple(do.step.fields.get("roles", ("issuer", "safety_officer"))),
            channels=_tuple(do.step.fields.get("channels", ("screen",))),
            code="notice.release_requested",
            params={"permit": permit_id, "zone": permit.zone_id, "rule": do.run.rule},
            about=permit_id,
            mark=do.run.mark,
            cause=do.runs.cause(do.run),
        )
    state = "done" if made else "skipped"
    do.runs.record(do.run, do.path, state, refs=tuple(made))


# --- people -----------------------------------------------------------------------


def _evacuate(do: Doing) -> None:
    zones = _zones(do)
    if not zones:
        raise LookupError(f"{do.run.subject} is no zone: nothing to evacuate")
    facts = {k: v for k, v in do.run.params.items() if k not in ("alarm_id", "source")}
    made = do.runs.kernel.evacuations.start(
        zones,
        str(do.step.fields.get("code") or do.scope("trigger_kind")[0] or "alarm"),
        params=facts,
        mark=do.run.mark,
        cause=do.runs.cause(do.run),
    )
    do.runs.record(do.run, do.path, "done", refs=(made,))


def _facts(do: Doing) -> tuple[dict[str, Value], str]:
    """Return what a notice says, and what it is about, in this round of the run."""
    number = do.path.split("/", 1)[0]
    params = do.run.params
    if number[:1] == "r" and number[1:].isdigit():
        params = do.run.rounds[int(number[1:]) - 1]
    zone = _first_zone(do)
    facts = {**params, "zone_id": zone, "rule": do.run.rule}
    facts.setdefault("zone", zone)
    return facts, str(params.get("alarm_id") or do.run.id)


def _notify(do: Doing) -> None:
    facts, about = _facts(do)
    code, fields = str(do.step.fields["code"]), do.step.fields
    tell = do.runs.kernel.notices
    cause, mark = do.runs.cause(do.run), do.run.mark
    if "chain" in fields:
        chain = str(fields["chain"])
        ids = tell.tell_chain(chain, code, facts, about=about, mark=mark, cause=cause)
    elif "persons" in fields:
        people = _persons(do)
        ids = tell.tell_persons(people, code, facts, about, mark, cause=cause)
    else:
        respond = fields.get("respond_within")
        ids = tell.tell(
            roles=_tuple(fields.get("roles", ())),
            channels=_tuple(fields.get("channels", ("screen",))),
            code=code,
            params=facts,
            about=about,
            respond_s=float(respond) if isinstance(respond, int | float) else None,
            mark=mark,
            cause=cause,
        )
    do.runs.record(do.run, do.path, "done", refs=tuple(ids or ()))


def _persons(do: Doing) -> list[str]:
    """Return the person that the run is about, or the people of its permit."""
    kind, _, number = do.run.subject.partition(":")
    if kind == "person":
        return [number]
    if kind == "device":
        device = do.runs.kernel.registry.device(number)
        return [device.person_id] if device and device.person_id else []
    permit = do.runs.kernel.hub.state.permits.permits.get(number)
    if permit is None:
        return []
    return [*permit.people(), permit.supervisor_id]


def _broadcast(do: Doing) -> None:
    """Say it by the voice outputs of the zones, and on everybody's screen."""
    facts, about = _facts(do)
    fields, code = do.step.fields, str(do.step.fields["code"])
    respond = fields.get("respond_within")
    do.runs.kernel.notices.tell(
        roles=_tuple(fields.get("roles", _EVERYBODY)),
        channels=_tuple(fields.get("channels", ("screen",))),
        code=code,
        params=facts,
        about=about,
        respond_s=float(respond) if isinstance(respond, int | float) else None,
        mark=do.run.mark,
        cause=do.runs.cause(do.run),
    )
    voices = _outputs(do, OutputKind.VOICE)
    if voices and do.run.mode == "enforce":
        _order(do, voices, code)
    else:
        do.runs.record(do.run, do.path, "done", detail=f"{len(voices)} voices")


# --- alarms -----------------------------------------------------------------------


def _raise(do: Doing) -> None:
    fields = do.step.fields
    priority = fields.get("priority", 2)
    made = do.runs.kernel.alarms.raise_(
        f"rule:{do.run.rule}",
        condition_of(do.step, do.run),
        kind=str(fields["kind"]),
        priority=priority if isinstance(priority, int) else 2,
        zone_id=_first_zone(do),
        life_safety=bool(fields.get("life_safety", False)),
        latching=bool(fields.get("latching", False)),
        params={**do.run.params, "rule": do.run.rule},
        mark=do.run.mark,
        cause=do.runs.cause(do.run),
    )
    do.runs.record(do.run, do.path, "done", refs=(made,))


def _shelve(do: Doing) -> None:
    """Shelve what stands of some kinds in the zones; life safety never."""
    kernel, fields = do.runs.kernel, do.step.fields
    span, kinds = fields["for"], _tuple(fields["kinds"])
    zones = set(_zones(do))
    done = []
    for record in kernel.alarms.active():
        fits = any(record.kind == k or record.kind.startswith(f"{k}.") for k in kinds)
        if not fits or record.zone_id not in zones or record.life_safety:
            continue
        if record.shelf is None:
            kernel.alarms.shelve(
                record.id,
                by=f"rule:{do.run.rule}",
                reason=str(fields["reason"]),
                minutes=float(span) / 60.0 if isinstance(span, int | float) else 0.0,
                cause=do.runs.cause(do.run),
            )
            done.append(record.id)
    do.runs.record(do.run, do.path, "done", refs=tuple(done))


# --- tasks, plans, records, calls -------------------------------------------------


def _task(do: Doing) -> None:
    fields, facts = do.step.fields, _facts(do)
    due = fields["due"]
    made = do.runs.kernel.tasks.create(
        str(fields["kind"]),
        str(fields["code"]),
        zone_id=_first_zone(do),
        roles=_tuple(fields.get("roles", ())),
        owner=str(fields.get("owner", "")),
        due_s=float(due) if isinstance(due, int | float) else 0.0,
        params=facts[0],
        about=facts[1],
        mark=do.run.mark,
        cause=do.runs.cause(do.run),
    )
    _made(do, made, "no_task")


def _plan(do: Doing) -> None:
    made = do.runs.kernel.plans.start(
        str(do.step.fields["plan"]),
        zone_id=_first_zone(do),
        about=_facts(do)[1],
        mark=do.run.mark,
        cause=do.runs.cause(do.run),
    )
    _made(do, made or "", "no_plan")


def _made(do: Doing, made: str, why: str) -> None:
    """Write down what a room made; nothing is a failure with a name."""
    state, refs = ("done", (made,)) if made else ("failed", ())
    do.runs.record(do.run, do.path, state, detail="" if made else why, refs=refs)


def _clip(do: Doing) -> None:
    """Ask the zone's recorders to keep the picture; cameras' own hosts do it."""
    recorders = _outputs(do, OutputKind.RECORDER)
    seconds = do.step.fields.get("for", 30.0)
    if recorders:
        span = float(seconds) if isinstance(seconds, int | float) else 30.0
        _order(do, recorders, span)
    else:
        do.runs.record(do.run, do.path, "failed", detail="no_recorder")


def _webhook(do: Doing) -> None:
    """Tell a named channel of the site: the notifier calls it, by its own secret."""
    kernel, fields = do.runs.kernel, do.step.fields
    target = str(fields["target"])
    if all(each.id != target for each in kernel.hub.bundle.notices.channels):
        do.runs.record(do.run, do.path, "failed", detail="no_target")
        return
    facts, about = _facts(do)
    made = kernel.notices.tell(
        roles=_tuple(fields.get("roles", ("safety_officer", "supervisor"))),
        channels=(target,),
        code=str(fields["code"]),
        params=facts,
        about=about,
        mark=do.run.mark,
        cause=do.runs.cause(do.run),
    )
    do.runs.record(do.run, do.path, "done", refs=tuple(made))


def _tuple(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, tuple | list) else (str(value),)


ACTIONS: dict[str, Callable[[Doing], None]] = {
    "command": _command,
    "permit.hold": _hold,
    "permit.request_release": _request_release,
    "evacuation.start": _evacuate,
    "notify": _notify,
    "broadcast": _broadcast,
    "alarm.raise": _raise,
    "set_shelving": _shelve,
    "task.create": _task,
    "plan.start": _plan,
    "record.clip": _clip,
    "webhook": _webhook,
}
