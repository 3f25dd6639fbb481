"""Chunks that grow, are cut, and are read from any place (design §5 Personal data)."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frontend_api.sealed import CHUNK, Growing, Sealed, Unsealable

KEY = bytes(range(32))
#: Sizes on both sides of every boundary of a chunk.
EDGE = st.sampled_from([-2, -1, 0, 1, 2]).flatmap(
    lambda by: st.integers(0, 3).map(lambda chunks: max(0, chunks * CHUNK + by))
)
SIZES = st.one_of(EDGE, st.integers(0, 3 * CHUNK))


@contextmanager
def blank() -> Iterator[Sealed]:
    with tempfile.TemporaryDirectory() as folder:
        yield Sealed(Path(folder) / "f", KEY, b"u")


def content(size: int, salt: int = 0) -> bytes:
    """Return bytes of which no two chunks are alike."""
    block = hashlib.sha256(bytes([salt])).digest()
    return b"".join(
        hashlib.sha256(block + i.to_bytes(4, "big")).digest()
        for i in range(size // 32 + 1)
    )[:size]


@settings(max_examples=40)
@given(st.lists(st.tuples(SIZES, st.sampled_from("-fr")), max_size=5))
def test_any_pieces_flushes_and_restarts_make_one_content(
    steps: list[tuple[int, str]],
) -> None:
    """Whatever the pieces: what was flushed is there, whole, after a restart."""
    with blank() as file:
        growing, told, safe = Growing.resume(file), b"", b""
        for number, (size, then) in enumerate(steps):
            piece = content(size, number)
            growing.write(piece)
            told += piece
            if then in "fr":
                growing.flush()
                safe = told
            if then == "r":
                growing = Growing.resume(file)
                assert growing.size == len(safe)
        assert growing.size == len(told)
        assert growing.digest() == hashlib.sha256(told).hexdigest()
        growing.flush()
        assert b"".join(file.read(len(told))) == told


@settings(max_examples=30)
@given(SIZES, SIZES, SIZES)
def test_any_range_is_the_slice_of_the_content(
    size: int, start: int, stop: int
) -> None:
    with blank() as file:
        growing = Growing(file)
        growing.write(content(size))
        growing.flush()
        assert b"".join(file.read(size, start, stop)) == content(size)[start:stop]


@settings(max_examples=30)
@given(st.integers(1, 3 * CHUNK), st.data())
def test_a_changed_or_cut_byte_is_seen(size: int, data: st.DataObject) -> None:
    with blank() as file:
        growing = Growing(file)
        growing.write(content(size))
        growing.flush()
        stored = bytearray(file.path.read_bytes())
        at = data.draw(st.integers(0, len(stored) - 1))
        if data.draw(st.booleans()):
            stored[at] ^= 1
        else:
            del stored[at:]
        file.path.write_bytes(stored)
        with pytest.raises(Unsealable):
            b"".join(file.read(size))
        # An upload goes on behind the last chunk that is sound.
        again = Growing.resume(file)
        assert again.size <= size
        assert again.size % CHUNK == 0
        again.write(content(size)[again.size :])
        again.flush()
        assert b"".join(file.read(size)) == content(size)


def test_chunks_do_not_change_places_or_files(tmp_path: Path) -> None:
    one = Sealed(tmp_path / "one", KEY, b"one")
    growing = Growing(one)
    growing.write(content(2 * CHUNK))
    growing.flush()
    stored = one.path.read_bytes()
    half = len(stored) // 2
    assert content(CHUNK)[:64] not in stored
    one.path.write_bytes(stored[half:] + stored[:half])
    with pytest.raises(Unsealable, match="chunk 0 was changed"):
        b"".join(one.read(2 * CHUNK))
    one.path.write_bytes(stored)
    for other in (
        Sealed(one.path, KEY, b"two"),
        Sealed(one.path, bytes(32), b"one"),
    ):
        with pytest.raises(Unsealable):
            b"".join(other.read(2 * CHUNK))


def test_the_last_chunk_is_never_sealed_with_the_same_nonce(tmp_path: Path) -> None:
    file = Sealed(tmp_path / "f", KEY, b"u")
    growing = Growing(file)
    seen = set()
    for _ in range(20):
        growing.write(b"x")
        growing.flush()
        seen.add(file.path.read_bytes()[:12])
    assert len(seen) == 20
