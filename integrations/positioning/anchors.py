"""The surveyed anchors: which of them still stand where they were surveyed.

An anchor that was knocked aside, or that looks through a new wall, tells ranges that
no longer fit. It is left out of every place, and said to be out of order.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.api import Device, Entity, EntityKind, Host, Quality
from integrations.positioning.frame import Frame
from integrations.positioning.model import NS, Range
from integrations.positioning.solve import Anchor, Limits

#: Weight of one more residual, and how many must be known before they judge.
WEIGHT, KNOWN = 0.02, 50
#: In standard deviations of a range: beyond the first it is out, below the second in.
OUT, IN = 5.0, 3.0
#: A device that believes its anchor to be this far from its survey.
MOVED_M = 0.5
#: Times that an anchor in easy reach was not heard, and for how long.
MISSED, MISSED_S = 50, 30.0
NEAR_M = 10.0
#: A node ranges with this many anchors at most: with fewer, none was passed over.
RANGED = 4
TELL_S = 5.0


@dataclass(slots=True)
class Health:
    """Hold what is known of one anchor."""

    uid: str
    handle: int
    bias_m: float = 0.0
    samples: int = 0
    why: str = ""
    """'' or why its ranges are not used: anchor_biased, anchor_moved."""
    up: bool | None = None
    missed: int = 0
    heard_ns: int = 0
    told_ns: int = 0


def surveyed(options: Mapping[str, Any]) -> dict[str, Anchor]:
    """Return the anchors of checked options."""
    found = {}
    for name, told in options["anchors"].items():
        x, y, z = told["at"]
        found[name] = Anchor(x, y, z, told["floor"])
    return found


class Anchors:
    """Keep the survey and the health of each anchor."""

    def __init__(self, host: Host, options: Mapping[str, Any]) -> None:
        self._host = host
        self._sigma: float = options["range_sigma_m"]
        self.survey = surveyed(options)
        self.health: dict[str, Health] = {}
        self._zh = options["language"] == "zh"
        self._names = {n: t.get("name", "") for n, t in options["anchors"].items()}
        self._usable: dict[str, Anchor] | None = None

    def declare(self) -> None:
        """Announce every surveyed anchor."""
        for name in self.survey:
            self._known(name)

    def _known(self, name: str) -> Health:
        found = self.health.get(name)
        if found is None:
            uid = f"anchor-{name}"
            shown = (
                self._names.get(name) or f"{'基站' if self._zh else 'Anchor'} {name}"
            )
            self._host.declare(
                Device(
                    uid=uid,
                    name=shown,
                    model="anchor",
                    serial=name,
                    entities=(
                        Entity(
                            uid="bias",
                            name="测距偏差" if self._zh else "Range error",
                            kind=EntityKind.SENSOR,
                            quantity="range_error",
                            unit="m",
                            max_age_s=60.0,
                        ),
                    ),
                )
            )
            found = Health(uid, self._host.handle(uid, "bias"))
            self.health[name] = found
        return found

    def usable(self) -> dict[str, Anchor]:
        """Return the anchors whose ranges may place a tag."""
        if self._usable is None:
            self._usable = {
                name: at
                for name, at in self.survey.items()
                if name not in self.health or not self.health[name].why
            }
        return self._usable

    # --- what is heard ------------------------------------------------------------

    def claimed(self, ranges: tuple[Range, ...], frame: Frame) -> None:
        """Compare where a device believes its anchors to be with their survey."""
        for each in ranges:
            surveyed = self.survey.get(each.anchor)
            if surveyed is None or each.at is None or each.at == (0.0, 0.0, 0.0):
                continue  # one that was never told where it is says 0, 0, 0
            x, y, _ = frame.site(each.at)
            health = self._known(each.anchor)
            moved = math.hypot(x - surveyed.x, y - surveyed.y) > MOVED_M
            if moved and health.why != "anchor_moved":
                self._judge(each.anchor, "anchor_moved")
            elif not moved and health.why == "anchor_moved":
                self._judge(each.anchor, "")

    def measured(
        self, ranges: Mapping[str, float], x: float, y: float, limits: Limits
    ) -> None:
        """Take the ranges that a believed place came with; metres of the site."""
        now = self._host.clock.mono_ns()
        for name, metres in ranges.items():
            anchor = self.survey.get(name)
            if anchor is None:
                continue
            height = anchor.z - anchor.floor - limits.height_m
            off = abs(metres - math.hypot(x - anchor.x, y - anchor.y, height))
            self._add(name, off, now)
        if len(ranges) < RANGED:
            for name, anchor in self.survey.items():
                near = math.hypot(x - anchor.x, y - anchor.y) < NEAR_M
                if near and name not in ranges:
                    self._missed(name, now)

    def _add(self, name: str, off: float, now: int) -> None:
        health = self._known(name)
        self._heard(health, now)
        weight = max(WEIGHT, 1 / (health.samples + 1))
        # One range through a truck says little: it weighs as much as a bad one.
        off = min(off, 2 * OUT * self._sigma)
        health.bias_m += weight * (off - health.bias_m)
        health.samples += 1
        if health.samples >= KNOWN and health.why != "anchor_moved":
            if not health.why and health.bias_m > OUT * self._sigma:
                self._judge(name, "anchor_biased")
            elif health.why and health.bias_m < IN * self._sigma:
                self._judge(name, "")

    def present(self, name: str, up: bool) -> None:
        """Take a gateway's word that an anchor is there, or is not."""
        health = self._known(name)
        if up:
            self._heard(health, self._host.clock.mono_ns())
        else:
            self._lost(health)

    def heard(self, names: tuple[str, ...]) -> None:
        """Take that a tag was heard by these anchors, surveyed ones or not."""
        now = self._host.clock.mono_ns()
        for name in names:
            if name.lower() in self.survey:
                self._heard(self._known(name.lower()), now)

    def _heard(self, health: Health, now: int) -> None:
        health.heard_ns, health.missed = now, 0
        if health.up is not True:
            health.up = True
            self._host.link_state(health.uid, True)

    def _missed(self, name: str, now: int) -> None:
        health = self._known(name)
        health.missed += 1
        since = health.heard_ns or health.told_ns
        if not since:
            health.told_ns = now
        elif health.missed >= MISSED and now - since > MISSED_S * NS:
            self._lost(health)

    def _lost(self, health: Health) -> None:
        if health.up is not False:
            health.up = False
            self._host.link_state(health.uid, False, "positioning.anchor_silent")
            self._host.report(
                health.handle, None, Quality.FAULT, "positioning.anchor_silent"
            )

    # --- what is told -------------------------------------------------------------

    def _judge(self, name: str, why: str) -> None:
        health = self._known(name)
        health.why = why
        self._usable = None
        if why:
            self._host.count(f"positioning.{why}", name, health.uid)
        self._tell(health)

    def tell(self) -> None:
        """Report the error of every anchor that is heard, now and then."""
        now = self._host.clock.mono_ns()
        for health in self.health.values():
            if health.samples and health.up and now - health.told_ns >= TELL_S * NS:
                health.told_ns = now
                self._tell(health)

    def _tell(self, health: Health) -> None:
        if health.why:
            why = f"positioning.{health.why}"
            self._host.report(health.handle, None, Quality.FAULT, why)
        elif health.samples < KNOWN:
            quality = Quality.UNCERTAIN
            why = "positioning.few_samples"
            self._host.report(health.handle, round(health.bias_m, 3), quality, why)
        else:
            self._host.report(health.handle, round(health.bias_m, 3))
