"""What must hold at every moment of every run; each promise names its clause."""

from typing import TYPE_CHECKING

from core import state as states
from core.api.reading import Value
from core.clock import NS
from core.journal import envelope as envelopes
from core.journal import fold
from core.journal.audit import Report
from core.journal.envelope import Effect, Envelope
from core.journal.events import Event
from core.people.acts import ClaimHub
from core.permits.entries_events import EntryOut
from core.permits.events import PermitIssued, PermitReleased, PermitVerified
from core.permits.life_events import PermitEvent, PermitStarted
from core.permits.lifecycle import PermitStatus
from core.permits.state import PermitRecord
from core.response.state import NoticeRecord
from core.state import SiteState
from tests.sim import events, site
from tests.sim.crew import permissive
from tests.sim.field import deadly
from tests.sim.machine import Life, stored
from tests.sim.oracle import LAWFUL_S
from tests.sim.restarts import compare

if TYPE_CHECKING:
    from tests.sim.world import Simulation

#: A level is evaluated each second; so long may a permit wait for its hold.
TICK_S = 1.5
#: Events of one instant, and of a minute in which nothing happens.
MAX_AT_ONCE, MAX_AT_REST = 900, 120
_OPEN = (PermitStatus.ACTIVE, PermitStatus.VERIFYING)
_REACTION_S = {"confined": site.REACTION_S, "hot": site.REACTION_S / 2}
#: Rules of a guardian's place: a lost fix is asked about first (H2).
_PLACED = ("rule.H2", "rule.H14", "rule.S7")
_PLACED_S = 60.0
_FOUND = ("accounted", "rescue")
Row = tuple[tuple[str, str], Value, int]


