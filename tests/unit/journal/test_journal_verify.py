"""Verify finds any flipped bit and names its frame (design §5 Journal)."""

import subprocess
import sys
from functools import cache
from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.clock import SimClock
from core.journal.checkpoint import sim_signer
from core.journal.frame import (
    CHECKPOINT,
    EVENT,
    GENESIS,
    JUMP,
    Checkpoint,
    Frame,
    Jump,
    encode,
)
from core.journal.reader import segments
from core.journal.simdisk import SimDisk
from core.journal.store import JournalDamaged
from core.journal.verify import main, verify
from tests.unit.journal.journals import fill, frames, payload, reopen, save


@cache
def _clean() -> dict[str, bytes]:
    disk = fill(60)
    return {name: disk.read(name) for name in segments(disk)}


@cache
def _used() -> list[tuple[str, Frame]]:
    found = []
    for name, data in _clean().items():
        for frame in frames(data):
            assert isinstance(frame, Frame)
            found.append((name, frame))
    return found


_VERIFIER = ("", ".audit", ".envelope", ".frame", ".proofs", ".statement")


def _write(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def test_a_sound_journal_is_ok(tmp_path: Path) -> None:
    report = verify(save(fill(60), tmp_path))
    assert report.ok, report.findings
    assert report.torn is None
    assert (report.first_seq, report.last_seq, report.events) == (1, 60, 60)
    assert report.signed_seq == 60
    assert report.files > 2, "several segments, or rolling is not tested"


@given(data=st.data())
@settings(max_examples=600)
def test_any_flipped_bit_is_found_and_its_frame_named(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Issue: any one bit of the journal flipped, verify names the frame."""
    name, frame = data.draw(st.sampled_from(_used()))
    at = data.draw(st.integers(frame.offset, frame.end - 1))
    bit = data.draw(st.integers(0, 7))
    changed = bytearray(_clean()[name])
    changed[at] ^= 1 << bit
    folder = tmp_path_factory.getbasetemp() / "flipped"
    report = verify(_write(folder, {**_clean(), name: bytes(changed)}))
    assert report.torn is None
    assert [(f.file, f.frame, f.offset) for f in report.findings] == [
        (name, frame.number, frame.offset)
    ], report.findings


@given(seed=st.integers(0, 10_000), size=st.integers(1, 40))
@settings(max_examples=60)
def test_overwritten_bytes_are_found(
    seed: int, size: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rng = Random(seed)
    name, frame = rng.choice(_used())
    changed = bytearray(_clean()[name])
    at = rng.randrange(frame.offset, frame.end)
    new = rng.randbytes(min(size, frame.end - at))
    if changed[at : at + len(new)] == new:
        return
    changed[at : at + len(new)] = new
    folder = tmp_path_factory.getbasetemp() / "overwritten"
    report = verify(_write(folder, {**_clean(), name: bytes(changed)}))
    named = {(f.file, f.offset) for f in report.findings}
    if report.torn is not None:
        named.add((report.torn.file, report.torn.offset))
    assert (name, frame.offset) in named


def _rebuilt(name: str, change: str) -> bytes:
    """Drop, repeat or swap frames in the middle of a segment."""
    data = _clean()[name]
    parts = [data[f.offset : f.end] for n, f in _used() if n == name]
    if change == "drop":
        del parts[3]
    elif change == "repeat":
        parts.insert(3, parts[3])
    else:
        parts[3], parts[4] = parts[4], parts[3]
    return b"".join(parts)


@pytest.mark.parametrize("change", ["drop", "repeat", "swap"])
def test_dropped_repeated_swapped_frames_are_found(tmp_path: Path, change: str) -> None:
    name = sorted(_clean())[0]
    report = verify(_write(tmp_path, {**_clean(), name: _rebuilt(name, change)}))
    assert not report.ok
    assert report.findings[0].frame == (4 if change == "repeat" else 3)


@pytest.mark.parametrize("which", [0, 1])
def test_a_missing_segment_is_found(tmp_path: Path, which: int) -> None:
    files = dict(_clean())
    del files[sorted(files)[which]]
    report = verify(_write(tmp_path, files))
    assert [f.code for f in report.findings] == ["segment_missing"]


def test_a_chopped_segment_is_damage_when_others_follow(tmp_path: Path) -> None:
    name = sorted(_clean())[0]
    chopped = _clean()[name].rstrip(b"\0")[:-10]
    report = verify(_write(tmp_path, {**_clean(), name: chopped}))
    assert report.findings[0].code == "bytes_changed"
    assert report.findings[0].file == name


def test_a_torn_tail_is_not_damage(tmp_path: Path) -> None:
    name, last = _used()[-1]
    torn = _clean()[name][: last.end - 5]
    torn += bytes(len(_clean()[name]) - len(torn))
    report = verify(_write(tmp_path, {**_clean(), name: torn}))
    assert report.ok
    assert report.torn is not None
    assert (report.torn.frame, report.torn.offset) == (last.number, last.offset)


def _forge(payload_of: dict[int, bytes]) -> bytes:
    """Rebuild the first segment's chain with some payloads replaced."""
    name = sorted(_clean())[0]
    data, head = bytearray(), GENESIS
    for owner, frame in _used():
        if owner == name:
            payload = payload_of.get(frame.number, frame.payload)
            data += encode(frame.kind, payload, head, frame.flags)
            head = bytes(data[-33:-1])
    return bytes(data)


def _first(kind: int) -> Frame:
    return next(f for _, f in _used() if f.kind == kind)


def test_a_rewritten_chain_fails_at_the_signature(tmp_path: Path) -> None:
    """Who rewrites the chain without the site's key cannot sign it."""
    event = _first(EVENT)
    changed = event.payload.replace(b"hub:test", b"hub:liar")
    segment = _write(tmp_path, {"00000001.seg": _forge({event.number: changed})})
    report = verify(segment / "00000001.seg")
    assert report.findings[0].code == "checkpoint_forged"
    assert report.findings[0].frame == _first(CHECKPOINT).number


def test_a_checkpoint_signed_by_another_key_is_forged(tmp_path: Path) -> None:
    clock = SimClock()
    frame = _first(CHECKPOINT)
    mark = msgspec.msgpack.decode(frame.payload, type=Checkpoint)
    own = sim_signer(99, clock).sign(b"j" * 16, mark.seq, mark.count, b"", clean=False)
    segment = _write(tmp_path, {"00000001.seg": _forge({frame.number: own})})
    report = verify(segment / "00000001.seg")
    assert report.findings[0].code == "checkpoint_forged"


def test_another_key_than_the_noted_one_is_found(tmp_path: Path) -> None:
    folder = _write(tmp_path, _clean())
    good = bytes.fromhex(verify(folder).key)
    assert verify(folder, good).ok
    assert verify(folder, bytes(32)).findings[0].code == "other_key"


def test_an_unreadable_chained_frame_is_named(tmp_path: Path) -> None:
    frame = _first(EVENT)
    folder = _write(tmp_path, {"00000001.seg": _forge({frame.number: b"\xc1"})})
    codes = [f.code for f in verify(folder / "00000001.seg").findings]
    assert codes[0] == "unreadable"
    disk = SimDisk()
    disk.put("00000001.seg", (folder / "00000001.seg").read_bytes())
    with pytest.raises(JournalDamaged):
        reopen(disk)


def test_main_says_ok_damaged_or_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = _write(tmp_path / "journal", _clean())
    assert main([str(folder)]) == 0
    assert "OK: 60 events, seq 1-60, signed to 60" in capsys.readouterr().out
    name, frame = _used()[7]
    changed = bytearray(_clean()[name])
    changed[frame.offset + 20] ^= 4
    (folder / name).write_bytes(changed)
    assert main([str(folder)]) == 1
    assert f"frame {frame.number}, byte {frame.offset}" in capsys.readouterr().out
    assert main([str(folder), "--language", "zh", "--json"]) == 1
    assert main([str(folder), "--language", "zh"]) == 1
    assert "已损坏" in capsys.readouterr().out
    assert main([str(tmp_path / "nothing")]) == 2
    with pytest.raises(SystemExit) as stop:
        main([str(folder), "--key", "xyz"])
    assert stop.value.code == 2


def test_verify_works_on_an_empty_disk_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no journal segment"):
        verify(save(SimDisk(), tmp_path))


def test_the_verifier_is_a_program_of_its_own(tmp_path: Path) -> None:
    """Design §5: an inspector runs it without the hub."""
    program = (
        "import runpy, sys\n"
        "try: runpy.run_module('core.journal.verify', run_name='__main__')\n"
        "finally: sys.stderr.write(' '.join(m for m in sys.modules if 'core' in m))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(_write(tmp_path, _clean()))],
        cwd=Path(__file__).resolve().parents[3],
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    assert (done.returncode, done.stdout.split()[0]) == (0, "key"), done.stderr
    ours = {name for name in done.stderr.split() if name.startswith("core")}
    assert ours == {"core", *map("core.journal{}".format, _VERIFIER)}


def test_a_jump_in_a_segment_cannot_hide_events(tmp_path: Path) -> None:
    """Frames of an export have no place in a journal, nor a second jump in one."""
    name = sorted(_clean())[0]
    own = [f for n, f in _used() if n == name]
    data, cut, back = _clean()[name], own[2], own[5]
    prev = data[back.offset - 33 : back.offset - 1]
    jump = Jump(frame=5, seq=4, count=4, prev=prev)
    leap = encode(JUMP, msgspec.msgpack.encode(jump), own[1].chain)
    hidden = data[: cut.offset] + leap + data[back.offset :]
    report = verify(_write(tmp_path, {**_clean(), name: hidden}))
    assert report.findings[0].code == "out_of_place"
    disk = SimDisk()
    disk.put(name, hidden)
    with pytest.raises(JournalDamaged):
        reopen(disk)


def test_a_chain_without_signatures_is_found(tmp_path: Path) -> None:
    """Who rewrites all and leaves the checkpoints out has signed nothing."""
    name = sorted(_clean())[0]
    data, head = bytearray(_clean()[name][: _used()[0][1].end]), _used()[0][1].chain
    for seq in range(1, 700):
        data += encode(EVENT, payload(seq), head)
        head = bytes(data[-33:-1])
    report = verify(_write(tmp_path, {name: bytes(data)}))
    assert [f.code for f in report.findings] == ["unsigned"]
