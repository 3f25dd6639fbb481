"""What a blind camera does to its zone, in the real kernel (issue: health alarms)."""

import pytest

from core.api import Device, Quality
from integrations.camera import health
from integrations.camera.judge import Verdict
from tests.support.detectors import HOST, site
from tests.support.kernel import Bench, make_kernel

SEES = Verdict(frozen=False, black=False, moved=False, brightness=40.0, shift=0.0)


def _bench(*, critical: bool) -> Bench:
    bench = make_kernel(site(critical=()))
    entities = health.entities("en", 10.0, critical=critical)
    bench.declare(HOST, Device(uid="g-cam", name="Gate", entities=entities))
    return bench


def _tell(bench: Bench, reads: dict[str, health.Read]) -> None:
    for uid, (value, quality, _reason) in reads.items():
        bench.report(HOST, "g-cam", uid, value, quality)


def _kinds(bench: Bench) -> list[str]:
    return [record.kind for record in bench.kernel.alarms.active()]


@pytest.mark.parametrize(
    "verdict",
    [SEES._replace(frozen=True), SEES._replace(black=True), SEES._replace(moved=True)],
)
def test_a_camera_that_does_not_see_is_a_fault_and_leaves_its_zone_unmonitored(
    verdict: Verdict,
) -> None:
    bench = _bench(critical=True)
    _tell(bench, health.seen(SEES, 2.0, proven=True))
    assert _kinds(bench) == []
    assert bench.kernel.readings.unmonitored() == set()
    _tell(bench, health.seen(verdict, 2.0, proven=True))
    assert _kinds(bench) == ["fault.device"]
    assert bench.kernel.readings.unmonitored() == {"pit"}
    _tell(bench, health.seen(SEES, 2.0, proven=True))
    assert _kinds(bench) == []
    assert bench.kernel.readings.unmonitored() == set()


def test_a_lost_camera_is_a_fault_and_one_that_never_spoke_is_lost() -> None:
    """Design §5: loss of a critical detector within its declared time is an alarm."""
    bench = _bench(critical=True)
    _tell(bench, health.gone("camera.connecting", heard=False))
    assert bench.kernel.readings.unmonitored() == {"pit"}
    bench.advance(40)
    assert "fault.lost" in _kinds(bench)
    _tell(bench, health.seen(SEES, 2.0, proven=True))
    assert _kinds(bench) == []
    _tell(bench, health.gone("camera.silent", heard=True))
    assert "fault.device" in _kinds(bench)
    assert bench.kernel.readings.unmonitored() == {"pit"}


def test_a_camera_that_nobody_relies_on_makes_no_zone_unmonitored() -> None:
    bench = _bench(critical=False)
    _tell(bench, health.gone("camera.silent", heard=True))
    bench.advance(60)
    assert _kinds(bench) == []
    assert bench.kernel.readings.unmonitored() == set()


def test_a_gone_camera_has_no_value_but_its_loss() -> None:
    """Design §5: unknown is never safe: no old brightness, no old 'not moved'."""
    for heard in (True, False):
        reads = health.gone("camera.silent", heard=heard)
        assert {uid for uid, read in reads.items() if read[0] is not None} == {
            "health.lost"
        }
        assert reads["health"][1] is not Quality.GOOD
