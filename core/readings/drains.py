"""What leaves the live table: display rows and history, bounded and counted (R21)."""

from core.api.reading import Value
from core.link.messages import History, HistoryRow, LiveRow
from core.readings.point import Point

#: History rows kept until the archive takes them; beyond it rows are lost, counted.
MAX_HISTORY = 200_000


class Drains:
    """Collect changed points and history rows until they are asked for."""

    def __init__(self, max_history: int = MAX_HISTORY) -> None:
        self.max_history = max_history
        self.changed: list[Point] = []
        """Points that changed since the last drain, each once."""
        self.rows: list[HistoryRow] = []
        self.lost = 0
        self.lost_total = 0
        self._names: dict[int, str] = {}

    def name(self, point: Point) -> None:
        """Tell the archive a point's number."""
        self._names[point.number] = point.entity_id

    def touch(self, point: Point) -> None:
        """Mark a point as changed for display."""
        if not point.dirty:
            point.dirty = True
            self.changed.append(point)

    def keep(self, point: Point, wall_ms: int, value: Value, quality: int) -> None:
        """Keep one row of history."""
        self.rows.append(HistoryRow(point.number, wall_ms, value, quality))

    def shed(self) -> None:
        """Let the newest rows go beyond the bound; once a frame."""
        over = len(self.rows) - self.max_history
        if over > 0:
            del self.rows[self.max_history :]
            self.lost += over
            self.lost_total += over

    def live(self, points: list[Point], now: int, wall: int) -> list[LiveRow]:
        """Return display rows; ``now`` is boot time, ``wall`` the same moment."""
        rows = []
        for point in points:
            point.dirty = False
            quality = point.quality_at(now)
            heard = point.received_ns
            rows.append(
                LiveRow(
                    point.entity_id,
                    point.value,
                    quality,
                    wall - (now - heard) if heard else 0,
                    point.reason if quality == point.quality else "silent",
                )
            )
        return rows

    def history(self) -> History:
        """Return and forget the kept rows, new names and the count of lost ones."""
        batch = History(self.rows, self._names, self.lost)
        self.rows, self._names, self.lost = [], {}, 0
        return batch
