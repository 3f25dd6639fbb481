"""The alarm benchmark still runs, in its smallest form; nothing is timed here."""

import shutil
from pathlib import Path

import pytest

from benchmarks import alarm_path
from benchmarks.harness import machine, wire, work

pytestmark = [
    pytest.mark.skipif(
        shutil.which("mosquitto") is None and not Path("/usr/sbin/mosquitto").exists(),
        reason="mosquitto is not installed",
    ),
    pytest.mark.timeout(120),
]

SMALL = (
    "--detectors 5 --rounds 1 --rates 0,200 --no-sustain --no-journal --quick --idle 0"
)


def test_both_systems_answer_every_alarm(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # A test must not go before its neighbours on the processor.
    monkeypatch.setattr(machine, "real_time", lambda: False)
    systems = ["--systems", "paho,safehold", "--folder", str(tmp_path)]
    assert alarm_path.main([*SMALL.split(), *systems]) == 0
    shown = capsys.readouterr().out
    # Five detectors, one of which answered the start.
    assert shown.count("0 of 4") == 4
    assert "sh-core" in shown
    assert list(tmp_path.iterdir()) == []


def test_packets_survive_any_cut() -> None:
    whole = b"".join(
        wire.publish(work.order_topic(n), b"x" * n, retain=n % 2 == 1)
        for n in (0, 1, 130, 20_000)
    )
    for cut in range(1, 400):
        inbox, found = bytearray(), []
        for part in (whole[:cut], whole[cut:]):
            inbox += part
            found += [wire.message(flags, body) for _, flags, body in _all(inbox)]
        assert [len(payload) for _, payload in found] == [0, 1, 130, 20_000]
        assert not inbox


def _all(inbox: bytearray) -> list[tuple[int, int, bytes]]:
    return list(wire.packets(inbox))
