"""The fault suite: what sites do to devices, and what the hub must see of it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from integrations.runtime.kit.bench import Bench
from integrations.runtime.kit.live import SLACK_S, arrives, recovers, slack, sound
from integrations.runtime.kit.result import Broken
from integrations.runtime.kit.schema import FAULTS, Fault
from integrations.runtime.kit.witness import Watched, until

#: Faults under which a reading cannot stay GOOD, unless conformance.yaml allows it.
TELLS: Final = frozenset({"silent", "garbage", "half", "frozen", "swapped"})
#: Faults that the driver must count as bad input.
COUNTED: Final = frozenset({"garbage", "half"})
#: Memory that a host may take in more under ten times the rate.
GROWTH_KB: Final = 48 << 10


class Skipped(Exception):
    """The check does not apply: the text says why."""


async def fault(bench: Bench, name: str) -> str:
    """Let every device have a fault, judge what is seen, clear it, see it mend."""
    said = bench.contract.faults.get(name, Fault())
    if said.not_applicable is not None:
        raise Skipped(said.not_applicable)
    watched = _touched(bench, said)
    before = sum((await bench.counters()).values())
    for value in _values(bench, name, said):
        try:
            told = await _during(bench, name, value, said, watched)
        except Broken:
            _honest(watched)  # a lie is worse than what was missed
            raise
    after = sum((await bench.counters()).values())
    bench.bad_input[name] = after - before
    took = await recovers(bench)
    await sound(bench)
    _honest(watched)
    return f"{told}, GOOD again after {took:.1f} s"


def _touched(bench: Bench, said: Fault) -> list[Watched]:
    found = [
        w for w in bench.watched if not said.devices or w.point.device in said.devices
    ]
    if not found:
        raise Skipped("no reading of conformance.yaml could show it")
    return found


def _values(bench: Bench, name: str, said: Fault) -> list[Any]:
    """Return what the simulator is told, one after the other."""
    if said.value is not msgspec.UNSET:
        return [said.value]
    if name == "slow":
        return [3 * bench.contract.interval_s]
    if name == "clock_s":
        return [FAULTS[name], -FAULTS[name]]
    return [FAULTS[name]]


async def _during(
    bench: Bench, name: str, value: Any, said: Fault, watched: list[Watched]
) -> str:
    """Begin a fault, judge it, and end it."""
    devices = {w.point.device for w in watched}
    if name == "replay":
        await _change(bench, watched)
    bench.lag.take()
    try:
        for uid in sorted(devices):
            await bench.fault(uid, name, value)
        return await _SEEN.get(name, _tells)(bench, name, said, watched)
    finally:
        await bench.mend(devices)


async def _change(bench: Bench, watched: list[Watched]) -> None:
    """Let both values be heard, so that the first is old from now on."""
    for one in watched:
        if one.first[1] == one.second[1]:
            raise Broken(f"{one.name}: add 'then:', a second value to know old ones by")
        for pair in (one.first, one.second):
            await bench.give(one, *pair)
            await arrives([one], bench.contract.recover_s)


async def _tells(bench: Bench, name: str, said: Fault, watched: list[Watched]) -> str:
    """Wait until each reading is what the fault asks for; watch for lies."""
    limit = said.within_s or 3 * bench.contract.interval_s
    wanted = set(said.quality)
    if "good" in wanted or (not wanted and name not in TELLS):
        # What comes late comes after all; anything else shows within two intervals.
        await asyncio.sleep(limit if name == "slow" else limit * 2 / 3)
        _honest(watched)
        odd = [w for w in watched if wanted and not w.words() & wanted]
        if odd:
            raise Broken(_unlike(odd, wanted))
        return "nothing wrong was GOOD"
    late = limit + slack(bench)

    def shown(one: Watched) -> bool:
        words = one.words()
        return bool(words & wanted) if wanted else "good" not in words

    took = await until(
        lambda: all(shown(w) for w in watched),
        late,
        lambda: (
            f"after {limit:g} s {_unlike([w for w in watched if not shown(w)], wanted)}"
        ),
    )
    # It must stay so: what comes and goes deceives whoever looks in between.
    await asyncio.sleep(min(bench.contract.interval_s, 1.0))
    _honest(watched)
    return f"told after {took:.1f} s"


def _unlike(odd: list[Watched], wanted: set[str]) -> str:
    words = ", ".join(sorted(wanted)) or "not good"
    return f"{'; '.join(w.now() for w in odd)}; expected {words}"


async def _keeps_up(
    bench: Bench, _name: str, said: Fault, watched: list[Watched]
) -> str:
    """See that new values come as fast as ever, GOOD, and memory stays."""
    before = bench.host.memory_kb()
    limit = (said.within_s or bench.contract.interval_s + 1.0) + slack(bench)
    await asyncio.sleep(min(bench.contract.interval_s, 1.0))
    worst = 0.0
    for one in watched:
        for pair in (one.second, one.first):
            await bench.give(one, *pair)
            worst = max(worst, await arrives([one], limit))
    _honest(watched)
    grown = bench.host.memory_kb() - before
    if grown > GROWTH_KB:
        raise Broken(f"the host took {grown >> 10} MB more")
    return f"new values after {worst:.2f} s"


def _honest(watched: list[Watched]) -> None:
    """Raise Broken when anything was ever GOOD with a wrong value."""
    lies = [lie for w in watched for lie in w.wrong]
    for one in watched:
        one.wrong.clear()
    if lies:
        raise Broken(f"{lies[0]} ({len(lies)} times)" if lies[1:] else lies[0])


async def counts(bench: Bench) -> str:
    """See that garbage and cut frames were counted as bad input."""
    tried = {name: n for name, n in bench.bad_input.items() if name in COUNTED}
    if not tried:
        raise Skipped("neither garbage nor half applies")
    if not any(tried.values()):
        raise Broken("the driver counted none of it: call host.count() for bad input")
    return ", ".join(f"{name} {n}" for name, n in tried.items())


_SEEN: Final[
    dict[str, Callable[[Bench, str, Fault, list[Watched]], Awaitable[str]]]
] = {"rate": _keeps_up}

__all__ = ["COUNTED", "FAULTS", "SLACK_S", "Skipped", "counts", "fault"]