class Watch:
    """Hold the run against the promises."""

    def __init__(self, world: "Simulation") -> None:
        self._world = world
        self._bad_since: dict[tuple[str, str, str], int] = {}
        """(permit, interlock, truth) → world time since when it is so."""
        self._due: list[tuple[str, str]] = []
        """Points whose next delivery must raise an alarm at once."""
        self._at_rest = 0
        self._armed = False
        self._hurt = False
        """Failing writes upon each other left what looks like damage behind the last
        durable event: told louder than it is, and `before_start` lost nothing."""
        self._since: dict[str, int] = {}
        """Command or notice → world time since when this life knows it open."""
        self._seq = 0

    def _fail(self, rule: str, found: object) -> None:
        self._world.fail(rule, str(found))

    # --- events ---------------------------------------------------------------

    def fresh(self) -> None:
        """Judge what was accepted since the last look."""
        told = self._world.told
        fresh, told.fresh = told.fresh, []
        if len(fresh) > MAX_AT_ONCE:
            self._fail("no loops: emissions are bounded (§8)", len(fresh))
        for body, envelope in fresh:
            self._seq += 1
            self._event(body, envelope)
            life = self._world.life
            if life is not None:
                log = told.log[: envelope.seq - 1]
                for rule, found in events.judge(body, log, life):
                    self._fail(rule, found)
        self._answers()

    def _event(self, body: Event, envelope: Envelope) -> None:
        kind = str(getattr(body, "kind", ""))
        if envelope.type == "alarm.raised" and kind in ("fault.rule", "fault.core"):
            self._fail("no rule and no room errs (§5 Rules)", body)
        if envelope.effect is Effect.PERMISSIVE:
            self._permissive(body, envelope)

    def _permissive(self, body: Event, envelope: Envelope) -> None:
        by = envelope.cause.actor
        if not by.startswith("person:") and not isinstance(body, PermitVerified):
            off = envelope.type in ("alarm.service",) and not getattr(body, "out", True)
            # A gate counts people out of a space as it counts them in.
            counted = isinstance(body, EntryOut) and body.by == "gate"
            if not off and not counted:
                self._fail("only a person permits (§5)", f"{envelope.type} by {by}")
        if isinstance(body, PermitEvent | PermitReleased) and self._world.law:
            if envelope.cause.proof is None:
                self._fail("what the law permits is signed (§5 Security)", body)
        if isinstance(body, PermitReleased | PermitIssued | PermitStarted):
            self._safe_to_work(body)

    def _safe_to_work(
        self, body: PermitReleased | PermitIssued | PermitStarted
    ) -> None:
        state = self._state()
        permit = state.permits.permits[body.permit_id]
        gas = [
            a.id
            for a in state.alarms.open.values()
            if a.zone_id == permit.zone_id
            and a.active
            and a.life_safety
            and a.mark == ""
        ]
        running = [
            e.id
            for e in state.response.evacuations.values()
            if not e.cleared_wall_ns and permit.zone_id in e.zones
        ]
        if gas or running:
            self._fail("work never begins in a hazard (§5 Permits)", (gas, running))

    def _answers(self) -> None:
        world = self._world
        gateway = world.gateway
        if gateway.twice:
            self._fail("an act is answered once (§5)", gateway.twice)
        for number in list(gateway.replies):
            reply = gateway.replies.pop(number)
            asked = world.crew.asked.pop(number, None)
            if asked is None:
                continue
            if reply.ok and not asked.allowed:
                self._fail("roles are checked in core (§5 Security)", asked)
            if not permissive(asked.act):
                continue
            if reply.ok:
                world.told.durable = max(world.told.durable, reply.seq)
                world.crew.owned |= isinstance(asked.act, ClaimHub)
                on_disk = world.life.ledger.durable_seq if world.life else 0
                if reply.seq > on_disk:
                    self._fail("permissive acts wait for durable (§2)", reply)
            if reply.ok and not asked.healthy:
                self._fail("a dead disk permits nothing (§2)", asked)
        for replica in (gateway, world.notifier):
            world.told.durable = max(world.told.durable, replica.durable)

    # --- readings and alarms --------------------------------------------------

    def hear(self, rows: list[Row]) -> None:
        """Take note of rows that are about to be delivered."""
        world = self._world
        if world.life is not None and world.field.heard:
            world.oracle.sent(rows)
        self._due = [point for point, value, q in rows if deadly(point[1], value, q)]

    def alarmed(self) -> None:
        """See that deadly rows have had all their effects in this very instant."""
        world, due, self._due = self._world, self._due, []
        life = world.life
        if life is None or not world.field.heard or not due:
            return
        if not life.hub.state.hub.config_hash:
            return
        for uid, gas in due:
            zone = world.gas.zone[uid]
            entity = life.kernel.registry.find(site.FIELD, uid, gas)
            condition = "low" if gas == "o2" else "high"
            record = life.kernel.alarms.find(f"entity:{entity}", condition)
            if record is None or not record.active:
                self._fail("beyond a limit alarms at once (§5 Truth)", (uid, gas))
            self._responded(life, zone)

    def _responded(self, life: Life, zone: str) -> None:
        state = life.hub.state
        for permit in state.permits.permits.values():
            if permit.zone_id == zone and permit.status in _OPEN:
                self._fail("a gas alarm holds its zone (R12)", permit)
        running = life.kernel.evacuations.running(zone)
        if not running:
            self._fail("a gas alarm clears its zone (R12)", zone)
        if zone in state.response.silenced:
            return
        siren = life.kernel.registry.find(site.FIELD, f"box-{zone}", "siren")
        last = state.response.outputs.get(siren or "")
        if last is None or last.value is not True:
            self._fail("a gas alarm sounds its siren (R12)", last)

    # --- states ---------------------------------------------------------------

    def _state(self) -> SiteState:
        assert self._world.life is not None
        return self._world.life.hub.state

    def sample(self) -> None:
        """Look at what must hold at each second."""
        life = self._world.life
        if life is None:
            return
        hub = life.hub.state.hub
        self._armed |= bool(hub.config_hash) and life.ledger.durable_seq > 0
        if self._armed and not hub.config_hash:
            self._fail("the last good bundle stays armed (R8)", hub)
        self._permits(life)
        self._deadlines(life)
        self._disk(life)
        if lost := self._world.oracle.lost(life):
            self._fail("a silent meter is a fault (R4)", lost)

    def glance(self) -> None:
        """Look at the permits alone."""
        if self._world.life is not None:
            self._permits(self._world.life)

    def full(self) -> None:
        """Look at all, after a step."""
        life = self._world.life
        if life is None:
            return
        self.sample()
        mine = life.hub.snapshot()
        for replica in (self._world.gateway, self._world.notifier):
            if replica.state is not None and states.dump(replica.state) != mine:
                self._fail("state is a fold: replicas are equal (§2)", replica.name)

    def _permits(self, life: Life) -> None:
        now, found = self._world.now_ns, set()
        for permit in life.hub.state.permits.permits.values():
            if permit.status is not PermitStatus.ACTIVE:
                continue
            if why := self._world.oracle.unproven(permit):
                self._fail("ACTIVE needs fresh GOOD evidence (§5 Permits)", why)
            for name, truth in life.kernel.permits.interlocks(permit.id).items():
                if truth.name == "TRUE":
                    continue
                key = (permit.id, name, truth.name)
                found.add(key)
                since = self._bad_since.setdefault(key, now)
                reaction = _reaction_s(permit, name) if truth.name == "UNKNOWN" else 0
                if now - since > (reaction + TICK_S) * NS:
                    self._fail(
                        "ACTIVE only while every interlock is TRUE (§5 Permits)",
                        (permit.id, permit.status, name, truth),
                    )
        for key in self._bad_since.keys() - found:
            del self._bad_since[key]

    def _deadlines(self, life: Life) -> None:
        """See that what has a deadline ends by it, counted in time that the hub ran."""
        response, now = life.hub.state.response, self._world.now_ns
        answered = {
            _step(n) for n in response.notices.values() if n.acknowledged or n.escalated
        }
        open_ = {c.id: c.deadline for c in response.commands.values()}
        for notice in response.notices.values():
            if notice.respond is not None and _step(notice) not in answered:
                open_[notice.id] = notice.respond
        for record in response.evacuations.values():
            missing = any(e.status not in _FOUND for e in record.roll.values())
            waiting = missing and not record.late_called and not record.cleared_wall_ns
            if waiting and record.late is not None:
                open_[record.id] = record.late
        for key in self._since.keys() - open_.keys():
            del self._since[key]
        for key, deadline in open_.items():
            since = self._since.setdefault(key, now)
            if now - since > deadline.duration_ns + TICK_S * NS:
                self._fail("commands end, notices escalate, in time (§5, R13)", key)

    def _disk(self, life: Life) -> None:
        if life.ledger.down:
            log, durable = self._world.told.log, life.ledger.durable_seq
            for rule, found in events.unproven(life.hub.state, log, durable):
                self._fail(rule, found)
        standing = life.kernel.alarms.active(kind_prefix="fault.disk")
        if life.ledger.down and not standing:
            self._fail("a dead disk is a fault (§2)", life.ledger.down)

    # --- death and return -----------------------------------------------------

    def dying(self) -> None:
        """Take what was told to the outside, before the process is gone."""
        self.fresh()
        self._bad_since.clear()
        self._since.clear()
        self._world.crew.asked.clear()

    def before_start(self) -> SiteState:
        """Hold the disk against what was accepted; return what it tells."""
        world, state = self._world, SiteState()
        found = list(stored(world.disk))
        if len(found) < world.told.durable:
            gone = (len(found), world.told.durable)
            self._fail("what was called durable is there (§2)", gone)
        world.told.found(found)
        for data, (body, _, accepted) in zip(found, world.told.log, strict=False):
            if data != accepted:
                self._fail("the journal is what was accepted (§5 Journal)", body)
            fold.replay(state, envelopes.decode(data))
        if len(found) > len(world.told.log):
            self._fail("nothing appears from nowhere (§5 Journal)", len(found))
        for host in (world.field, world.tags):
            lost = [e for e in host.durable if e not in state.hub.reported]
            if lost and len(state.hub.reported) < 2000:
                self._fail("acknowledged device events are there (R2)", lost)
        return state

    def started(self, before: SiteState) -> None:
        """Look at what a start has made of the journal."""
        life, world = self._world.life, self._world
        assert life is not None
        self._hurt |= bool(life.ledger.damages)
        if life.ledger.damages and not world.disk_failed:
            self._fail("a torn tail is told from damage (§5)", life.ledger.damages)
        fresh = [pair[0] for pair in world.told.fresh]
        again = SiteState()
        for _, _, data in world.told.log:
            fold.replay(again, envelopes.decode(data))
        if states.dump(again) != life.hub.snapshot():
            self._fail("state is a fold, snapshots only a cache (§5)", "differs")
        for rule, found in compare(before, life, fresh):
            self._fail(rule, found)
        self.fresh()

    # --- the end --------------------------------------------------------------

    def rest(self) -> None:
        """Begin to count what happens while nothing happens."""
        self._at_rest = self._seq

    def rested(self) -> None:
        """See that the site came to rest."""
        count = self._seq - self._at_rest
        if count > MAX_AT_REST:
            self._fail("no loops: a quiet site is quiet (§8)", count)
        for host in (self._world.field, self._world.tags):
            if self._world.life is not None and host.heard and host.owed:
                self._fail("device events become durable (§2)", list(host.owed))

    def verified(self, report: Report) -> None:
        """Take what an inspector found."""
        if not report.ok and not self._hurt:
            self._fail("chain unbroken, verify passes (§5 Journal)", report.findings)


def _reaction_s(permit: PermitRecord, name: str) -> float:
    """Return how long an interlock may be UNKNOWN while a permit is ACTIVE."""
    if not permit.life.pack:
        return _REACTION_S[permit.kind]
    return _PLACED_S if name.startswith(_PLACED) else LAWFUL_S


def _step(notice: NoticeRecord) -> tuple[str, str, int, str]:
    """Return what notices of one step share: one answer is enough for all."""
    return notice.chain, notice.about, notice.level, notice.code
