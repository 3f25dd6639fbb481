"""A hub whose journal cannot be opened: it protects, and waits for its disk."""

import threading
from pathlib import Path

import pytest

from core.clock import SimClock
from core.processes import blind
from core.processes.blind import BlindLedger
from core.processes.loop import Loop


def test_a_disk_that_hangs_hangs_nobody_who_asks_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Design §2: nothing protective waits for a disk, not even for its return."""
    hangs, came, found = threading.Event(), threading.Event(), threading.Event()
    asked = []

    class Slow:
        def __init__(self, *_: object) -> None:
            asked.append(1)
            came.set()
            hangs.wait(30)

        def close(self) -> None:
            """Close nothing."""

    monkeypatch.setattr(blind, "LoopLedger", Slow)
    loop = Loop(list[BaseException]().append)
    ledger = BlindLedger(tmp_path, SimClock(), loop, OSError("gone"))
    for _ in range(3):
        ledger.look(found.set)  # returns while the disk still hangs
    assert came.wait(30)
    assert (len(asked), found.is_set()) == (1, False)
    hangs.set()
    assert found.wait(30)
