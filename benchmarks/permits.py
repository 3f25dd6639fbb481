"""Measure permits: one judgement, one reading among a thousand, one new neighbour.

    python benchmarks/permits.py [--quick]

1. The full judgement of one permit under cn-hazchem: 20 people, 10 detectors, all
   interlocks and rules. Beside it the pack's rules alone and, as the floor, one dict
   lookup for each fact that they read.
2. One changed reading beside 0 to 1,000 active permits of other zones: how many are
   judged again, and what it costs.
3. One new permit against 1,000 others: core, the geometry worker's engine and the
   messages between them, all in this process.
"""

import argparse
import functools
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import msgspec

from benchmarks.harness import machine
from core.api.quality import Quality
from core.config import Bundle, DeviceRule, Zone
from core.permits import life_acts as a
from core.permits.pack import Phase
from core.permits.pack_rules import evaluate
from core.permits.state import PermitRecord
from core.registry.meters_acts import CalibrateMeter
from tests.support import works, yard
from tests.support.works import Works
from tests.support.yard import HOST, names, square
from tests.unit.geometry import plant as plants

#: Kinds of the works that stand already; the new one is hot work.
OTHERS = ("blind-plate", "dig", "hot-1")
PEOPLE, DETECTORS, ZONES = 20, 10, 100
BOUND_US, BOUND_MS, RULES = 200.0, 20.0, 30
#: A little more than a changed reading waits for others of the same moment.
GATHER_S = 0.03
CROWD = tuple(f"w{number:02}" for number in range(PEOPLE))
METERS = tuple(f"meter-{number}" for number in range(1, DETECTORS))


_plain = works.bundle


