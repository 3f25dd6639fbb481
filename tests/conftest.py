"""What every test stands on: nothing leaks, nothing fails silently in the log."""

import asyncio
import inspect
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import pytest
from hypothesis.database import DirectoryBasedExampleDatabase

SEEDS = Path(__file__).parent / "seeds"
SHARED = Path(__file__).resolve().parents[1].parent / "shared"
#: Seconds after which a property hangs, however busy the machine.
PROPERTY_S = 600
# Threads that a library keeps for the life of the process, by the start of their name.
KEPT_THREADS = ("asyncio_", "ThreadPoolExecutor", "pytest_timeout", "execnet", "pydev")

# Tasks that a library keeps as long: bleak its one connection to bluetoothd.
KEPT_TASKS = ("BlueZManager.",)

# `suite` draws the same examples on each run, so that a red run is red again.
# `--hypothesis-profile hunt` searches, and leaves what it found in tests/seeds.
hypothesis.settings.register_profile(
    "suite",
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.register_profile(
    "hunt",
    deadline=None,
    max_examples=2_000,
    database=DirectoryBasedExampleDatabase(SEEDS),
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)


def pytest_configure(config: pytest.Config) -> None:
    """Take the profile that the command line asks for, else the steady one."""
    chosen = config.getoption("--hypothesis-profile", default=None)
    hypothesis.settings.load_profile(chosen or "suite")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give properties ten minutes, where they ask for nothing else.

    A time-out in the midst of an example is taken for its outcome, and the replay
    that has none for a flaky test: on a busy machine a slow one seems to be wrong.
    """
    for item in items:
        drawn = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
        if drawn and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(PROPERTY_S))


class _Caught(logging.Handler):
    """Collects what a loop or a handler would otherwise only have logged."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[0] is not None:
            self.records.append(record)
        elif record.name == "asyncio":
            self.records.append(record)


@pytest.fixture(autouse=True)
def no_silent_error(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test during which an exception went to the log and nowhere else."""
    caught = _Caught()
    root = logging.getLogger()
    root.addHandler(caught)
    yield
    root.removeHandler(caught)
    if request.node.get_closest_marker("logs_errors") is None:
        told = [f"{r.name}: {r.getMessage()} {r.exc_info}" for r in caught.records]
        assert not told, f"logged, and seen by nobody: {told}"


@pytest.fixture(autouse=True)
def no_leaked_thread() -> Iterator[None]:
    """Fail a test that leaves a thread running, after a moment to end it."""
    before = set(threading.enumerate())
    yield
    left = [t for t in threading.enumerate() if t not in before]
    for thread in left:
        if not thread.name.startswith(KEPT_THREADS):
            thread.join(5)
    names = [
        t.name for t in left if t.is_alive() and not t.name.startswith(KEPT_THREADS)
    ]
    assert not names, f"threads left running: {names}"


@pytest.fixture(autouse=True)
def no_leaked_task(request: pytest.FixtureRequest) -> None:
    """Ask a test that runs on a loop to end every task it began."""
    function = getattr(request.node, "obj", None)
    if inspect.iscoroutinefunction(function):
        request.getfixturevalue("_task_watch")


@pytest.fixture
async def _task_watch() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    # What was cancelled in the last moment may still have its turn to take.
    for _ in range(10):
        now = asyncio.all_tasks() - before - {asyncio.current_task()}
        left = {each for each in now if not _is_kept(each)}
        if not left:
            return
        await asyncio.sleep(0)
    assert not left, f"tasks left running: {left}"


def _is_kept(task: asyncio.Task[object]) -> bool:
    return getattr(task.get_coro(), "__qualname__", "").startswith(KEPT_TASKS)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the reference material beside the clone; skip where there is none."""
    if not SHARED.is_dir():
        pytest.skip(f"no reference material at {SHARED.name}/ beside the clone")
    return SHARED
