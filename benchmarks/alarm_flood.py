"""Measure a flood: 10,000 alarms in a minute, and a gas alarm beside them.

    python benchmarks/alarm_flood.py [--quick]

The whole kernel with the engine and shipped rules, its journal on a real disk, in one
process on the real clock. Gas alarms come in zones of their own, first on a calm
site, then within the flood: the time from the moment a reading was due to the order
for the siren. Then the journal is read back: no alarm may be missing.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from automations import blueprint as blueprints
from automations.compile_rule import instantiate
from automations.compile_site import default_quantities
from automations.engine import make
from benchmarks.harness import machine
from core import config
from core.alarms.events import AlarmRaised
from core.api.model import Device, Entity, EntityKind, Output, OutputKind
from core.clock import NS, RealClock
from core.config import Names
from core.journal import envelope as envelopes
from core.journal.events import decode_body
from core.journal.reader import Event, events
from core.journal.segment import RealDisk
from core.journal.writer import Durable, Notice
from core.kernel import Kernel
from core.link import messages as m
from core.processes.events import HubStarted
from core.processes.ledger import LoopLedger
from core.registry.ids import Ids

HOST = "host:sim"
PROBES, MINOR_EACH = 30, 4
CHAIN = "chain"
#: A life-safety order may wait so many times longer in a flood.
BOUND = 2.0


def named(text: str) -> Names:
    """Return one name in both languages."""
    return Names(zh=text, en=text)


def armed(zones: set[str]) -> Iterator[config.Rule]:
    """Return shipped rules armed in all zones."""
    for name in ("gas-alarm-response", "detector-lost"):
        file = blueprints.find(name, ())
        assert file is not None
        blueprint = blueprints.read(file)
        yield instantiate(
            blueprint,
            rule_id=name,
            mode="enforce",
            given={"chain": CHAIN} if "chain" in blueprint.inputs else {},
            zones=zones,
            chains={CHAIN},
        )


def bundle() -> config.Bundle:
    """Return a site of many zones with shipped rules armed in all of them."""
    zones = [f"{kind}{n}" for kind in ("calm", "flood") for n in range(PROBES)]
    zones += [f"minor{n}" for n in range(20)]
    level = config.Limit(
        condition="high", kind="level", unit="m", above=3.0, priority=3
    )
    step = config.ChainStep(roles=("safety_officer",), channels=("screen",))
    return config.Bundle(
        site=config.Site(
            id="flood",
            names=named("flood"),
            zones=tuple(
                config.Zone(id=z, names=named(z), level="g", polygon=()) for z in zones
            ),
        ),
        people=(config.Person(id="p", name="p", roles=("safety_officer",)),),
        quantities=(
            *default_quantities(),
            config.Quantity(
                id="level", names=named("level"), unit="m", limits=(level,)
            ),
        ),
        devices=tuple(
            config.DeviceRule(integration="sim", uid=f"{zone}-*", zone=zone)
            for zone in zones
        ),
        chains=(config.NotifyChain(id=CHAIN, steps=(step,)),),
        rules=tuple(armed(set(zones))),
    )


class Links:
    """Note when an order leaves for a host."""

    def __init__(self, clock: RealClock) -> None:
        self.clock = clock
        self.sent_ns: dict[str, int] = {}

    def send(self, peer: str, message: m.Message) -> None:
        """Note the first order to each siren."""
        if isinstance(message, m.Execute):
            uid = message.command.device_uid
            self.sent_ns.setdefault(uid, self.clock.mono_ns())

    def peers(self, role: str) -> list[str]:
        """Name the one host."""
        return [HOST] if role == "host" else []


class Site:
    """Hold the kernel on its real clock and disk, and drive it."""

    def __init__(self, data: Path, minor: int) -> None:
        self.clock = RealClock()
        self.links = Links(self.clock)
        loop = asyncio.get_running_loop()
        self.ledger = LoopLedger(data, self.clock, loop)
        self.ledger.start(self._told)
        self.kernel = Kernel(self.clock, Ids(self.clock), self.ledger, self.links, make)
        self.hub = self.kernel.hub
        self.hub.state.epoch += 1
        self.hub.emit(HubStarted(version="b", clean=True, boot_id="b"))
        self.hub.load(bundle())
        self.minor: list[int] = []
        self.handles: dict[str, int] = {}
        self._declare(minor)
        self.hub.recover(True)

    def _told(self, notice: Notice) -> None:
        if isinstance(notice, Durable):
            self.hub.durable(notice.seq)

    def _declare(self, minor: int) -> None:
        for kind in ("calm", "flood"):
            for n in range(PROBES):
                zone = f"{kind}{n}"
                gas = Entity(
                    uid="gas", name="g", kind=EntityKind.GAS, quantity="h2s",
                    unit="ppm", max_age_s=600.0,
                )  # fmt: skip
                siren = Entity(
                    uid="siren", name="s", kind=EntityKind.OUTPUT,
                    output=Output(kind=OutputKind.SIREN),
                )  # fmt: skip
                self._device(f"{zone}-gas", gas)
                self._device(f"{zone}-siren", siren)
        for n in range(minor // MINOR_EACH):
            entities = [
                Entity(
                    uid=f"l{k}", name="l", kind=EntityKind.SENSOR, quantity="level",
                    unit="m", max_age_s=600.0,
                )
                for k in range(MINOR_EACH)
            ]  # fmt: skip
            self.minor += self._device(f"minor{n % 20}-{n}", *entities)

    def _device(self, uid: str, *entities: Entity) -> list[int]:
        first = len(self.handles) + 1
        made = {e.uid: first + n for n, e in enumerate(entities)}
        self.handles |= {f"{uid}/{name}": h for name, h in made.items()}
        device = Device(uid=uid, name=uid, entities=entities)
        self.kernel.registry.declare(HOST, device, made)
        return list(made.values())

    def read(self, handle: int, value: float) -> None:
        """Let the host report one reading."""
        rows = [m.Row(handle, value)]
        self.kernel.readings.receive(HOST, m.Readings(self.clock.mono_ns(), rows))

    async def run(self, script: list[tuple[float, int, float]]) -> dict[int, int]:
        """Play (second, handle, value) in real time; returns when each was due."""
        start, due_ns = self.clock.mono_ns(), {}
        for second, handle, value in sorted(script):
            due = start + int(second * NS)
            await self._until(due)
            due_ns[handle] = due
            self.read(handle, value)
            self._snapshot()
        await self._until(self.clock.mono_ns() + NS)
        return due_ns

    async def _until(self, moment: int) -> None:
        """Run timers as they fall due; one timer a turn, as the safety process."""
        while True:
            self.hub.step()
            now = self.clock.mono_ns()
            if now >= moment:
                return
            timer = self.hub.timers.next_ns()
            wake = min(moment, timer if timer is not None else moment)
            await asyncio.sleep(max(wake - now, 0) / NS)

    def _snapshot(self) -> None:
        if self.ledger.snapshot_due(self.hub.state.seq):
            self.ledger.take_snapshot(self.hub.state.seq, self.hub.snapshot())

    async def latencies(
        self, kind: str, minor: list[int], seconds: float
    ) -> list[float]:
        """Return ms from each gas reading's due moment to its siren's order."""
        script = [
            (seconds * (n + 0.5) / PROBES, self.handles[f"{kind}{n}-gas/gas"], 60.0)
            for n in range(PROBES)
        ]
        step = seconds / max(len(minor), 1)
        script += [(n * step, handle, 5.0) for n, handle in enumerate(minor)]
        due = await self.run(script)
        return [
            (self.links.sent_ns[f"{kind}{n}-siren"] - due[handle]) / 1e6
            for n in range(PROBES)
            for handle in [self.handles[f"{kind}{n}-gas/gas"]]
        ]


def told(data: Path) -> int:
    """Return how many different alarms the journal on disk tells."""
    found: set[str] = set()
    disk = RealDisk(data / "journal")
    for stored in events(disk):
        if isinstance(stored, Event):
            body = decode_body(envelopes.decode(stored.payload))
            if isinstance(body, AlarmRaised) and body.kind == "level":
                found.add(body.source)
    disk.close()
    return len(found)


def quantile(values: list[float], share: float) -> float:
    """Return the value below which a share lies."""
    ranked = sorted(values)
    return ranked[min(int(len(ranked) * share), len(ranked) - 1)]


async def measure(data: Path, minor: int, seconds: float) -> dict[str, Any]:
    """Return the figures of a calm and of a flooded site."""
    site = Site(data, minor)
    calm = await site.latencies("calm", [], seconds / 4)
    flooded = await site.latencies("flood", site.minor, seconds)
    standing = len(site.kernel.alarms.active())
    site.ledger.stop(site.hub.state.seq, site.hub.snapshot())
    site.ledger.close()
    return {"calm": calm, "flood": flooded, "standing": standing}


def main() -> int:
    """Print the figures; exit status 1 when an alarm is lost or the bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2,000 alarms in 12 s")
    wanted = parser.parse_args()
    minor, seconds = (2_000, 12.0) if wanted.quick else (10_000, 60.0)
    say = sys.stdout.write
    say(f"cpu_index {machine.cpu_index():.1f}, real time {machine.real_time()}\n")
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(measure(Path(folder), minor, seconds))
        kept = told(Path(folder))
    for name in ("calm", "flood"):
        p50, p95 = quantile(found[name], 0.5), quantile(found[name], 0.95)
        worst = max(found[name])
        say(f"{name:<6} siren p50 {p50:.2f} ms, p95 {p95:.2f}, worst {worst:.2f}\n")
    ratio = quantile(found["flood"], 0.5) / quantile(found["calm"], 0.5)
    tail = quantile(found["flood"], 0.95) / quantile(found["calm"], 0.95)
    say(
        f"flood of {minor} alarms in {seconds:.0f} s: {kept} on disk,"
        f" {found['standing']} active; p50 × {ratio:.2f}, p95 × {tail:.2f}"
        f" (bound {BOUND})\n"
    )
    return 0 if kept == minor and ratio <= BOUND else 1


if __name__ == "__main__":
    sys.exit(main())
