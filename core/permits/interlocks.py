"""Interlocks: what must be TRUE while people work (design §5 Permits)."""

from collections.abc import Callable
from typing import NamedTuple

from core.api.quality import Quality
from core.api.reading import Reading
from core.config import PermitKind, Quantity, Retest
from core.hub import Hub
from core.logic.truth import Truth
from core.people.people import People
from core.permits.lifecycle import PREPARING, PermitStatus
from core.permits.pack import Action, Phase
from core.permits.pack_rules import Breach, evaluate
from core.permits.packs import Packs, Ruled
from core.permits.sources import Facts
from core.permits.state import PermitRecord
from core.readings.readings import Readings
from core.response.roll_state import EvacuationRecord
from core.site.site import Site

#: Marks of alarms that are no hazard: they hold nothing and prove nothing.
MARKS = ("TEST", "DRILL")


class Finding(NamedTuple):
    """Say whether an interlock holds, and why not as a short code."""

    truth: Truth
    why: str = ""
    breach: Breach | None = None
    """The rule of the law behind it, where there is one."""


TRUE = Finding(Truth.TRUE)
Findings = dict[str, Finding]


def not_true(findings: Findings) -> Findings:
    """Return the interlocks that are not TRUE, FALSE ones first."""
    bad = [item for item in findings.items() if item[1].truth is not Truth.TRUE]
    return dict(sorted(bad, key=lambda item: item[1].truth is not Truth.FALSE))


def describe(findings: Findings) -> str:
    """Return findings as ``name=truth(why)`` for a refusal's parameters."""
    return "; ".join(
        f"{name}={found.truth.name.lower()}({found.why})"
        for name, found in findings.items()
    )


def passes(quantity: Quantity | None, reading: Reading) -> bool:
    """Say whether a GOOD reading lies within a quantity's acceptance limits."""
    if quantity is None or reading.quality is not Quality.GOOD:
        return False
    value = reading.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    low, high = quantity.accept_above, quantity.accept_below
    if low is None and high is None:
        return False
    return (low is None or value >= low) and (high is None or value <= high)


