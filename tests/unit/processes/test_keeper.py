"""The keeper's judgement of its children, without processes."""

import signal
from pathlib import Path

import pytest

from core.clock import NS
from core.processes import children, memory
from core.processes.children import Child, State, core_budget
from core.processes.fixed import core_spec, fixed_children
from core.processes.keeper import CORE_SILENT_S, AlreadyRunning, Keeper
from core.processes.spec import CORE, Spec

EXIT_1 = 256


class FakeProcess(Child):
    """A child that is never really started."""

    signals: list[int]

    def start(self, now_ns: int, greeting: dict[str, object]) -> None:
        self.pid, self.state, self.started_ns = 4_000_000, State.RUNNING, now_ns
        self.starts += 1

    def signal(self, number: int) -> None:
        self.signals = [*getattr(self, "signals", []), number]


def crash(child: Child, second: float) -> float:
    """Let a child run and end; return the pause that it got."""
    now = int(second * NS)
    child.start(now, {})
    child.ended(now, EXIT_1)
    return (child.start_at_ns - now) / NS


def test_host_in_a_crash_loop_fails_and_is_tried_slowly() -> None:
    """Reliability §5: 1-2-4 s, spent after 5 in 10 minutes, never given up."""
    child = FakeProcess(Spec("host:x", ("-m", "x")))
    assert [crash(child, n) for n in range(6)] == [1, 2, 4, 8, 60, 60]
    assert (child.state, child.detail) == (State.FAILED, "exit 1")
    # After a long good run its failure counts anew.
    child.start(100 * NS, {})
    child.ended(1_000 * NS, EXIT_1)
    assert (child.state, child.start_at_ns) == (State.BACKOFF, 1_001 * NS)


def test_core_is_never_given_up() -> None:
    """Design §3."""
    child = FakeProcess(core_spec(), core_budget())
    pauses = [crash(child, n) for n in range(20)]
    assert pauses[:4] == [0, 0, 0.25, 0.5]
    assert max(pauses) == 5
    assert child.state is State.BACKOFF


def test_child_that_was_asked_to_stop_starts_at_once_if_still_wanted() -> None:
    child = FakeProcess(Spec("host:x", ("-m", "x")))
    child.start(0, {})
    child.stop(5, 1.0)
    assert child.signals == [signal.SIGTERM]
    child.ended(7, 0)
    assert (child.state, child.start_at_ns) == (State.WAITING, 7)
    child.start(8, {})
    child.wanted = False
    child.ended(9, 0)
    assert child.state is State.STOPPED


def test_task_that_runs_once_is_not_started_again() -> None:
    child = FakeProcess(Spec("publish", ("-m", "x"), once=True))
    child.start(0, {})
    child.ended(1, EXIT_1)
    assert (child.state, child.wanted) == (State.STOPPED, False)


@pytest.fixture
def keeper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keeper:
    made = Keeper(
        tmp_path, {}, {"without": ["archive", "gateway", "notifier", "discovery"]}
    )
    core = FakeProcess(core_spec(), core_budget())
    made.children[CORE] = core
    core.start(0, {})
    return made


def test_core_that_does_not_feed_the_watchdog_is_killed(keeper: Keeper) -> None:
    """Design §3: fed only while the synthetic alarm loop runs."""
    core = keeper.children[CORE]
    assert isinstance(core, FakeProcess)
    keeper.ready = True
    now = keeper.clock.mono_ns()
    for second in range(int(CORE_SILENT_S) + 2):
        keeper._check_core(now + second * NS)
    assert core.signals == [signal.SIGKILL]


def test_machine_that_slept_does_not_kill_core(keeper: Keeper) -> None:
    core = keeper.children[CORE]
    assert isinstance(core, FakeProcess)
    keeper.ready = True
    now = keeper.clock.mono_ns()
    keeper._check_core(now)
    keeper._check_core(now + 3_600 * NS)
    assert not hasattr(core, "signals")


def test_list_of_children_is_kept_and_changed_ones_are_started_afresh(
    keeper: Keeper, tmp_path: Path
) -> None:
    one = Spec("host:a", ("-m", "a"), stamp="1")
    two = Spec("host:b", ("-m", "b"), stamp="1")
    keeper._want({"list": [one.plain(), two.plain()]})
    assert [spec.name for spec in memory.load(tmp_path)] == ["host:a", "host:b"]
    running = FakeProcess(one)
    running.start(0, {})
    keeper.children["host:a"] = running
    keeper._want({"list": [{**one.plain(), "stamp": "2"}]})
    assert running.spec.stamp == "2"
    assert running.signals == [signal.SIGTERM]
    assert running.wanted
    assert "host:b" not in keeper.children


def test_a_child_that_core_tells_of_at_the_end_is_not_started(keeper: Keeper) -> None:
    """Core may arm while all end: a host would be started and ended for ever."""
    keeper.children[CORE] = FakeProcess(core_spec(), core_budget())
    keeper.stop()
    late = Spec("host:late", ("-m", "x"))
    keeper._want({"list": [late.plain()]})
    assert not keeper.children["host:late"].wanted
    assert memory.load(keeper.data) == [late]  # for the next start


@pytest.mark.parametrize(
    "bad", [{}, {"list": [{}]}, {"list": 1}, {"list": [{"name": "x", "lanes": ["y"]}]}]
)
def test_bad_list_of_children_changes_nothing(
    keeper: Keeper, tmp_path: Path, bad: dict[str, object]
) -> None:
    keeper._want(bad)
    assert set(keeper.children) == {CORE}
    assert memory.load(tmp_path) == []


def test_damaged_memory_costs_only_the_head_start(tmp_path: Path) -> None:
    for text in ("", "{", "[1]", '[{"name": 1}]'):
        (tmp_path / memory.NAME).write_text(text)
        assert memory.load(tmp_path) == []


def test_second_keeper_on_a_folder_is_refused(keeper: Keeper, tmp_path: Path) -> None:
    with pytest.raises(AlreadyRunning):
        Keeper(tmp_path, {}, {})


def test_fixed_children_take_the_options_of_the_command_line() -> None:
    options = {"gateway": ["--port", "8000"], "config": "/c", "data": "/d"}
    found = {spec.name: spec for spec in fixed_children(options)}
    assert found["gateway"].args[-2:] == ("--port", "8000")
    assert found["publish"].once
    left = {spec.name for spec in fixed_children({"without": ["gateway"]})}
    assert left == {"archive", "notifier", "discovery"}


def test_state_is_told_in_words() -> None:
    assert children._describe(9) == "signal 9"
    assert children._describe(EXIT_1) == "exit 1"
