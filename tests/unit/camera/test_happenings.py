"""What cameras report: one vocabulary, and silence that is never an all-clear."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.api import EntityKind, Quality, Value
from core.clock import NS
from integrations.camera import happenings
from integrations.camera.alerts import Alert, Heat
from integrations.camera.happenings import ENDED_S, KINDS, MAX_ENTITIES, Happenings
from integrations.camera.replies import Notice
from integrations.camera.reports import Beat


class Shown:
    """Keep what was told last of each entity."""

    def __init__(self, *expected: str) -> None:
        self.last: dict[str, tuple[Value, Quality, str]] = {}
        self.held = Happenings(expected, self._tell)

    def of(self, uid: str) -> tuple[Value, Quality, str]:
        """Return what was told last of one."""
        return self.last[uid]

    def _tell(self, uid: str, value: Value, quality: Quality, reason: str) -> None:
        self.last[uid] = value, quality, reason


def _notice(
    topic: str, data: dict[str, str], operation: str = "Changed", source: str = "1"
) -> Notice:
    return Notice(topic, operation, {"Source": source}, data)


@pytest.mark.parametrize(
    ("topic", "item", "uid"),
    [
        ("RuleEngine/CellMotionDetector/Motion", "IsMotion", "motion"),
        ("VideoSource/MotionAlarm", "State", "motion"),
        ("RuleEngine/TamperDetector/Tamper", "IsTamper", "tamper"),
        ("VideoSource/GlobalSceneChange/ImagingService", "State", "tamper"),
        ("Device/Trigger/DigitalInput", "LogicalState", "input.1"),
        ("RuleEngine/Radiometry/TemperatureAlarm", "AlarmActive", "heat"),
        ("RuleEngine/FireDetection/FireAlarm", "IsFireAlarm", "flame"),
        ("VideoSource/SignalLoss", "State", "videoloss"),
    ],
)
def test_topics_of_onvif_become_entities(topic: str, item: str, uid: str) -> None:
    """Issue §5: motion, digital input, tamper, radiometry."""
    for text, value in (("true", True), ("1", True), ("false", False), ("0", False)):
        (told,) = happenings.of_notice(_notice(topic, {item: text}))
        assert (told.uid, told.value, told.held) == (uid, value, True)
    assert happenings.of_notice(_notice(topic, {item: "perhaps"})) == []


def test_kelvin_becomes_celsius_and_nonsense_no_value() -> None:
    topic = "VideoAnalytics/Radiometry/BoxTemperatureReading"
    data = {"ItemID": "Roof", "MaxTemperature": "353.15"}
    (told,) = happenings.of_notice(_notice(topic, data))
    assert told.uid == "temperature.roof"
    assert told.value == pytest.approx(80.0)
    for wrong in ("80", "nan", "", "1e9", "inf"):
        data = {"ItemID": "1", "MaxTemperature": wrong}
        assert happenings.of_notice(_notice(topic, data)) == []


def test_alerts_of_isapi_become_the_same_entities() -> None:
    heat = (Heat("4", 71.5, "°C"), Heat("5", 212.0, "°F"), Heat("6", 300.0, "K"))
    told = happenings.of_alert(Alert("tma", True, 1, 0, heat))
    assert {t.uid: round(float(t.value), 2) for t in told} == {
        "heat": 1.0,
        "temperature.4": 71.5,
        "temperature.5": 100.0,
        "temperature.6": 26.85,
    }
    (told_input,) = happenings.of_alert(Alert("io", True, 1, 2, ()))
    assert told_input.uid == "input.2"
    assert happenings.of_alert(Alert("fancynewthing", True, 1, 0, ())) == []


def test_an_alert_ends_by_silence_while_the_stream_lives() -> None:
    """devices.md §5: repeated about each second, never a clear: 5 s are the end."""
    shown = Shown("motion")
    shown.held.opened(0, silence_ends=True)
    shown.held.beat(NS)
    assert shown.of("motion") == (None, Quality.NOT_PRESENT, "camera.listening")
    shown.held.take(happenings.of_alert(Alert("vmd", True, 1, 0, ())), 2 * NS)
    shown.held.beat(6 * NS)
    assert shown.of("motion") == (True, Quality.GOOD, "")
    shown.held.beat(int((2 + ENDED_S) * NS))
    # A stream that stands still has not denied it: no all-clear (design §5).
    doubt = (True, Quality.UNCERTAIN, "camera.not_ended")
    assert shown.of("motion") == doubt
    shown.held.lives(int((2.5 + ENDED_S) * NS))
    shown.held.beat(int((2.5 + ENDED_S) * NS))
    assert shown.of("motion") == doubt  # the report behind this beat may be late too
    shown.held.lives(int((3 + ENDED_S) * NS))
    shown.held.beat(int((3 + ENDED_S) * NS))
    assert shown.of("motion") == (False, Quality.GOOD, "")


def test_a_late_beat_between_repeated_alerts_ends_nothing() -> None:
    """A slow line brings alert and beat by turns: what burns is never called off."""
    shown = Shown("flame")
    shown.held.opened(0, silence_ends=True)
    for second in range(0, 240, 12):
        alert = Alert("firedetection", True, 1, 0, ())
        shown.held.take(happenings.of_alert(alert), second * NS)
        shown.held.beat(second * NS)
        assert shown.of("flame") == (True, Quality.GOOD, "")
        shown.held.lives((second + 6) * NS)
        for later in range(6, 12):
            shown.held.beat((second + later) * NS)
            assert shown.of("flame")[:2] == (True, Quality.UNCERTAIN)


def test_silence_since_the_beginning_clears_only_after_its_time() -> None:
    shown = Shown("flame")
    shown.held.opened(0, silence_ends=True)
    shown.held.beat(int(ENDED_S * NS))
    assert shown.of("flame") == (None, Quality.NOT_PRESENT, "camera.listening")
    for second in (1.0, ENDED_S):
        shown.held.lives(int(second * NS))
    shown.held.beat(int(ENDED_S * NS))
    assert shown.of("flame") == (False, Quality.GOOD, "")


def test_a_property_holds_until_it_changes_and_none_is_made_up() -> None:
    shown = Shown("motion", "tamper")
    shown.held.opened(0, silence_ends=False)
    topic = "RuleEngine/CellMotionDetector/Motion"
    shown.held.take(happenings.of_notice(_notice(topic, {"IsMotion": "true"})), 0)
    shown.held.beat(3_600 * NS)
    assert shown.of("motion") == (True, Quality.GOOD, "")
    # ONVIF tells every property it has: one that was not told is not known.
    assert shown.of("tamper") == (None, Quality.NOT_PRESENT, "camera.not_told")


def test_one_of_two_that_say_motion_is_motion() -> None:
    """Design §5: any is TRUE if one is TRUE."""
    shown = Shown("motion")
    shown.held.opened(0, silence_ends=False)
    for source, state in (("1", "true"), ("2", "false")):
        notice = _notice("VideoSource/MotionAlarm", {"State": state}, source=source)
        shown.held.take(happenings.of_notice(notice), 0)
    shown.held.beat(NS)
    assert shown.of("motion")[0] is True


def test_reports_that_cannot_be_heard_have_no_value() -> None:
    """Design §5: unknown is never safe; a flame that was not denied is no all-clear."""
    shown = Shown("flame")
    shown.held.opened(0, silence_ends=True)
    shown.held.beat(10 * NS)
    shown.held.closed("camera.silent", heard=True)
    assert shown.of("flame") == (None, Quality.FAULT, "camera.silent")
    shown.held.beat(20 * NS)
    assert shown.of("flame")[1] is Quality.FAULT
    shown.held.opened(30 * NS, silence_ends=True)
    shown.held.beat(31 * NS)
    assert shown.of("flame")[1] is Quality.NOT_PRESENT


@given(
    names=st.lists(st.integers(0, 10_000), max_size=80),
    sources=st.integers(1, 60),
)
def test_a_camera_cannot_make_entities_without_end(
    names: list[int], sources: int
) -> None:
    shown = Shown("motion")
    shown.held.opened(0, silence_ends=False)
    for name in names:
        told = happenings.of_alert(Alert("io", True, 1, name, ()))
        shown.held.take(told, 0)
    for source in range(sources):
        notice = _notice(
            "VideoSource/MotionAlarm", {"State": "true"}, source=str(source)
        )
        shown.held.take(happenings.of_notice(notice), 0)
    assert len(shown.held.uids) <= MAX_ENTITIES
    assert len(shown.held._said["motion"]) <= happenings.MAX_KEYS
    shown.held.beat(NS)
    assert set(shown.last) == set(shown.held.uids)


@given(
    gaps=st.lists(st.floats(0.1, 60), min_size=0, max_size=12),
)
def test_a_beat_is_late_after_three_and_never_after_more_than_30_s(
    gaps: list[float],
) -> None:
    """Loss is told within three times the declared interval of 10 s."""
    beat, now = Beat(0), 0
    for gap in gaps:
        now += int(gap * NS)
        beat.heard(now)
    assert 6 * NS <= beat.due_ns - now <= 30 * NS


def test_old_firmware_that_beats_fast_is_found_silent_soon() -> None:
    beat = Beat(0)
    for number in range(1, 10):
        beat.heard(number * NS // 3)
    assert beat.due_ns - 3 * NS == 6 * NS


def test_every_kind_has_both_languages_and_fire_is_critical() -> None:
    for name, kind in KINDS.items():
        uid = f"{name}.1" if kind.numbered else name
        zh = happenings.entity(uid, "zh", 30.0, critical=True)
        en = happenings.entity(uid, "en", 30.0, critical=True)
        assert zh.name != en.name
        assert en.kind in (EntityKind.BINARY, EntityKind.SENSOR)
        assert en.critical is (name in ("flame", "smoke", "heat"))
