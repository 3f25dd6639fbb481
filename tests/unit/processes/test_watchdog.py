"""The synthetic alarm: it feeds the watchdog only while the whole way works."""

from collections.abc import Callable

from core.clock import SimClock
from core.processes.watchdog import LIMIT_S, Probe


class Loop:
    """Run callbacks in order, as a loop's next turns would."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], object]] = []

    def later(self, call: Callable[[], object]) -> None:
        self.calls.append(call)

    def turn(self) -> None:
        while self.calls:
            self.calls.pop(0)()


def beats(probe: Probe, loop: Loop, clock: SimClock, seconds: int) -> list[bool]:
    """Beat every 2 s; return what the watchdog is told each time."""
    told = []
    for _ in range(seconds // 2):
        clock.advance(2.0)
        told.append(probe.well())
        probe.beat()
        loop.turn()
    return told


def test_loop_that_works_feeds_the_watchdog_for_days() -> None:
    """Design §3: probe → limit → alarm → command, again and again."""
    clock, loop = SimClock(), Loop()
    probe = Probe(clock, loop.later)
    loop.turn()
    assert all(beats(probe, loop, clock, 6 * 3_600))
    open_alarms = probe.kernel.hub.state.alarms.open
    assert len(open_alarms) <= 1
    assert len(probe.kernel.hub.state.response.commands) <= 2


def test_alarm_that_leads_to_no_command_starves_it() -> None:
    clock, loop = SimClock(), Loop()
    probe = Probe(clock, loop.later)
    loop.turn()
    assert all(beats(probe, loop, clock, 20))
    probe.kernel.commands.order = lambda *_args, **_more: None  # type: ignore[method-assign]
    assert not beats(probe, loop, clock, int(LIMIT_S) + 5)[-1]


def test_limits_that_judge_nothing_starve_it() -> None:
    clock, loop = SimClock(), Loop()
    probe = Probe(clock, loop.later)
    loop.turn()
    assert all(beats(probe, loop, clock, 20))
    probe.kernel.readings.limits.judge = lambda *_args, **_more: None  # type: ignore[method-assign]
    assert not beats(probe, loop, clock, int(LIMIT_S) + 5)[-1]