class Interlocks:
    """Judge a permit's interlocks; pure of events and time-outs."""

    def __init__(
        self,
        hub: Hub,
        site: Site,
        readings: Readings,
        people: People,
        packs: Packs,
        facts: Facts,
    ) -> None:
        self.hub, self._site = hub, site
        self._readings, self._people = readings, people
        self.packs, self.facts = packs, facts
        self.works: Callable[[str], bool] = lambda _person: True
        """Says whether a person is a worker on an open permit; permits set it."""
        self._bases: dict[tuple[str, str], PermitKind] = {}
        self._leave: dict[tuple[str, str], frozenset[str]] = {}
        """(pack, kind) → the facts of the rules that clear a zone."""
        self.kinds: dict[str, PermitKind] = {}
        self.quantities: dict[str, Quantity] = {}

    def arm(self) -> None:
        """Derive the tables of kinds and quantities from the bundle."""
        bundle = self.hub.bundle
        self.kinds = {kind.id: kind for kind in bundle.permit_kinds}
        self.quantities = {quantity.id: quantity for quantity in bundle.quantities}

    def judge(self, permit: PermitRecord, phase: Phase = Phase.RUN) -> Findings:
        """Return every interlock of a permit with its truth and reason."""
        kind = self.kind(permit)
        if kind is None:
            return {"kind": Finding(Truth.UNKNOWN, "kind_removed")}
        found = {
            "valid": self._valid(permit),
            "alarm": self._alarm(permit.zone_id),
            "evacuation": self._evacuation(permit.zone_id),
            "monitored": self._monitored(permit.zone_id),
            "people": self._known(permit),
            "linked": self._linked(permit),
            "journal": self._understood(permit.zone_id),
        }
        if self.hub.state.hub.power_end is not None:
            found["power"] = Finding(Truth.FALSE, "ending")
        if permit.life.pack:
            found.update(self.lawful(permit, phase))
            return found
        if kind.guardian:
            found["guardian"] = self._guardian(permit)
        for quantity in kind.gases:
            found[f"gas.{quantity}"] = self._gas(permit.zone_id, quantity, kind)
        return found

    def kind(self, permit: PermitRecord) -> PermitKind | None:
        """Return what a permit's kind demands, by the version that it pins."""
        if not permit.life.pack:
            return self.kinds.get(permit.kind)
        ruled = self.packs.kind(permit)
        if ruled is None:
            return None
        key = (permit.life.pack, permit.kind)
        if key not in self._bases:
            self._bases[key] = _base(ruled)
        return self._bases[key]

    def lawful(self, permit: PermitRecord, phase: Phase) -> Findings:
        """Return the rules of a permit's pack that do not permit in a phase."""
        ruled = self.packs.kind(permit)
        if ruled is None:
            return {"kind": Finding(Truth.UNKNOWN, "pack_unreadable")}
        asked = ruled.rules.facts[phase]
        facts = self.facts.of(permit, ruled.kind, ruled.pack, asked)
        return {
            f"rule.{breach.rule}": Finding(breach.truth, breach.clause, breach)
            for breach in evaluate(ruled.kind, ruled.rules, facts, phase)
        }

    def leaving(self, permit: PermitRecord) -> Findings:
        """Return the rules that clear a permit's zone now; asks no other fact."""
        ruled = self.packs.kind(permit)
        if ruled is None:
            return {}
        rules, key = ruled.rules, (permit.life.pack, permit.kind)
        if key not in self._leave:
            self._leave[key] = frozenset().union(
                *(
                    rules.reads[rule.id]
                    for rule, _ in rules.by_phase[Phase.RUN]
                    if Action.EVACUATE in (rule.on_breach, rule.on_unknown)
                )
            )
        facts = self.facts.of(permit, ruled.kind, ruled.pack, self._leave[key])
        return {
            f"rule.{breach.rule}": Finding(breach.truth, breach.clause, breach)
            for breach in evaluate(ruled.kind, rules, facts, Phase.RUN)
            if breach.action is Action.EVACUATE
        }

    def spoilt(self, permit: PermitRecord) -> Findings:
        """Return what says that the air is not as it was tested, people or none."""
        found: Findings = {}
        # Without a place: a worn meter whose wearer nobody can find may be here.
        for alarm in self.hub.state.alarms.places.of("gas", permit.zone_id, None):
            if alarm.life_safety and alarm.active and alarm.mark not in MARKS:
                found["alarm"] = Finding(Truth.FALSE, alarm.kind)
        if permit.life.pack:
            found |= self.leaving(permit)
        elif (kind := self.kind(permit)) is not None:
            for quantity in kind.gases:
                found[f"gas.{quantity}"] = self._gas(permit.zone_id, quantity, kind)
        return {n: f for n, f in found.items() if f.truth is Truth.FALSE}

    def manned(self, permit: PermitRecord) -> bool:
        """Say whether anybody may be inside under a legal permit that had begun."""
        if not permit.life.pack or permit.life.started is None or permit.ended:
            return False
        if permit.status is PermitStatus.ACCEPTED:
            return False
        if permit.entries.people:
            return True
        zone_id = permit.zone_id
        return any(
            self._people.in_zone(each, zone_id) is not Truth.FALSE
            for each in permit.workers
        )

    def _valid(self, permit: PermitRecord) -> Finding:
        clock = self.hub.clock
        left = permit.valid.remaining_ns(clock)
        if left is not None and left <= 0:
            return Finding(Truth.FALSE, "expired")
        if left is None or not clock.synced():
            return Finding(Truth.UNKNOWN, "clock_untrusted")
        return TRUE

    def _alarm(self, zone_id: str) -> Finding:
        found = TRUE
        for alarm in self.hub.state.alarms.places.vital(zone_id, None):
            warns = alarm.stands and alarm.mark not in MARKS
            if warns and alarm.zone_id == zone_id:
                return Finding(Truth.FALSE, alarm.kind)
            if warns and alarm.zone_id is None and alarm.kind.startswith("gas."):
                # A worn meter whose wearer nobody can find: it may be here.
                found = Finding(Truth.UNKNOWN, alarm.kind)
        return found

    def _evacuation(self, zone_id: str) -> Finding:
        if running_in(self.hub, zone_id):
            return Finding(Truth.FALSE, "running")
        return TRUE

    def _monitored(self, zone_id: str) -> Finding:
        if self._site.zone(zone_id) is None:
            return Finding(Truth.UNKNOWN, "zone_removed")
        if self._readings.supervision.blind(zone_id, self.hub.clock.mono_ns()):
            return Finding(Truth.UNKNOWN, "unmonitored")
        return TRUE

    def _known(self, permit: PermitRecord) -> Finding:
        issuer = (permit.issuer_id,) if permit.issuer_id else ()
        for person_id in (*issuer, permit.supervisor_id, *permit.workers):
            if not self._people.access.known(person_id):
                return Finding(Truth.FALSE, f"unknown {person_id}")
        return TRUE

    def _guardian(self, permit: PermitRecord) -> Finding:
        guardian = permit.guardian_id
        if not guardian or not self._people.access.known(guardian):
            return Finding(Truth.FALSE, "none")
        if guardian in permit.workers or self.works(guardian):
            return Finding(Truth.FALSE, "works")
        truth = self._people.on_site(guardian)
        why = {Truth.FALSE: "away", Truth.UNKNOWN: "not_located"}
        return Finding(truth, why.get(truth, ""))

    def _linked(self, permit: PermitRecord) -> Finding:
        worst = TRUE
        for permit_id in permit.linked:
            other = self.hub.state.permits.permits.get(permit_id)
            if other is None:
                return Finding(Truth.FALSE, f"missing {permit_id}")
            if other.status is PermitStatus.VERIFYING:
                worst = Finding(Truth.UNKNOWN, f"verifying {permit_id}")
            elif other.life.pack and other.status in PREPARING:
                continue  # whether it must be issued by now is for the law's rules
            elif other.status is not PermitStatus.ACTIVE:
                return Finding(Truth.FALSE, f"{other.status} {permit_id}")
        return worst

    def _understood(self, zone_id: str) -> Finding:
        for name, zone in self.hub.state.unknown_protective.items():
            if zone in ("", zone_id):
                return Finding(Truth.FALSE, name)
        return TRUE

    def _gas(self, zone_id: str, quantity: str, kind: PermitKind) -> Finding:
        truth = self._readings.acceptable(zone_id, quantity, kind.gas_age_s)
        if truth is Truth.TRUE:
            if not self.hub.clock.synced():
                return Finding(Truth.UNKNOWN, "clock_untrusted")
            return TRUE
        meters = self._readings.current(zone_id, quantity)
        bad = [m for m in meters if m.quality is not Quality.GOOD]
        if not meters:
            return Finding(truth, "no_meter")
        if truth is Truth.UNKNOWN and bad:
            return Finding(truth, bad[0].quality.name.lower())
        return Finding(truth, "not_acceptable")


def _base(ruled: Ruled) -> PermitKind:
    """Return what a pack's kind means for holds; its rules say all the rest."""
    kind, pack = ruled.kind, ruled.pack
    approvers = {each.role for each in kind.approvers}
    acting = [role.acts_as for role in pack.roles if role.id in approvers]
    roles = {"safety_officer"}.union(*acting)
    return PermitKind(
        id=kind.id,
        names=kind.names,
        safe_state=kind.safe_state[0].removeprefix("order."),
        guardian=kind.guardian.required,
        valid_h=pack.hours(kind) or 0.0,
        reaction_s=kind.reaction_s,
        retest=Retest(gases=kind.gas.gases if kind.gas else (), roles=tuple(roles)),
        clause=kind.clause,
    )


def running_in(hub: Hub, zone_id: str) -> EvacuationRecord | None:
    """Return the running evacuation of a zone, if any."""
    for record in hub.state.response.evacuations.values():
        if not record.cleared_wall_ns and zone_id in record.zones:
            return record
    return None
