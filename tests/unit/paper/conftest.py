"""A journal in a folder, told by the whole kernel, and the fonts or a skip."""

from pathlib import Path

import pytest

from core.clock import SimClock
from core.journal.checkpoint import KEY_NAME, load_signer
from core.journal.envelope import Envelope
from core.journal.frame import CHECKPOINT, EVENT, SEGMENT, SegmentHeader, encode
from core.journal.segment import RealDisk
from frontend_api.paper import fonts
from tests.unit.exchange.conftest import BUNDLE, Told


@pytest.fixture(scope="session")
def faces() -> fonts.Fonts:
    """Return the font's files, or skip with the package's name."""
    try:
        return fonts.find()
    except fonts.FontMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture
def told() -> Told:
    """Return an empty journal at 08:00 of a working day."""
    return Told()


def write_hub(data: Path, told: Told) -> Path:
    """Write what was told as a hub's folder: journal, bundle and site key."""
    import msgspec

    from core import config
    from core.journal.envelope import encode as enveloped

    (data / "keys").mkdir(parents=True)
    (data / "journal").mkdir()
    (data / "bundles").mkdir()
    raw = config.dump(BUNDLE)
    (data / "bundles" / f"{config.digest(raw)}.bundle").write_bytes(raw)
    keys = RealDisk(data / "keys")
    signer = load_signer(keys, SimClock(wall_ns=told.wall_ns))
    keys.close()
    assert (data / "keys" / KEY_NAME).exists()
    journal = b"j" * 16
    header = SegmentHeader(
        journal=journal,
        segment=1,
        first_seq=1,
        count=0,
        epoch=0,
        prev=bytes(32),
        key=signer.public,
        wall_ns=told.wall_ns,
    )
    out = bytearray(encode(SEGMENT, msgspec.msgpack.encode(header), bytes(32)))
    events: list[Envelope] = told.envelopes
    for envelope in events:
        out += encode(EVENT, enveloped(envelope), bytes(out[-33:-1]))
    head = bytes(out[-33:-1])
    mark = signer.sign(journal, len(events), len(events), head, clean=True)
    out += encode(CHECKPOINT, mark, head)
    (data / "journal" / "00000001.seg").write_bytes(bytes(out))
    return data


@pytest.fixture
def hub(tmp_path: Path, told: Told) -> Path:
    """Return a hub's folder with one armed bundle, one permit, one hold."""
    from core import config
    from core.processes.events import ConfigArmed

    told.tell(ConfigArmed(hash=config.digest(config.dump(BUNDLE)), by="test"))
    permit = told.issue()
    told.hold(permit, "H1", "guardian")
    return write_hub(tmp_path / "data", told)
