"""The archive's readings as a back-test hears them: read only, gaps left as gaps."""

import bisect
import contextlib
import math
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import msgspec

from core.api.quality import Quality
from core.api.reading import Value
from core.api.said import Said
from core.processes.history import NAME, STEADY_MS, Chunk

#: Span of history that is read at once; ms.
WINDOW_MS = 600_000
#: A chunk may begin so long before the moment that it tells of.
_BEFORE_MS = STEADY_MS + 60_000
GOOD = int(Quality.GOOD)

_decode = msgspec.msgpack.Decoder(Chunk).decode
Calm = tuple[float, float]
#: No number is calm: every sample is heard.
LOUD: Calm = (math.inf, -math.inf)


class Stretch(NamedTuple):
    """Hold one stored chunk: ms, extremes, worst quality and the encoded samples."""

    start_ms: int
    end_ms: int
    low: float | None
    high: float | None
    worst: int
    data: bytes

    def is_calm(self, calm: Calm, max_age_ms: int) -> bool:
        """Say whether no sample of it can change what a level says."""
        return (
            self.worst == GOOD
            and self.low is not None
            and self.high is not None
            and calm[0] < self.low
            and self.high < calm[1]
            and (self.low == self.high or self.end_ms - self.start_ms <= max_age_ms)
        )


CALM, BEGINS, GOES_ON = range(3)
Heard = tuple[int, str, int, Stretch]
"""ms, entity, what begins there (CALM, BEGINS or GOES_ON), its stretch."""


class Sample(NamedTuple):
    """Tell what stood at a moment, and until when it can be believed; ms."""

    at_ms: int
    value: Value
    quality: int
    until_ms: int


class HistoryGone(Exception):
    """There is no history to look at, or it cannot be read."""


class PastFile:
    """Read ``history.db`` beside the archive that writes it."""

    def __init__(self, folder: Path) -> None:
        file = folder / NAME
        if not file.is_file():
            raise HistoryGone(
                Said("{file}: no history here; --data names the hub's data", file=file)
            )
        self._db = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=5.0)
        self._ids = dict(self._db.execute("SELECT entity, id FROM points"))

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def stretches(self, entity: str, from_ms: int, to_ms: int) -> list[Stretch]:
        """Return the stretches of an entity that begin in [from, to)."""
        number = self._ids.get(entity)
        if number is None:
            return []
        rows = self._db.execute(
            "SELECT start_ms, end_ms, low, high, worst, data FROM chunks"
            " WHERE point = ? AND start_ms >= ? AND start_ms < ? ORDER BY start_ms",
            [number, from_ms, to_ms],
        )
        return list(map(Stretch._make, rows))

    def held(self) -> tuple[int, int] | None:
        """Return the first and the last ms of the history; None: it is empty."""
        row = self._db.execute("SELECT min(end_ms), max(end_ms) FROM chunks").fetchone()
        return None if row[0] is None else (int(row[0]), int(row[1]))

    def lost(self, from_ms: int, to_ms: int) -> int:
        """Return how many readings the archive counts as lost in a span."""
        with contextlib.suppress(sqlite3.Error):
            row = self._db.execute(
                "SELECT coalesce(sum(rows), 0) FROM losses"
                " WHERE wall_ms >= ? AND wall_ms < ?",
                [from_ms, to_ms],
            ).fetchone()
            return int(row[0])
        return 0


