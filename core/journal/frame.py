"""Frames: how the journal lies on disk, and how a broken one is told.

    frame = head (8) · payload · chain (32) · end (1)
    head  = kind u8 · flags u8 · length u32 · check u16, big endian
    chain = SHA-256(previous chain · head · payload)

What is hashed is the stored bytes. A frame's predecessor on disk carries the
chain it stands on, so reading finds its feet again behind a damaged frame.
``check`` (CRC-16 of the head) and ``end`` (never zero) exist for one question
only: was this frame never wholly written (a torn tail), or was it changed?
"""

import binascii
import re
import struct
from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple

import msgspec

FORMAT = 1
SEGMENT, EVENT, CHECKPOINT, GAP = 0x53, 0x45, 0x43, 0x47  # S E C G
EXPORT, JUMP, EXPORT_END = 0x58, 0x4A, 0x5A  # X J Z, in export files only
KINDS = frozenset((SEGMENT, EVENT, CHECKPOINT, GAP, EXPORT, JUMP, EXPORT_END))
#: Flag of the first frame of a synced group: all before it was durable.
GROUP = 1
END = 0xA5
HEAD = struct.Struct(">BBIH")
TAIL_BYTES = 33
OVERHEAD = HEAD.size + TAIL_BYTES
#: Chain before the first frame of a journal.
GENESIS = bytes(32)
SECTOR = 512
#: So many zeros before a sector's end are no payload of ours.
_HOLE = 16
_START = re.compile(b"\xa5[%s]" % bytes(sorted(KINDS)), re.DOTALL)
_END_BYTE = bytes((END,))


class Stamp(msgspec.Struct):
    """Read an event's place in the order, and nothing else of it."""

    epoch: int
    seq: int


class Break(msgspec.Struct, frozen=True, kw_only=True):
    """Name the damage after which a new chain of segments begins."""

    segment: int
    frame: int
    offset: int


