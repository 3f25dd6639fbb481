"""Who signs a permit, in which order (GB 30871 annex A, table B.1)."""

from collections.abc import Container
from typing import Final, NamedTuple

from core.permits.lifecycle import PermitStatus
from core.permits.pack import Kind, Pack, Phase
from core.permits.state import PermitRecord

#: Slots that the briefing fills, not a signature of their own.
_BRIEFING: Final = ("briefer", "briefed")
#: The slot of the form → what else must be true of its signer.
_LEAD: Final = ("work_lead", "lift_lead")


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
