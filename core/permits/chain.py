"""Who signs a permit, in which order (GB 30871 annex A, table B.1)."""

from collections.abc import Callable, Container
from typing import Final, NamedTuple

from core.api.errors import Refused
from core.people.signing import BY_OTHERS
from core.permits.lifecycle import PermitStatus
from core.permits.pack import Kind, Pack, Phase
from core.permits.state import PermitRecord

#: Slots that the briefing fills, not a signature of their own.
_BRIEFING: Final = ("briefer", "briefed")
#: The slot of the form → what else must be true of its signer.
_LEAD: Final = ("work_lead", "lift_lead")
#: Phase → the step of the life cycle that its signatures are.
STEPS: Final = {
    Phase.SIGN: "sign",
    Phase.START: "sign_start",
    Phase.CLOSE: "sign_close",
}
#: Who may approve in another's place.
DELEGATES: Final = frozenset({"issuer", "safety_officer", "owner"})
#: The pack's setting: from this rank on one person may sign two approvals.
_TWICE, _TWICE_RANK = "approve_twice_rank", 3
Roles = Callable[[str], Container[str]]


class Slot(NamedTuple):
    """One signature that a permit needs."""

    id: str
    role: str
    """The role that the law names."""
    acts_as: frozenset[str]
    """The roles of the hub whose holders may sign."""
    phase: Phase
    approves: bool = False
    on_site: bool = False
    delegable: bool = False
    lead: bool = False
    """Only the person who answers for this work."""


def chain(pack: Pack, kind: Kind) -> tuple[Slot, ...]:
    """Return a kind's slots in their order.

    The last slots before the start are the approvers', whose roles go by the grade.
    """
    form = pack.form(kind.form)
    signatures = form.signatures if form is not None else ()
    own = [s for s in signatures if s.id not in _BRIEFING]
    asked = [(s.id, s.role) for s in own if s.phase is Phase.SIGN]
    short = len(kind.approvers) - len(asked)
    asked += [(f"approver-{n + 1}", "") for n in range(max(short, 0))]
    first = len(asked) - len(kind.approvers)
    slots = []
    for number, (name, role) in enumerate(asked):
        if number < first:
            slots.append(_slot(pack, name, role, Phase.SIGN))
            continue
        approver = kind.approvers[number - first]
        slot = _slot(pack, name, approver.role, Phase.SIGN)
        slots.append(
            slot._replace(
                approves=True,
                on_site=approver.on_site,
                delegable=approver.delegable,
                lead=False,
            )
        )
    later = [s for s in own if s.phase is not Phase.SIGN]
    return (*slots, *(_slot(pack, s.id, s.role, s.phase) for s in later))


def _slot(pack: Pack, name: str, role: str, phase: Phase) -> Slot:
    known = {each.id: frozenset(each.acts_as) for each in pack.roles}
    return Slot(name, role, known.get(role, frozenset()), phase, lead=role in _LEAD)


def unsigned(slots: tuple[Slot, ...], permit: PermitRecord, phase: Phase) -> list[Slot]:
    """Return the slots of a phase that nobody has signed, the next one first."""
    return [s for s in slots if s.phase is phase and s.id not in permit.life.signed]


def due_phase(status: PermitStatus) -> Phase:
    """Return the phase whose signatures a status waits for."""
    if status in (PermitStatus.APPROVED, PermitStatus.BRIEFED):
        return Phase.START
    if status in (PermitStatus.COMPLETED, PermitStatus.EXPIRED):
        return Phase.CLOSE
    return Phase.SIGN


def may_sign(
    slot: Slot, permit: PermitRecord, person_id: str, roles: Container[str]
) -> bool:
    """Say whether a person's own right covers a slot."""
    if slot.lead:
        return person_id == permit.supervisor_id
    return any(role in roles for role in slot.acts_as)


def right(
    slot: Slot, permit: PermitRecord, person_id: str, roles: Roles, for_id: str = ""
) -> str | None:
    """Return whose right a person signs by: '' for the own, None for nobody's.

    Both rights of a delegation are those of today, not of the day it was given.
    """
    if not for_id and may_sign(slot, permit, person_id, roles(person_id)):
        return ""
    given = permit.life.delegated.get(slot.id, {}).get(person_id)
    if given is None or for_id not in ("", given):
        return None
    held = roles(person_id)
    able = any(role in held for role in DELEGATES)
    return given if able and may_sign(slot, permit, given, roles(given)) else None


def check_fit(
    pack: Pack, kind: Kind, slot: Slot, permit: PermitRecord, person_id: str
) -> None:
    """Refuse who may not sign a slot, whatever their roles are.

    The own work is approved, checked and accepted by others (GB 30871 4.11, 4.15,
    table A.1), and approved by as many people as approvals are asked for.
    """
    own = person_id in (permit.supervisor_id, *permit.people())
    if slot.approves:
        _once(pack, kind, permit, person_id)
        lead = person_id == permit.supervisor_id and "supervisor" in slot.acts_as
        barred = own and not lead
    else:
        crew = {*BY_OTHERS, "supervisor"} if slot.phase is Phase.CLOSE else BY_OTHERS
        free = slot.phase is Phase.SIGN or slot.lead
        barred = own and not free and slot.acts_as.isdisjoint(crew)
    if barred:
        raise Refused("permit.own_work", person=person_id)


def _once(pack: Pack, kind: Kind, permit: PermitRecord, person_id: str) -> None:
    """Refuse a second approval by one person, however many roles they have.

    Two approvals are two pairs of eyes. A site may allow it for low grades.
    """
    setting = pack.setting(_TWICE)
    if kind.rank >= (setting.value if setting is not None else _TWICE_RANK):
        return
    for slot in chain(pack, kind):
        given = permit.life.signed.get(slot.id) if slot.approves else None
        if given is not None and given.person_id == person_id:
            raise Refused("permit.approved_twice", person=person_id, slot=slot.id)
