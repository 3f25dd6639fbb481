"""Read an entity's past, clean it and score it, for whoever asks the archive."""

from collections.abc import Iterator

import msgspec

from core.api.model import Entity
from core.api.reading import Value
from core.processes.history import HistoryFile
from core.quality.classes import usual
from core.quality.filters import Sample, clean
from core.quality.score import Score, score

#: Samples looked at for one answer: a day at one a second, twice.
MAX_SAMPLES = 172_800
#: Samples that are named as taken out; the score counts all.
MAX_OUT = 500


class Sifted(msgspec.Struct, kw_only=True):
    """Hold what cleaning took out of an entity's curve, and its score."""

    out: list[tuple[int, Value, str]]
    """Wall milliseconds, raw value, filter: quality, range, rate, spike, stuck."""
    score: Score
    interval_s: float
    """How often it should have spoken."""


Answer = dict[str, Sifted]
_decoder = msgspec.msgpack.Decoder(Answer)


def dump(answer: Answer) -> bytes:
    """Return an answer as it travels."""
    return msgspec.msgpack.encode(answer)


def load(data: bytes) -> Answer:
    """Return an answer from its bytes; raises msgspec.DecodeError."""
    return _decoder.decode(data) if data else {}


def stretches(
    file: HistoryFile, entity_id: str, from_ms: int, to_ms: int
) -> list[list[Sample]]:
    """Return what was said without a silence within; raises sqlite3.Error."""
    found: list[list[Sample]] = []
    count = 0
    for chunk in file.chunks(entity_id, from_ms, to_ms):
        found.append([Sample(*sample) for sample in chunk])
        count += len(found[-1])
        if count > MAX_SAMPLES:
            break
    return found


def sift(parts: list[list[Sample]], entity: Entity, from_ms: int, to_ms: int) -> Sifted:
    """Clean and score the stretches of one entity."""
    spec = usual(entity)
    interval_s = max(spec.interval_s, entity.max_age_s / 3)
    end = parts[-1][-1].ms if sum(map(len, parts)) > MAX_SAMPLES else to_ms
    return Sifted(
        out=list(_out(parts, entity))[-MAX_OUT:],
        score=score(parts, spec, (from_ms, end), interval_s),
        interval_s=interval_s,
    )


def _out(parts: list[list[Sample]], entity: Entity) -> Iterator[tuple[int, Value, str]]:
    samples = (sample for part in parts for sample in part)
    for row in clean(samples, usual(entity)):
        if row.filter:
            yield row.ms, row.raw, row.filter