class SegmentHeader(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Open every segment: where it stands in the journal, and whose it is."""

    journal: bytes
    """Random id of the journal, 16 bytes."""
    segment: int
    first_seq: int
    count: int
    """Events stored before this segment."""
    epoch: int
    """Epoch of the last event before this segment."""
    prev: bytes
    """Chain of the frame before, in the segment before."""
    key: bytes
    """Ed25519 public key of the site, 32 bytes."""
    wall_ns: int
    format: int = FORMAT
    after_damage: Break | None = None


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Sign the chain up to the frame before; see `signed_bytes`."""

    seq: int
    count: int
    wall_ns: int
    sync: bool
    sig: bytes
    clean: bool = False
    """Written by a clean stop."""


class Lost(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Count what one subject lost in a gap."""

    subject: str
    type: str
    count: int
    protective: bool = False


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Stand for events that were accepted but could never be written."""

    first: int
    last: int
    lost: tuple[Lost, ...]


class ExportHeader(msgspec.Struct, frozen=True, kw_only=True):
    """Open an export file: the slice that it promises."""

    journal: bytes
    key: bytes
    first: int
    last: int
    format: int = FORMAT


class Jump(msgspec.Struct, frozen=True, kw_only=True):
    """Skip the frames between a segment's header and the slice."""

    frame: int
    """Number, within the segment, of the next frame."""
    seq: int
    """Sequence number before the next frame."""
    count: int
    """Events before the next frame."""
    prev: bytes
    """Chain before the next frame."""


class ExportEnd(msgspec.Struct, frozen=True, kw_only=True):
    """Close an export file, so that a cut one is known."""

    frames: int
    last: int


class Frame(NamedTuple):
    """One sound frame."""

    number: int
    offset: int
    kind: int
    flags: int
    payload: bytes
    chain: bytes
    end: int


class Fault(NamedTuple):
    """One place where no sound frame is.

    ``end`` is where reading goes on (or where the written bytes end).
    """

    number: int
    offset: int
    end: int
    torn: bool
    """True: the tail of a write that never finished; False: changed bytes."""


_header_decoder = msgspec.msgpack.Decoder(SegmentHeader)
_jump_decoder = msgspec.msgpack.Decoder(Jump)


def encode(kind: int, payload: bytes, prev: bytes, flags: int = 0) -> bytes:
    """Return the stored bytes of one frame; its chain is at ``[-33:-1]``."""
    head = HEAD.pack(kind, flags, len(payload), 0)[:6]
    body = head + binascii.crc_hqx(head, 0xFFFF).to_bytes(2, "big") + payload
    return body + sha256(prev + body).digest() + _END_BYTE


def signed_bytes(journal: bytes, mark: Checkpoint, head: bytes) -> bytes:
    """Return what a checkpoint's signature covers: chain head, place and time."""
    numbers = (mark.seq, mark.count, mark.wall_ns, mark.sync, mark.clean)
    return b"safehold checkpoint 1\0" + journal + head + struct.pack(">QQQ??", *numbers)


def walk(buf: bytes, prev: bytes = GENESIS) -> Iterator[Frame | Fault]:
    """Yield the frames of a segment or export, and every fault between them.

    A segment header carries the chain it stands on, so ``prev`` only matters
    where there is none. Reading ends at the zeros behind the last write, or
    with the torn fault.
    """
    offset = number = 0
    size = len(buf)
    while offset < size:
        frame = _frame_at(buf, offset, prev, number)
        if frame is not None:
            yield frame
            prev, offset = frame.chain, frame.end
            if frame.kind == JUMP:
                prev = _jump_decoder.decode(frame.payload).prev
        elif not any(buf[offset : offset + SECTOR]) and not buf[offset:].strip(b"\0"):
            return
        else:
            fault, prev = _explain(buf, offset, prev, number)
            yield fault
            offset = size if fault.torn else fault.end
        number += 1


def _frame_at(buf: bytes, offset: int, prev: bytes, number: int) -> Frame | None:
    end = _declared_end(buf, offset)
    if end is None or end > len(buf) or buf[end - 1] != END:
        return None
    body = buf[offset : end - TAIL_BYTES]
    payload = body[HEAD.size :]
    try:
        if body[0] == SEGMENT:
            prev = _header_decoder.decode(payload).prev
        elif body[0] == JUMP:
            _jump_decoder.decode(payload)
    except msgspec.MsgspecError:
        return None
    chain = sha256(prev + body).digest()
    if chain != buf[end - TAIL_BYTES : end - 1]:
        return None
    return Frame(number, offset, body[0], body[1], payload, chain, end)


def _declared_end(buf: bytes, offset: int) -> int | None:
    """Return where the frame says it ends, or None if its head is broken."""
    if offset + HEAD.size > len(buf):
        return None
    kind, _, length, check = HEAD.unpack_from(buf, offset)
    if kind not in KINDS:
        return None
    if check != binascii.crc_hqx(buf[offset : offset + 6], 0xFFFF):
        return None
    return offset + OVERHEAD + int(length)


def _explain(buf: bytes, offset: int, prev: bytes, number: int) -> tuple[Fault, bytes]:
    """Say what is wrong at ``offset``, where the next frame is and its chain."""
    used = len(buf.rstrip(b"\0"))
    declared = _declared_end(buf, offset)
    if declared is not None and declared < used:
        # The payload changed (the stored chain leads on), or the chain did.
        computed = sha256(prev + buf[offset : declared - TAIL_BYTES]).digest()
        for chain in (buf[declared - TAIL_BYTES : declared - 1], computed):
            if _frame_at(buf, declared, chain, 0) is not None:
                torn = _is_torn(buf, offset, used)
                return Fault(number, offset, used if torn else declared, torn), chain
    torn = _is_torn(buf, offset, used)
    for later in _frames_after(buf, offset):
        if not torn:
            chain = buf[later.offset - TAIL_BYTES : later.offset - 1]
            return Fault(number, offset, later.offset, torn), chain
    return Fault(number, offset, used, torn), prev


def _frames_after(buf: bytes, offset: int) -> Iterator[Frame]:
    """Find sound frames by the chain that lies before each of them."""
    for match in _START.finditer(buf, offset + TAIL_BYTES):
        at = match.start() + 1
        frame = _frame_at(buf, at, buf[at - TAIL_BYTES : at - 1], 0)
        if frame is not None:
            yield frame


def _is_torn(buf: bytes, offset: int, used: int) -> bool:
    """Tell bytes that never came from bytes that were changed.

    Only the last group can be torn: the start of a later one proves that this
    one was synced. A torn write leaves zeros: at its end, for a sector, or, where
    two tries were torn, from where the first ended to the end of its sector.
    """
    if any(frame.flags & GROUP for frame in _frames_after(buf, offset)):
        return False
    declared = _declared_end(buf, offset)
    if declared is not None and declared > used:
        return True
    if used - offset < HEAD.size and buf[offset] in KINDS:
        return True
    start = offset
    while start < used:
        stop = min(start - start % SECTOR + SECTOR, used)
        if not any(buf[max(start, stop - _HOLE) : stop]):
            return True
        start = stop
    return False
