"""The decoder: which packets it must decode, and JPEGs that are none."""

from hypothesis import given
from hypothesis import strategies as st

from core.clock import NS
from integrations.camera import decoder
from integrations.camera.decoder import Keys
from integrations.camera.simscene import Scene

GAP = NS // 2


def test_all_is_decoded_until_key_pictures_are_known_to_come_often() -> None:
    keys = Keys(GAP)
    assert keys.take(True, 0)
    assert keys.take(False, NS // 10)
    assert keys.take(True, NS // 2)
    assert not keys.take(False, NS // 2 + 1)


def test_a_stream_whose_key_pictures_grow_rare_is_decoded_from_the_next_one() -> None:
    """Without its key picture every other one is torn, and would look like a fault."""
    keys = Keys(GAP)
    for number in range(4):
        keys.take(True, number * NS // 4)
    assert not keys.take(False, 5 * NS)
    assert keys.take(True, 6 * NS)
    assert keys.take(False, 6 * NS + 1)


def test_a_key_picture_in_two_packets_is_one() -> None:
    """GStreamer repeats its parameter sets before each slice, which splits it."""
    keys = Keys(GAP)
    for start in (0, 10 * NS, 20 * NS):
        assert keys.take(True, start)
        assert keys.take(True, start + NS // 1_000)
        assert keys.take(False, start + NS)


@given(
    packets=st.lists(
        st.tuples(st.booleans(), st.integers(0, 3 * NS), st.booleans()), max_size=60
    )
)
def test_no_picture_is_decoded_without_all_since_its_key(
    packets: list[tuple[bool, int, bool]],
) -> None:
    keys, now, whole = Keys(GAP), 0, False
    for is_key, gap, breaks in packets:
        now += gap
        taken = keys.take(is_key, now)
        if is_key:
            assert taken
            whole = True
        elif taken:
            assert whole
        else:
            whole = False
        if breaks and taken:
            keys.broke()
            whole = False


_JPEG = Scene("seed", 64, 48).jpeg()


@given(
    data=st.one_of(
        st.binary(max_size=300),
        st.builds(
            lambda at, to, new: _JPEG[:at] + new + _JPEG[to:],
            st.integers(0, len(_JPEG)),
            st.integers(0, len(_JPEG)),
            st.binary(max_size=40),
        ),
    )
)
def test_a_jpeg_is_a_picture_or_none(data: bytes) -> None:
    """Issue, tests: no exception, and a picture of what was cut short is none."""
    found = decoder.still(data)
    assert found is None or (found.width > 0 and found.height > 0)


def test_a_jpeg_that_was_cut_is_no_picture() -> None:
    assert decoder.still(_JPEG) is not None
    for share in (0.2, 0.5, 0.9):
        cut = _JPEG[: int(len(_JPEG) * share)]
        assert decoder.still(cut) is None
        assert decoder.still(cut + decoder.END) is None
