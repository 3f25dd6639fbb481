"""The journal's signed head: what a witness keeps, and what a paper names."""

from collections.abc import Iterator

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from core.journal.frame import (
    CHECKPOINT,
    SEGMENT,
    Checkpoint,
    Frame,
    SegmentHeader,
    signed_bytes,
    walk,
)
from core.journal.reader import segments
from core.journal.segment import Disk


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """Hold one checkpoint with all that verifies it; bytes as hex."""

    journal: str
    seq: int
    count: int
    wall_ns: int
    sync: bool
    clean: bool
    head: str
    """Chain up to the checkpoint."""
    key: str
    """Ed25519 public key of the site."""
    sig: str

    def sound(self) -> bool:
        """Say whether the site's key signed just this head."""
        try:
            mark = Checkpoint(
                seq=self.seq,
                count=self.count,
                wall_ns=self.wall_ns,
                sync=self.sync,
                clean=self.clean,
                sig=b"",
            )
            signed = signed_bytes(
                bytes.fromhex(self.journal), mark, bytes.fromhex(self.head)
            )
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.key))
            key.verify(bytes.fromhex(self.sig), signed)
        except (ValueError, InvalidSignature):
            return False
        return True

    def data(self) -> bytes:
        """Return the canonical bytes that a witness keeps."""
        return msgspec.json.encode(self, order="deterministic")


def parse(data: bytes | str) -> Head:
    """Return a head; raises ValueError when it is none or its signature is not."""
    try:
        found = msgspec.json.decode(data, type=Head)
    except msgspec.MsgspecError as bad:
        raise ValueError(f"no journal head: {bad}") from bad
    if not found.sound():
        raise ValueError("the head's signature is not its key's")
    return found


def heads(data: bytes) -> Iterator[Head]:
    """Yield the checkpoints of one segment."""
    header: SegmentHeader | None = None
    before = b""
    for frame in walk(data):
        if not isinstance(frame, Frame):
            header = None  # behind a fault only the next header tells where we are
            continue
        if frame.kind == SEGMENT:
            header = msgspec.msgpack.decode(frame.payload, type=SegmentHeader)
        elif frame.kind == CHECKPOINT and header is not None:
            mark = msgspec.msgpack.decode(frame.payload, type=Checkpoint)
            yield Head(
                journal=header.journal.hex(),
                seq=mark.seq,
                count=mark.count,
                wall_ns=mark.wall_ns,
                sync=mark.sync,
                clean=mark.clean,
                head=before.hex(),
                key=header.key.hex(),
                sig=mark.sig.hex(),
            )
        before = frame.chain


def last_head(disk: Disk) -> Head | None:
    """Return the last signed head of a journal; None before the first checkpoint."""
    for name in reversed(segments(disk)):
        found = None
        for found in heads(disk.read(name)):  # noqa: B007
            pass
        if found is not None:
            return found
    return None


def stands(disk: Disk, told: Head) -> bool:
    """Say whether a head that was noted elsewhere stands in this journal."""
    return any(
        found == told for name in segments(disk) for found in heads(disk.read(name))
    )
