"""What every desk for permits stands on: the rooms it asks and the law it keeps."""

from collections.abc import Callable

from core.api.errors import Refused
from core.api.reading import Value
from core.clock import NS
from core.journal.envelope import Cause
from core.logic.truth import Truth
from core.people.access import Access
from core.people.people import People
from core.people.places import Found, Places
from core.people.signing import statement
from core.permits import lifecycle
from core.permits.interlocks import Findings, Interlocks, not_true
from core.permits.life_events import PermitDenied
from core.permits.life_facts import LifeFacts
from core.permits.pack import Kind, Pack, Phase
from core.permits.packs import Ruled
from core.permits.state import PermitRecord
from core.site.site import Site

#: Breaches that one refusal names; the view shows all.
_NAMED = 8
Untested = Callable[[PermitRecord, Kind, Pack, int], list[str]]


def _everything(
    _permit: PermitRecord, kind: Kind, _pack: Pack, _since_seq: int
) -> list[str]:
    return list(kind.gas.gases) if kind.gas is not None else []


def _named(bad: Findings) -> str:
    """Return breaches as rule, truth and clause, the gravest first."""
    told = [
        f"{name.removeprefix('rule.')}={found.truth.name.lower()}({found.why})"
        for name, found in bad.items()
    ]
    more = len(told) - _NAMED
    return "; ".join(told[:_NAMED]) + (f"; +{more}" if more > 0 else "")


class Bench:
    """Find permits, their rules and their people; refuse what the law forbids."""

    def __init__(
        self,
        access: Access,
        site: Site,
        people: People,
        places: Places,
        judge: Interlocks,
        life: LifeFacts,
    ) -> None:
        self.hub, self.access, self.site = judge.hub, access, site
        self.people, self.places = people, places
        self.judge, self.life = judge, life
        self.empty: Callable[[PermitRecord], Truth] = lambda _permit: Truth.UNKNOWN
        """Says whether nobody and nothing is left where people are counted in."""
        self.untested: Untested = _everything
        """Says which gases lack a passing test since an event."""

    def get(self, permit_id: str) -> PermitRecord:
        """Return a permit; refuses an unknown one."""
        permit = self.hub.state.permits.permits.get(permit_id)
        if permit is None:
            raise Refused("permit.unknown", permit=permit_id)
        return permit

    def at(self, permit_id: str, step: str) -> PermitRecord:
        """Return a legal permit that may take a step now."""
        permit = self.get(permit_id)
        if not permit.life.pack:
            raise Refused("permit.one_step", kind=permit.kind)
        lifecycle.check(step, permit.status)
        return permit

    def ruled(self, permit: PermitRecord) -> Ruled:
        """Return the pack and kind that a permit pins."""
        ruled = self.judge.packs.kind(permit)
        if ruled is None:
            raise Refused("permit.pack_unreadable", permit=permit.id)
        return ruled

    def today(self, kind_id: str) -> tuple[str, Ruled]:
        """Return the version of a kind that a new permit pins, and its rules."""
        digest = self.judge.packs.current(kind_id)
        ruled = self.judge.packs.kind((digest, kind_id)) if digest else None
        if digest is None or ruled is None:
            raise Refused("permit.kind_unknown", kind=kind_id)
        return digest, ruled

    def own_key(self, cause: Cause, verb: str) -> None:
        """Refuse what no terminal and no witness may sign for a person."""
        told = statement(cause)
        if told is None:
            raise Refused("signature.required", verb=verb)
        if told.method != "key":
            raise Refused("signature.own_key_needed", verb=verb)

    def known(self, *people: str) -> None:
        """Refuse people whom the site does not know."""
        for person_id in people:
            if not self.access.known(person_id):
                raise Refused("permit.person_unknown", person=person_id)

    def lawful(
        self, permit: PermitRecord, phase: Phase, actor: str, step: str, cause: Cause
    ) -> None:
        """Refuse a step that a rule or an interlock does not permit now."""
        if phase in (Phase.START, Phase.RESUME):
            found = self.judge.judge(permit, phase)
        else:
            found = self.judge.lawful(permit, phase)
        bad = not_true(found)
        if not bad:
            return
        codes = [f.breach.alarm for f in bad.values() if f.breach is not None]
        aq = tuple(dict.fromkeys(code for code in codes if code))
        denied = PermitDenied(
            permit_id=permit.id, person_id=actor, step=step, rules=tuple(bad), aq=aq
        )
        self.hub.emit(denied, cause)
        raise Refused("permit.rule", bad=_named(bad), aq=", ".join(aq))

    def owed(self, permit: PermitRecord) -> list[str]:
        """Return the gases that the holds owe a passing test since they began."""
        asking = [held.seq for held in permit.holds.values() if held.hold.retest]
        if not asking:
            return []
        ruled = self.ruled(permit)
        return self.untested(permit, ruled.kind, ruled.pack, max(asking))

    def guardian_releases(self, permit: PermitRecord) -> bool:
        """Say whether the guardian may release: nothing but an unclean stop holds it.

        Design §5 After a stop. Every other hold is for those whom the kind names.
        """
        codes = {held.hold.code for held in permit.holds.values()}
        return codes == {lifecycle.RESTART}

    # --- place and people -----------------------------------------------------

    def spot(self, zone_id: str, cause: Cause) -> Found:
        """Say whether who acts is at a zone or right beside it, and how it is known."""
        near = (zone_id, *sorted(self.site.neighbours(zone_id)))
        found = [self.places.of(cause, each) for each in near]
        order = (Truth.TRUE, Truth.UNKNOWN, Truth.FALSE)
        return min(found, key=lambda each: order.index(each.truth))

    def outside(self, permit: PermitRecord, *people: str) -> None:
        """Refuse while people are, or may be, inside a permit's zone."""
        found: dict[Truth, list[str]] = {truth: [] for truth in Truth}
        for person_id in people:
            found[self.people.in_zone(person_id, permit.zone_id)].append(person_id)
        if found[Truth.TRUE]:
            raise Refused("permit.people_inside", people=", ".join(found[Truth.TRUE]))
        if found[Truth.UNKNOWN]:
            unknown = ", ".join(found[Truth.UNKNOWN])
            raise Refused("permit.people_unknown", people=unknown)

    def counted_out(self, permit: PermitRecord) -> None:
        """Refuse while not everyone has left the place of a permit (6.8, H14)."""
        self.outside(permit, *permit.workers)
        ruled = self.judge.packs.kind(permit) if permit.life.pack else None
        if ruled is not None and "count_inside" in ruled.rules.facts[Phase.CLOSE]:
            if self.empty(permit) is not Truth.TRUE:
                inside = (*permit.entries.people, *permit.entries.tools)
                raise Refused("permit.count_inside", left=", ".join(inside))

    def early_ns(self, permit: PermitRecord) -> int:
        """Return how long before its planned time a permit may be started."""
        return 0 if not permit.life.emergency else permit.life.to_wall_ns

    def wall_ms(self) -> float:
        """Return the wall clock in milliseconds."""
        return self.hub.clock.wall_ns() / (NS / 1000)


Answer = dict[str, Value]
Holder = Callable[..., str | None]
