"""One tag over time: smooth the walk, refuse jumps, notice stillness and losses."""

import math
from dataclasses import dataclass
from typing import NamedTuple

from integrations.positioning.model import Point

#: Share of a surprise that the place follows, and that the speed does.
ALPHA, BETA = 0.5, 0.15
#: Smoothing moves a place by at most this share of its own circle.
LAG = 0.5
#: After a gap the walk begins anew.
GAP_S = 3.0
#: So many fixes that agree with each other overrule the walk before them.
AGREE = 3
#: Messages may come in bursts: a speed is judged over at least this.
LEAST_S = 0.1
#: Seconds within its own circle after which a tag is called still.
STILL_S = 60.0
#: Span over which lost fixes are counted.
LOSS_S = 10.0


class Walked(NamedTuple):
    """A place on the walk; ``why`` is '' or 'jump'."""

    at: Point
    accuracy_m: float
    """Holds the whole circle of the raw fix."""
    raw: Point
    why: str = ""


@dataclass(slots=True)
class _Loss:
    began: float
    heard: int = 0
    percent: float | None = None


class Track:
    """Follow one tag; times are seconds of the hub's clock, lengths metres."""

    __slots__ = (
        "_at",
        "_loss",
        "_rest",
        "_rest_at",
        "_speed",
        "_suspects",
        "_told",
        "still",
    )

    def __init__(self) -> None:
        self._told: tuple[float, Point, float] | None = None
        """Last raw fix that was believed: when, where, its radius."""
        self._at: Point = (0.0, 0.0, 0.0)
        self._speed = (0.0, 0.0)
        self._suspects: list[tuple[float, Point, float]] = []
        self._rest: tuple[Point, float] | None = None
        self._rest_at = 0.0
        self.still: bool | None = None
        """None until enough has been heard to say."""
        self._loss: _Loss | None = None

    def take(self, at: Point, accuracy: float, now: float, fastest: float) -> Walked:
        """Return where the tag is, from a fix; ``fastest`` is m/s."""
        fix = now, at, accuracy
        last = self._told
        if last is not None and now - last[0] <= GAP_S:
            if _too_far(last, fix, fastest):
                return self._suspect(fix, fastest)
            self._follow(last, fix, fastest)
        else:
            self._begin(at)
        self._suspects.clear()
        return self._accept(fix)

    def _suspect(self, fix: tuple[float, Point, float], fastest: float) -> Walked:
        if self._suspects and _too_far(self._suspects[-1], fix, fastest):
            self._suspects.clear()
        self._suspects.append(fix)
        if len(self._suspects) < AGREE:
            return Walked(fix[1], fix[2], fix[1], "jump")
        self._suspects.clear()
        self._begin(fix[1])
        return self._accept(fix)

    def _begin(self, at: Point) -> None:
        self._at, self._speed = at, (0.0, 0.0)

    def _accept(self, fix: tuple[float, Point, float]) -> Walked:
        now, at, accuracy = fix
        self._told = fix
        self._resting(at, accuracy, now)
        lag = math.dist(self._at, at)
        return Walked(self._at, accuracy + lag, at)

    def _follow(
        self,
        last: tuple[float, Point, float],
        fix: tuple[float, Point, float],
        fastest: float,
    ) -> None:
        now, at, accuracy = fix
        dt = now - last[0]
        if dt <= 0:
            return
        px, py = self._at[0] + self._speed[0] * dt, self._at[1] + self._speed[1] * dt
        rx, ry = at[0] - px, at[1] - py
        span = max(dt, LEAST_S)
        vx = self._speed[0] + BETA * rx / span
        vy = self._speed[1] + BETA * ry / span
        pace = math.hypot(vx, vy)
        if pace > fastest:
            vx, vy = vx * fastest / pace, vy * fastest / pace
        self._speed = vx, vy
        x, y = px + ALPHA * rx, py + ALPHA * ry
        # The walk is never further behind than half of what nobody knows anyway.
        lag, most = math.hypot(at[0] - x, at[1] - y), LAG * accuracy
        if lag > most:
            share = most / lag
            x, y = at[0] - (at[0] - x) * share, at[1] - (at[1] - y) * share
        self._at = x, y, at[2]

    def _resting(self, at: Point, accuracy: float, now: float) -> None:
        rest = self._rest
        if rest is None or math.dist(rest[0], at) > max(rest[1], accuracy):
            self._rest, self._rest_at = (at, accuracy), now
            self.still = False if rest is not None else None
        elif now - self._rest_at >= STILL_S:
            self.still = True

    def heard(self, now: float) -> None:
        """Count a message of the tag."""
        if self._loss is None:
            self._loss = _Loss(now)
        self._loss.heard += 1

    def loss(self, now: float, interval: float) -> float | None:
        """Return lost messages in percent over the last whole span; None: too early."""
        loss = self._loss
        if loss is None:
            return None
        span = now - loss.began
        if span >= max(LOSS_S, 5 * interval):
            due = span / interval
            loss.percent = round(100 * max(0.0, 1 - loss.heard / due), 1)
            loss.began, loss.heard = now, 0
        return loss.percent


def _too_far(
    last: tuple[float, Point, float], fix: tuple[float, Point, float], fastest: float
) -> bool:
    way = math.dist(last[1][:2], fix[1][:2])
    return way > fastest * max(fix[0] - last[0], 0.0) + last[2] + fix[2]
