"""What befalls the simulated site: gas, silence, crashes, bad disks, bad clocks."""

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING

from core.api.quality import Quality
from core.link import messages as m
from core.people.acts import ClaimHub
from core.processes.acts import ArmConfig
from tests.sim import site
from tests.sim.crew import OWNER
from tests.sim.field import GARBAGE, MOODS

if TYPE_CHECKING:
    from tests.sim.world import Simulation

CODES = (errno.ENOSPC, errno.EIO, errno.EROFS)
#: Times between two events; mostly short, so that they fall into each other.
_PAUSES = (0.0, 0.0, 0.01, 0.3, 1.0, 2.5, 5.0, 11.0, 31.0)
Deed = Callable[["Script"], None]


class Script:
    """Choose what happens next."""

    def __init__(self, world: "Simulation") -> None:
        self._world, self._random = world, world.random
        # Each seed has a nature of its own: some never lose power, some always.
        self._deeds = [d for d, weight in _DEEDS for _ in range(self._weight(weight))]

    def _weight(self, usual: int) -> int:
        return round(usual * self._random.choice((0, 0.5, 1, 1, 1, 2)))

    # --- frame ----------------------------------------------------------------

    def open(self) -> None:
        """Claim the hub, arm the site, begin to work."""
        world = self._world
        for _ in range(20):
            world.go(1.0)
            if not world.crew.owned:
                world.crew.ask(OWNER, ClaimHub())
            elif world.life and not world.life.hub.state.hub.config_hash:
                world.crew.ask(OWNER, ArmConfig(hash=world.crew.good[0]))
            else:
                break
        world.go(9.0)
        world.crew.begin()

    def next(self) -> None:
        """Let one thing happen, and some time pass."""
        deed = self._random.choice(self._deeds) if self._deeds else Script.act
        deed(self)
        self._world.settle()
        self._world.go(self._random.choice(_PAUSES))

    def close(self) -> None:
        """Put all right and see that the site comes to rest."""
        world = self._world
        self.heal()
        for host in (world.field, world.tags):
            if not host.heard:
                world.revive(host)
        world.gas.calm()
        world.field.moods.clear()
        world.go(30.0)
        world.crew.tidy()
        world.go(40.0)
        world.watch.rest()
        world.go(60.0)
        world.watch.rested()

    # --- air and meters -------------------------------------------------------

    def act(self) -> None:
        """Let a person ask for something."""
        self._world.crew.any_act()

    def tidy(self) -> None:
        """Let the air be good again and people put things right."""
        self._world.note("tidy")
        self._world.gas.calm()
        self._world.crew.tidy()

    def rise(self) -> None:
        """Let a gas go over its limit, at one meter or all of a zone."""
        gas = self._world.gas
        uid, name = self._random.choice(gas.points())
        worse = self._random.uniform(0, 9)
        level = site.DEADLY[name] + (-worse if name == "o2" else worse)
        gas.level[uid, name] = level
        gas.silent.discard(uid)
        self._world.note(f"{uid} {name} rises to {level:.1f}")
        self._say((uid, name), level, gas.quality.get((uid, name), Quality.GOOD))

    def edge(self) -> None:
        """Let a gas be near its limits."""
        gas = self._world.gas
        uid, name = self._random.choice(gas.points())
        calm = site.CALM[gas.zone[uid]][name]
        share = self._random.random()
        gas.level[uid, name] = calm + share * (site.DEADLY[name] - calm)
        self._world.note(f"{uid} {name} at {gas.level[uid, name]:.1f}")

    def calm(self) -> None:
        """Let all be well again."""
        self._world.note("the air is good")
        self._world.gas.calm()

    def garbage(self) -> None:
        """Send what is no measurement."""
        point = self._random.choice(self._world.gas.points())
        value = self._random.choice(GARBAGE)
        quality = self._random.choice((*Quality, 99, -1))
        self._world.note(f"{point} says {value!r}, quality {quality}")
        self._say(point, value, quality)

    def odd(self) -> None:
        """Send a row that is old, early, or comes again."""
        world, now = self._world, self._world.clock.mono_ns()
        point = self._random.choice(world.gas.points())
        value = self._random.choice((world.gas.level[point], site.DEADLY[point[1]]))
        measured = self._random.choice((0, 1, now - 10**10, now + 10**11, -5))
        number = self._random.choice((0, 5, 5, 6, 4, 90, 1 << 40))
        handle = world.field.handles[point]
        world.note(f"{point} says {value} measured {measured}, number {number}")
        row = m.Row(handle, value, 0, max(measured, 0), number)
        world.watch.hear([(point, value, 0)])
        world.field.send_rows([row])
        world.settle()
        world.watch.alarmed()

    def coalesced(self) -> None:
        """Send extremes, as a host does that lacked credit."""
        world = self._world
        point = self._random.choice(world.gas.points())
        calm, top = world.gas.level[point], site.DEADLY[point[1]]
        last = self._random.choice((calm, None))
        quality = Quality.GOOD if last is not None else Quality.FAULT
        handle = world.field.handles[point]
        worst = self._random.choice((0, 1, int(quality)))
        row = m.Extremes(
            handle, last, min(calm, top), max(calm, top), int(quality), worst, 7
        )
        world.note(f"{point} coalesced to {top}, last {last}")
        world.watch.hear([(point, top, 0), (point, last, int(quality))])
        world.field.send_rows([], [row])
        world.settle()
        world.watch.alarmed()

    def _say(self, point: tuple[str, str], value: object, quality: int) -> None:
        world = self._world
        row = m.Row(world.field.handles[point], value, int(quality))  # type: ignore[arg-type]
        world.watch.hear([(point, value, int(quality))])  # type: ignore[list-item]
        world.field.send_rows([row])
        world.settle()
        world.watch.alarmed()

    def silence(self) -> None:
        """Let a device say nothing more, or speak again."""
        gas = self._world.gas
        tags = [f"tag-{p}" for p in site.ROLES]
        uid = self._random.choice([*gas.zone, *gas.zone, "box-tank", *tags])
        gas.silent ^= {uid}
        self._world.note(f"{uid} {'silent' if uid in gas.silent else 'speaks'}")

    def quality(self) -> None:
        """Let a meter warm up, be tested, or be broken."""
        point = self._random.choice(self._world.gas.points())
        quality = self._random.choice(list(Quality))
        self._world.gas.quality[point] = quality
        self._world.note(f"{point} is {quality.name}")

    # --- people ---------------------------------------------------------------

    def walk(self) -> None:
        """Let people walk."""
        for person in self._random.sample(list(site.ROLES), 3):
            zone = self._random.choice((*site.ZONES, "4,4,0", "99,99,0", "", "nowhere"))
            self._world.place(person, zone)
            self._world.note(f"{person} walks to {zone!r}")

    def call(self) -> None:
        """Let a person call for help, or take it back."""
        person = self._random.choice(list(site.ROLES))
        kind = self._random.choice(("sos", "fall"))
        active = self._random.random() < 0.8
        self._world.note(f"{person} {kind} {active}")
        self._world.tags.event(f"tag-{person}", kind, active=active)

    def gate(self) -> None:
        """Let a person go through the gate."""
        person = self._random.choice(list(site.ROLES))
        way = self._random.choice(("in", "out"))
        self._world.tags.event("gate-tank", "gate", tag=f"tag-{person}", direction=way)

    def nonsense(self) -> None:
        """Send a malformed act."""
        self._world.crew.nonsense()

    def arm(self) -> None:
        """Arm a bundle."""
        self._world.crew.arm_act()

    # --- processes ------------------------------------------------------------

    def mood(self) -> None:
        """Change how an output obeys."""
        host = self._world.field
        points = [p for p in host.values]
        point = self._random.choice(points)
        host.moods[point] = self._random.choice(MOODS)
        self._world.note(f"{point} is {host.moods[point]}")

    def host(self) -> None:
        """Let a host die, hang, or come back."""
        world = self._world
        host = self._random.choice((world.field, world.tags))
        if not host.heard:
            world.note(f"{host.name} comes back")
            world.revive(host)
        elif self._random.random() < 0.5:
            world.note(f"{host.name} dies")
            host.die()
            world.later(self._random.uniform(1, 40), lambda: world.revive(host))
        else:
            world.note(f"{host.name} hangs")
            host.hanging = True

    def peers(self) -> None:
        """Let the gateway or the notifier die and return."""
        world = self._world
        peer = self._random.choice((world.gateway, world.notifier))
        world.note(f"{peer.name} dies")
        peer.drop()
        world.settle()
        if world.life is not None:
            peer.connect(world.life)

    # --- disk, power, clock ---------------------------------------------------

    def disk(self) -> None:
        """Let the disk fail for a stretch."""
        world, code = self._world, self._random.choice(CODES)
        world.note(f"disk fails with {errno.errorcode[code]}")
        world.disk.deny(code)
        world.disk_failed = True
        world.later(self._random.uniform(0.5, 60), self.heal)

    def race(self) -> None:
        """Let people ask for much just as the disk fails, or slows down."""
        world = self._world
        for _ in range(4):
            world.crew.any_act()
        if self._random.random() < 0.5:
            self.disk()
        else:
            self.slow()

    def hiccup(self) -> None:
        """Let one write or sync fail."""
        disk = self._world.disk
        self._world.disk_failed = True
        disk.fail_at[disk.ops + self._random.randrange(1, 6)] = self._random.choice(
            CODES
        )

    def heal(self) -> None:
        """Let the disk be well."""
        crash = self._world.disk.crash_at
        self._world.disk.heal()
        self._world.disk.crash_at = crash
        self._world.sync_ns = 1_000_000

    def slow(self) -> None:
        """Let each write take long, for a stretch."""
        world = self._world
        world.sync_ns = int(self._random.choice((0.05, 0.5, 3, 8)) * 1e9)
        world.note(f"each write takes {world.sync_ns / 1e9} s")
        world.later(self._random.uniform(2, 40), self.heal)

    def crash(self) -> None:
        """Let the power go at one of the next writes."""
        disk = self._world.disk
        disk.crash_at = disk.ops + self._random.randrange(1, 9)

    def kill(self) -> None:
        """Kill the safety process now; what is written stays in the page cache."""
        if self._world.life is not None:
            self._world.note("kill -9")
            self._world.died(power=False)
            if self._random.random() < 0.3:
                self._world.note("and the power goes")
                self._world.died(power=True)

    def stop(self) -> None:
        """Stop in order."""
        self._world.stop()

    def wall(self) -> None:
        """Step the wall clock, or lose and regain trust in it."""
        world = self._world
        deed = self._random.randrange(5)
        if deed == 0:
            world.clock.trusted = not world.clock.trusted
        elif deed == 1:
            world.clock.step_wall(-world.clock.wall_ns() / 1e9 + 100)
        elif world.clock.wall_ns() < 10**18:
            world.clock.step_wall(1.79e9)
        else:
            world.clock.step_wall(self._random.choice((3600, -3600, 5, -5, 86_400)))
        world.note(f"wall {world.clock.wall_ns() // 10**9} {world.clock.synced()}")

    def wait(self) -> None:
        """Let a long time pass."""
        self._world.go(self._random.choice((45.0, 90.0, 200.0)))


_DEEDS: tuple[tuple[Deed, int], ...] = (
    (Script.act, 24),
    (Script.tidy, 4),
    (Script.rise, 7),
    (Script.edge, 3),
    (Script.calm, 4),
    (Script.garbage, 3),
    (Script.odd, 3),
    (Script.coalesced, 2),
    (Script.silence, 4),
    (Script.quality, 3),
    (Script.walk, 4),
    (Script.call, 3),
    (Script.gate, 2),
    (Script.nonsense, 1),
    (Script.arm, 1),
    (Script.mood, 3),
    (Script.host, 4),
    (Script.peers, 2),
    (Script.disk, 3),
    (Script.hiccup, 2),
    (Script.race, 3),
    (Script.slow, 2),
    (Script.crash, 4),
    (Script.kill, 3),
    (Script.stop, 3),
    (Script.wall, 3),
    (Script.wait, 2),
)