@functools.cache
def law() -> Bundle:
    """Return the small yard with more meters in the tank, and many more zones."""
    made = _plain()
    zones = tuple(
        Zone(
            id=f"z{number:03}",
            names=names(f"z{number:03}"),
            level="ground",
            polygon=square(100 + number % 10 * 10, number // 10 * 10, 9),
        )
        for number in range(ZONES)
    )
    site = msgspec.structs.replace(made.site, zones=(*made.site.zones, *zones))
    more = tuple(
        DeviceRule(integration="field", uid=uid, zone="tank", lost_s=60.0)
        for uid in METERS
    )
    devices = (*made.devices, *more)
    found: Bundle = msgspec.structs.replace(made, site=site, devices=devices)
    return found


class Site(Works):
    """A permit with a crowd of people in a tank full of detectors."""

    def __init__(self) -> None:
        self.meters: tuple[str, ...] = ()
        super().__init__()
        for uid in METERS:
            self.declare(HOST, yard.meter(uid))
        self.meters = METERS
        self.pulse()
        for uid in METERS:
            device = self.kernel.registry.find_device(HOST, uid)
            assert device is not None
            self.ok(
                "sam",
                CalibrateMeter(
                    device_id=device.id, valid_to="2099-12-31", certificate="c", by="l"
                ),
            )

    def pulse(self) -> None:
        """Let the further meters speak too."""
        super().pulse()
        for uid in self.meters:
            for gas, value in self.gas.items():
                self.report(HOST, uid, gas, value)

    def working(self, kind: str) -> str:
        """Take one permit with all the people to its start."""
        crew = ("ann", "bob", *CROWD)[: PEOPLE - 1]
        permit_id = self.applied(self.booked(kind), workers=crew)
        self.signed(self.analysed(permit_id))
        self.verified(permit_id)
        self.tested(permit_id)
        self.ok("sue", a.StartPermit(permit_id=permit_id), self.version(permit_id))
        return permit_id


def best_and_median(work: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Return best and median microseconds of one call."""
    spent = []
    for _ in range(rounds):
        began = time.perf_counter()
        for _ in range(20):
            work()
        spent.append((time.perf_counter() - began) / 20 * 1e6)
    return min(spent), median(spent)


def _look_up(facts: Mapping[str, object], names: Iterable[str]) -> None:
    for name in names:
        facts.get(name)


def judgement(site: Site, permit_id: str, rounds: int) -> float:
    """Print what one judgement costs; return the best for 30 rules."""
    judge, people = site.kernel.permits.judge, site.kernel.people_facts
    permit = site.permit(permit_id)
    ruled = judge.packs.kind(permit)
    assert ruled is not None
    print(f"one permit: {len(permit.people())} people, {DETECTORS} detectors, µs")
    names = ("best", "median", "changed", "firm", "rules", "floor", "per 30")
    print("phase   rules  facts" + "".join(f"{each:>9}" for each in names))
    slowest = 0.0
    for phase in (Phase.START, Phase.RUN):
        asked = ruled.rules.facts[phase]
        facts = judge.facts.of(permit, ruled.kind, ruled.pack, asked)

        def forgetful(phase: Phase = phase, whom: str = CROWD[0]) -> None:
            people.forget(whom)
            judge.judge(permit, phase)

        firm = functools.partial(forgetful, whom="")
        rules = functools.partial(evaluate, ruled.kind, ruled.rules, facts, phase)
        best, middle = best_and_median(
            functools.partial(judge.judge, permit, phase), rounds
        )
        changed, _ = best_and_median(forgetful, rounds)
        ended, _ = best_and_median(firm, rounds)
        alone, _ = best_and_median(rules, rounds)
        floor, _ = best_and_median(functools.partial(_look_up, facts, asked), rounds)
        count = len(ruled.rules.by_phase[phase])
        share = changed / count * RULES
        slowest = max(slowest, share)
        row = (best, middle, changed, ended, alone, floor, share)
        shown = "".join(f"{each:9.1f}" for each in row)
        print(f"{phase:<6} {count:>6} {len(asked):>6}{shown}")
    print("(changed: after a record of one of its people changed; per 30: of that)")
    print("(firm: after a company's record changed, which touches all of them)")
    return slowest


def _twin(permit: PermitRecord, number: int) -> PermitRecord:
    """Return a permit like one, of nobody and in another zone."""
    return msgspec.structs.replace(
        permit,
        id=f"p{number:04}",
        zone_id=f"z{number % ZONES:03}",
        supervisor_id="max",
        guardian_id="",
        workers=[],
        linked=[],
        life=msgspec.structs.replace(permit.life, guardians=[]),
    )


def neighbours(site: Site, permit_id: str, rounds: int) -> float:
    """Print the cost of one changed reading beside unrelated permits; their slope."""
    permits, kernel = site.hub.state.permits.permits, site.kernel
    permit = permits[permit_id]
    whole, seen = kernel.permits.judge.judge, list[str]()

    def judge(permit: Any, phase: Phase = Phase.RUN) -> Any:
        seen.append(permit.id)
        return whole(permit, phase)

    kernel.permits.judge.judge = judge  # type: ignore[method-assign]
    print("\none reading that changes its quality in the permit's zone, µs")
    print("others  of them judged     best   median")
    found = {}
    for count in (0, 10, 100, 1_000):
        for number in range(count):
            twin = _twin(permit, number)
            permits[twin.id] = twin
        kernel.permits.watch.forget_all()
        site.hub.load(site.bundle)
        site.pulse()
        site.advance(GATHER_S)
        # The look at every level each second is measured apart.
        for timer in ("hub.tick", "permits.sweep"):
            site.hub.timers.cancel(timer)
        spent, others = [], 0
        for turn in range(rounds):
            seen.clear()
            worse = Quality.GOOD if turn % 2 else Quality.UNCERTAIN
            began = time.perf_counter()
            site.report(HOST, "meter-1", "o2", 20.9, worse)
            site.advance(GATHER_S)
            spent.append((time.perf_counter() - began) * 1e6)
            assert permit_id in seen, f"not judged itself: {permit.status}"
            others += sum(each != permit_id for each in seen)
        found[count] = min(spent)
        print(f"{count:>6} {others:>15} {min(spent):>8.0f} {median(spent):>8.0f}")
    return found[1_000] / found[0]


def wide() -> Bundle:
    """Return the small yard's bundle, its yard as large as a refinery."""
    made = yard.bundle()
    zones = tuple(
        msgspec.structs.replace(each, polygon=square(0, 0, 4_000))
        if each.id == "yard"
        else each
        for each in made.site.zones
    )
    site = msgspec.structs.replace(made.site, zones=zones)
    found: Bundle = msgspec.structs.replace(made, site=site)
    return found


def conflicts(count: int, pitch: float, rounds: int) -> float:
    """Return median ms of a new permit among others that stand ``pitch`` m apart."""
    plants.bundle = wide  # type: ignore[attr-defined]
    plant, side = plants.Plant(), int(count**0.5) + 1
    for number in range(count):
        at = (number % side * pitch, number // side * pitch)
        kind = OTHERS[number % len(OTHERS)]
        plant.book(f"old{number}", kind, plants.disc(*at), answered=False)
    plant.worker.work()
    plant.bench.advance(1.0)
    plant.worker.work()
    middle, spent = side // 2 * pitch, []
    for number in range(rounds):
        area = plants.disc(middle + number * 0.1, middle + pitch / 2)
        began = time.perf_counter()
        plant.book(f"new{number}", "hot-1", area)
        while not plant.room.known(f"new{number}"):
            plant.bench.advance(0.01)
            plant.worker.work()
        spent.append((time.perf_counter() - began) * 1e3)
    near = len(plant.room.of("new0"))
    print(f"{pitch:>6} {near:>10} {min(spent):>9.2f} {median(spent):>9.2f}")
    return median(spent)


def main(argv: list[str]) -> int:
    """Print the figures; exit status 1 beyond a bound."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--kind", default="hot-special")
    options = parser.parse_args(argv)
    rounds = 8 if options.quick else 40
    machine.real_time()
    yard.ROLES.update({each: ("worker",) for each in CROWD})
    works.bundle = law
    site = Site()
    permit_id = site.working(options.kind)
    slowest = judgement(site, permit_id, rounds)
    print(f"slowest for {RULES} rules: {slowest:.0f} µs (bound {BOUND_US:.0f} µs)")
    ratio = neighbours(site, permit_id, rounds)
    print(f"beside 1,000 others it costs {ratio:.2f} x what it costs alone")
    print("\none new permit against 1,000 others, core and geometry worker, ms")
    print("apart m  conflicts      best    median")
    worst = max(conflicts(1_000, pitch, rounds) for pitch in (100.0, 20.0, 4.0))
    print(f"slowest: {worst:.1f} ms (bound {BOUND_MS:.0f} ms)")
    return 0 if slowest <= BOUND_US and worst <= BOUND_MS else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
