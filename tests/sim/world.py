"""A seed is a run: the whole safety process, its site and its misfortunes."""

import heapq
import itertools
from collections.abc import Callable
from functools import partial
from random import Random

from core.clock import NS, SimClock
from core.journal.simdisk import PowerCut, SimDisk
from tests.sim import site
from tests.sim.checks import Watch
from tests.sim.crew import Crew
from tests.sim.failure import Violation
from tests.sim.field import Gas, Host
from tests.sim.gateway import Replica
from tests.sim.geometer import NAME as GEOMETRY
from tests.sim.geometer import Geometer
from tests.sim.law import NINE_S, LawCrew
from tests.sim.machine import Accepted, Life, audit
from tests.sim.oracle import Oracle
from tests.sim.script import Script

PULSE_S = 4.0
#: Every so many seeds run a site under the law, with its permits at work.
LAWFUL_EACH = 20
#: Kept lines of what the world did, for the report of a failure.
KEPT = 60


class Simulation:
    """Hold one run; `run` plays it to its end and raises `Violation`."""

    def __init__(self, seed: int, steps: int = 70) -> None:
        self.seed, self.steps = seed, steps
        self.law = seed % LAWFUL_EACH == 0
        self.lawful = 0
        """Works under the law that had begun when the misfortunes began."""
        self.random = Random(seed)
        self.clock = SimClock(boot_id=f"boot-{seed}-0")
        self.disk = SimDisk(seed)
        self.told = Accepted()
        self.now_ns = 0
        """Time of the world; the hub's boot time starts anew at a reboot."""
        self.step = 0
        self.story: list[str] = []
        self.life: Life | None = None
        self.lives = 0
        self.boots = 0
        self.disk_failed = False
        """Whether writes have failed, so that a half one lies under another."""
        self.sync_ns = 1_000_000
        """What a write to the disk takes now."""
        self._order = itertools.count()
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self.gas = Gas(self.random)
        devices = [d for _, d in site.meters().values()] + site.boxes()
        tags = [*(site.tag(p) for p in site.ROLES), site.GATE]
        self.field = Host(site.FIELD, devices, self.random, self.later)
        self.tags = Host(site.TAGS, tags, self.random, self.later)
        self.gateway = Replica("gateway", self.random)
        self.notifier = Replica("notifier", self.random)
        self.notifier.later = self.later
        self.geometer = Geometer()
        self.crew = LawCrew(self) if self.law else Crew(self)
        self.oracle = Oracle(self)
        self.field.sent = self.tags.sent = self.oracle.sent
        self.watch = Watch(self)
        self._furnish()

    def _furnish(self) -> None:
        for box in site.boxes():
            for entity in box.entities:
                self.field.values[box.uid, entity.uid] = False
        for person in site.ROLES:
            self.place(person, "yard")

    def place(self, person: str, zone: str) -> None:
        """Put a person somewhere."""
        self.tags.values[f"tag-{person}", "fix"] = zone

    # --- time -----------------------------------------------------------------

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Let something happen in the world after a while."""
        at = self.now_ns + int(seconds * NS)
        heapq.heappush(self._due, (at, next(self._order), act))

    def every(self, seconds: float, act: Callable[[], None]) -> None:
        """Let something happen again and again."""

        def again() -> None:
            self.later(seconds, again)
            act()

        self.later(seconds, again)

    def go(self, seconds: float) -> None:
        """Let time pass, every moment of it in order."""
        end = self.now_ns + int(seconds * NS)
        while (due := self._next_ns()) <= end:
            self._move_to(due)
            self.instant()
        self._move_to(end)
        self.instant()

    def _next_ns(self) -> int:
        due = self._due[0][0]  # the world's own pulse is always there
        if self.life is not None and (own := self.life.next_ns()) is not None:
            due = min(due, self.now_ns + max(own - self.clock.mono_ns(), 0))
        return due

    def _move_to(self, at_ns: int) -> None:
        self.clock.advance_to(self.clock.mono_ns() + max(at_ns - self.now_ns, 0))
        self.now_ns = max(at_ns, self.now_ns)

    def instant(self) -> None:
        """Let all happen that happens now."""
        while self._due and self._due[0][0] <= self.now_ns:
            heapq.heappop(self._due)[2]()
            self.settle()
        self.settle()
        life = self.life
        if life is not None:
            self.guard(self._write)

    def settle(self) -> None:
        """Deliver what was sent and run what is due, and look at what came of it."""
        if self.life is not None:
            self.guard(self.life.turn)
            self.watch.fresh()

    def _write(self) -> None:
        life = self.life
        assert life is not None
        life.wake(self.sync_ns)
        if life.pump_ns is not None and life.pump_ns <= self.clock.mono_ns():
            life.pump(self.sync_ns)
            life.turn()
            self.watch.fresh()

    def guard(self, work: Callable[[], object]) -> None:
        """Do what may meet the power cut; any other exception is a violation."""
        try:
            work()
        except PowerCut:
            self.cut("at a write")
        except Violation:
            raise
        except Exception as error:  # noqa: BLE001 - it becomes the report of the seed
            self.fail("no exception escapes the kernel (§3)", repr(error), error)

    # --- life and death -------------------------------------------------------

    def born(self) -> None:
        """Start the safety process on what is on the disk."""
        if self.life is not None:
            return
        before = self.watch.before_start()
        self.lives += 1
        try:
            life = Life(self.disk, self.clock, self.lives, self.seed, self.told)
            life.start()
        except PowerCut:
            self.cut("during the start")
            return
        except Exception as error:  # noqa: BLE001 - it becomes the report of the seed
            self.fail("the start meets no exception (§5)", repr(error), error)
        self.life = life
        self.oracle.born()
        self.note(f"life {self.lives} begins after seq {before.seq}")
        self.watch.started(before)
        for host in (self.field, self.tags):
            self.guard_connect(host)
        self.gateway.connect(life)
        self.notifier.connect(life)
        self.geometer.connect(life)
        self.settle()

    def guard_connect(self, host: Host) -> None:
        """Let a host that lives open its session."""
        if self.life is not None and host.alive:
            host.connect(self.life)
            self.oracle.linked(host.name)
            self.settle()

    def cut(self, when: str) -> None:
        """Let the process end in the middle of a write: it alone, or all power."""
        power = self.random.random() < 0.6
        self.note(f"{'power cut' if power else 'kill -9'} {when}")
        self.died(power=power)

    def died(self, *, power: bool) -> None:
        """End the process without a word; the power takes the whole box along."""
        self.watch.dying()
        self.life = None
        for peer in (self.field, self.tags):
            peer.ends = []
        for replica in (self.gateway, self.notifier):
            replica.ends, replica.state = [], None
        self.geometer.ends = []
        if power:
            self.disk.restart()
            self.boots += 1
            self.clock.reboot(f"boot-{self.seed}-{self.boots}")
        else:
            self.disk.generation += 1
            self.disk.crash_at = None
        self.later(self.random.uniform(0.2, 12), self.born)

    def stop(self) -> None:
        """End the process in order."""
        life = self.life
        if life is None:
            return
        try:
            clean = life.all.end()
        except PowerCut:
            self.cut("during the stop")
            return
        self.watch.fresh()
        self.note(f"stopped, {'clean' if clean else 'not clean'}")
        self.died(power=False)

    # --- the run --------------------------------------------------------------

    def run(self) -> None:
        """Play the seed's run to its end."""
        if self.law:
            self.clock.step_wall(NINE_S)
        self.every(PULSE_S, self._pulse)
        self.every(1.0, self._second)
        self.every(2.0, self._beat)
        self.every(0.7, self._between)
        self.born()
        script = Script(self)
        script.open()
        for step in range(1, self.steps + 1):
            self.step = step
            script.next()
            self.watch.full()
        script.close()
        self.watch.full()
        self.step += 1
        self.stop()
        self.watch.verified(audit(self.disk))

    def _pulse(self) -> None:
        self.field.report(self.gas.facts())
        self.field.tell_states(self.gas.silent)
        self.tags.tell_states(self.gas.silent)

    def _second(self) -> None:
        if self.life is not None:
            self.geometer.beat()
            self.life.all.desk.live()
            self.life.all.states()
            self.settle()
            if self.life is not None:
                self.life.kernel.readings.drain_history()
                self.watch.sample()

    def _between(self) -> None:
        """Look between the reports too: what was well then was not bad all along."""
        if self.life is not None:
            self.watch.glance()

    def _beat(self) -> None:
        if self.life is None:
            return
        self.life.all.pulse.beat()
        for peer in self.life.restarts:
            if peer == GEOMETRY:
                self.geometer.drop()
                self.geometer.connect(self.life)
                continue
            host = self.field if peer == self.field.peer else self.tags
            self.note(f"{peer} started afresh")
            host.die()
            self.later(1.0, partial(self.revive, host))
        self.life.restarts.clear()

    def revive(self, host: Host) -> None:
        """Start a host process again."""
        host.alive, host.hanging = True, False
        self.guard_connect(host)

    # --- reports --------------------------------------------------------------

    def note(self, text: str) -> None:
        """Write down what the world did."""
        self.story.append(f"{self.now_ns / NS:10.3f} step {self.step}: {text}")
        del self.story[:-KEPT]

    def fail(self, rule: str, found: str, error: Exception | None = None) -> None:
        """Report a broken promise with all that led to it."""
        raise Violation(
            self.seed, self.step, rule, found, self.story, self.told.log
        ) from error
