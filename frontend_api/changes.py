"""Snapshots and changes for the screens: one message, at most five a second."""

import asyncio
import secrets
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from core.api.reading import Value
from core.link.messages import LiveRow
from frontend_api.render import Renderer
from frontend_api.replica import SECTIONS, Kept, Replica
from frontend_api.sentences import event_view
from frontend_api.views import EventView

#: At most five change messages a second go to a screen (ui conventions).
PERIOD_S = 0.2
#: Change messages kept for a screen that reconnects.
RESUME = 300
FIRST_EVENTS = 60

LiveCell = tuple[Value, int, int, str]
_encode = msgspec.json.Encoder().encode


class Place(msgspec.Struct, frozen=True):
    """Say where a screen stands: the journal's cursor, and the message's number.

    Process and zone states change without an event, so (epoch, seq) alone would
    lose them; ``stream`` tells the lives of the gateway apart.
    """

    epoch: int = 0
    seq: int = 0
    stream: str = ""
    step: int = 0


class ChangeMessage(msgspec.Struct, tag="change", omit_defaults=True):
    """Tell what changed since the previous message, by section and id."""

    epoch: int
    seq: int
    step: int
    durable: int
    now_ms: int
    set: dict[str, dict[str, msgspec.Raw]] = {}
    gone: dict[str, list[str]] = {}
    events: list[EventView] = []
    live: dict[str, LiveCell] = {}
    positions: dict[str, tuple[float, ...]] = {}


class SnapshotMessage(msgspec.Struct, tag="snapshot"):
    """Tell everything a screen shows, except alarms: they have their own stream."""

    epoch: int
    seq: int
    stream: str
    step: int
    durable: int
    now_ms: int
    site: Any
    sections: dict[str, dict[str, msgspec.Raw]]
    events: list[EventView]
    live: dict[str, LiveCell]
    positions: dict[str, tuple[float, ...]]


def cell(row: LiveRow) -> LiveCell:
    """Return a live row as value, quality, milliseconds, reason."""
    return row.value, row.quality, row.received_wall_ns // 1_000_000, row.reason


class Changes:
    """Compare each touched section with what was last sent; keep a ring to resume.

    ``publish`` takes a message's bytes for all screens; ``reset`` says that each
    needs a snapshot.
    """

    def __init__(self, replica: Replica, renderer: Renderer) -> None:
        self.replica, self.renderer = replica, renderer
        self.publish: Callable[[bytes], None] = lambda _: None
        self.reset: Callable[[], None] = lambda: None
        self.screens: Callable[[], int] = lambda: 1
        self._sent: dict[str, dict[str, bytes]] = {}
        self._touched: set[str] = set()
        self._events: list[Kept] = []
        self._rows: dict[str, LiveRow] = {}
        self._ring: deque[tuple[Place, bytes]] = deque(maxlen=RESUME)
        self._stream, self._step = secrets.token_hex(8), 0
        self._at = replica.cursor
        self._timer: asyncio.TimerHandle | None = None
        replica.on_touch.append(self.touch)
        replica.on_event.append(self._event)
        replica.on_live.append(self._live)
        replica.on_reset.append(self._restart)

    def touch(self, sections: tuple[str, ...] = ()) -> None:
        """Note that sections may have changed and send it soon."""
        self._touched.update(sections)
        self._soon()

    def _event(self, kept: Kept) -> None:
        self._events.append(kept)
        # A storm is told by the sections; the timeline can be paged afterwards.
        del self._events[: -FIRST_EVENTS * 2]

    def _live(self, rows: list[LiveRow]) -> None:
        if self.screens():
            for row in rows:
                self._rows[row.entity_id] = row
            self._soon()

    def _soon(self) -> None:
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(PERIOD_S, self.flush)

    def stop(self) -> None:
        """Send nothing more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _restart(self) -> None:
        self._ring.clear()
        self._events.clear()
        self._sent.clear()
        self._rows.clear()
        self._at = self.replica.cursor
        self._touched.clear()
        self.reset()

    # --- changes -------------------------------------------------------------------

    def flush(self) -> None:
        """Make and publish one change message of all that gathered."""
        self.stop()
        before, self._at = self._at, self.replica.cursor
        found, gone = self._differences()
        names = self.renderer.names
        events = [event_view(names, kept) for kept in self._events]
        self._events.clear()
        rows, self._rows = list(self._rows.values()), {}
        if not (found or gone or events or rows or before != self._at):
            return
        behind = Place(*before, self._stream, self._step)
        self._step += 1
        lasting = self._message(found, gone, events)
        self._ring.append((behind, _encode(lasting)))
        lasting.live = {row.entity_id: cell(row) for row in rows}
        lasting.positions = self.replica.positions(rows)
        self.publish(_encode(lasting))

    def _message(
        self,
        found: dict[str, dict[str, msgspec.Raw]],
        gone: dict[str, list[str]],
        events: list[EventView],
    ) -> ChangeMessage:
        epoch, seq = self._at
        return ChangeMessage(
            epoch=epoch,
            seq=seq,
            step=self._step,
            durable=self.replica.durable,
            now_ms=self.replica.now_ms(),
            set=found,
            gone=gone,
            events=events,
        )

    def _differences(
        self,
    ) -> tuple[dict[str, dict[str, msgspec.Raw]], dict[str, list[str]]]:
        found: dict[str, dict[str, msgspec.Raw]] = {}
        gone: dict[str, list[str]] = {}
        for name in sorted(self._touched):
            now = self._encoded(name)
            before = self._sent.get(name, {})
            self._sent[name] = now
            new = {k: msgspec.Raw(d) for k, d in now.items() if before.get(k) != d}
            left = [key for key in before if key not in now]
            if new:
                found[name] = new
            if left:
                gone[name] = left
        self._touched.clear()
        return found, gone

    def _encoded(self, name: str) -> dict[str, bytes]:
        return {k: _encode(view) for k, view in self.renderer.section(name).items()}

    # --- snapshots -----------------------------------------------------------------

    def snapshot(self) -> bytes:
        """Return everything a screen shows now; what gathered goes out first."""
        # All sections are compared, so that screens already here miss nothing.
        self._touched.update(SECTIONS)
        self.flush()
        sections = self._sent
        rows = list(self.replica.live.values())
        names = self.renderer.names
        recent = list(self.replica.events)[-FIRST_EVENTS:]
        epoch, seq = self._at
        return _encode(
            SnapshotMessage(
                epoch=epoch,
                seq=seq,
                stream=self._stream,
                step=self._step,
                durable=self.replica.durable,
                now_ms=self.replica.now_ms(),
                site=self.renderer.site(),
                sections={
                    name: {k: msgspec.Raw(d) for k, d in items.items()}
                    for name, items in sections.items()
                },
                events=[event_view(names, kept) for kept in recent],
                live={row.entity_id: cell(row) for row in rows},
                positions=self.replica.positions(rows),
            )
        )

    def here(self) -> Place:
        """Return where a screen stands that has everything."""
        return Place(*self._at, self._stream, self._step)

    def since(self, place: Place) -> list[bytes] | None:
        """Return the changes behind a place, or None when a snapshot is needed."""
        self.flush()
        if place == self.here():
            return []
        for index, (behind, _) in enumerate(self._ring):
            if behind == place:
                return [data for _, data in list(self._ring)[index:]]
        return None