class Strip:
    """Play one entity's readings; what it says at a moment is exact.

    Stretches that cannot matter are not taken apart before somebody asks.
    """

    __slots__ = (
        "_samples",
        "entity_id",
        "loud",
        "max_age_ms",
        "now",
        "silent",
        "until_ms",
    )

    def __init__(self, entity_id: str, max_age_ms: int) -> None:
        self.entity_id, self.max_age_ms = entity_id, max_age_ms
        self.now: Stretch | None = None
        self.until_ms = -1
        self.loud = True
        """True: the next sample is heard even if it is calm."""
        self.silent = True
        """True while nothing is heard of it: before the first word, and in gaps."""
        self._samples: Chunk | None = None

    def take(self, stretch: Stretch) -> None:
        """Go on to the next stretch."""
        self.now, self._samples = stretch, None
        self.until_ms = stretch.end_ms + self.max_age_ms

    def samples(self) -> Chunk:
        """Return the present stretch's samples."""
        if self._samples is None:
            assert self.now is not None  # noqa: S101  only asked of a stretch
            self._samples = _decode(self.now.data)
        return self._samples

    def at(self, now_ms: int) -> Sample | None:
        """Return what stood at a moment of the present stretch."""
        if self.now is None:
            return None
        chunk, start = self.samples(), self.now.start_ms
        place = max(bisect.bisect_right(chunk.at, now_ms - start) - 1, 0)
        moment = start + chunk.at[place]
        value, quality = chunk.values[place], chunk.qualities[place]
        until = moment + self.max_age_ms
        if place + 1 < len(chunk.at):
            same = (chunk.values[place + 1], chunk.qualities[place + 1])
            if same == (value, quality):
                # The middle of a steady stretch is not kept, yet it was said.
                following = start + chunk.at[place + 1]
                until = following + self.max_age_ms
                moment = min(max(now_ms, moment), following)
        return Sample(moment, value, quality, until)


class Reel:
    """Hold the strips, and hand out in order of time what must be heard."""

    def __init__(self, file: PastFile) -> None:
        self.file = file
        self.strips: dict[str, Strip] = {}
        self._calm: dict[str, Calm] = {}
        self._asked: dict[str, Strip] = {}
        self._loaded: dict[str, tuple[int, list[Stretch]]] = {}
        self.read = 0
        """Stretches played so far."""

    def follow(self, entity_id: str, max_age_ms: int, calm: Calm) -> None:
        """Play an entity's readings from now on."""
        if entity_id not in self.strips:
            self.strips[entity_id] = Strip(entity_id, max_age_ms)
        self._calm[entity_id] = calm

    def heard(
        self, from_ms: int, to_ms: int, only: Iterable[str] | None = None
    ) -> list[Heard]:
        """Return, in order of time, what begins in a span; of some entities, or all."""
        made: list[Heard] = []
        for entity_id in list(self.strips if only is None else only):
            calm, age = self._calm[entity_id], self.strips[entity_id].max_age_ms
            for stretch in self.file.stretches(entity_id, from_ms, to_ms):
                self.read += 1
                start = stretch[0]
                if stretch.is_calm(calm, age):
                    made.append((start, entity_id, CALM, stretch))
                    continue
                made.append((start, entity_id, BEGINS, stretch))
                if stretch.end_ms > start:
                    chunk = _decode(stretch.data)
                    made += [
                        (start + at, entity_id, GOES_ON, stretch)
                        for at in chunk.at
                        if at
                    ]
        made.sort(key=_moment)
        return made

    def ask(self, entity_id: str, max_age_ms: int, now_ms: int) -> Sample | None:
        """Return what an entity that nobody follows said last."""
        strip = self._asked.get(entity_id)
        if strip is None:
            strip = self._asked[entity_id] = Strip(entity_id, max_age_ms)
        window, stretches = self._loaded.get(entity_id, (-1, []))
        if window != now_ms // WINDOW_MS:
            window = now_ms // WINDOW_MS
            first = window * WINDOW_MS
            stretches = self.file.stretches(
                entity_id, first - _BEFORE_MS - max_age_ms, first + WINDOW_MS
            )
            self._loaded[entity_id] = (window, stretches)
        place = bisect.bisect_right(stretches, now_ms, key=lambda s: s.start_ms) - 1
        if place < 0:
            return None
        if strip.now is not stretches[place]:
            strip.take(stretches[place])
        return strip.at(now_ms)


def _moment(heard: Heard) -> int:
    return heard[0]
