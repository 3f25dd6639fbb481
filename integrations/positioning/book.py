"""Every tag of every source: sightings in, readings out."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core.api import Host
from integrations.positioning.anchors import Anchors
from integrations.positioning.frame import Frame
from integrations.positioning.model import NS, PREFIX, Sighting, UnreadableError
from integrations.positioning.solve import Limits
from integrations.positioning.tag import Rules, Source, Tag

#: Tags and nodes that are kept; one more is counted and passed over.
MAX_TAGS = 1_000
#: Nodes of which only their health is known yet.
MAX_NODES = 1_000
PREFIXES = {
    "dwm1001_uart": "dwm",
    "dwm1001_mqtt": "dwm",
    "pozyx": "pozyx",
    "sewio": "sewio",
}
TURN_S = 0.25


def source(told: Mapping[str, Any]) -> Source:
    """Return a source of checked options."""
    return Source(
        id=told["id"],
        kind=told["kind"],
        prefix=told.get("prefix", PREFIXES[told["kind"]]),
        interval_s=told["interval_s"],
        accuracy_m=told["accuracy_m"],
        least_quality=told["least_quality"],
        frame=Frame(told["frame"]),
        options=dict(told),
    )


class Book:
    """Keep tags by uid; several sources may tell of one tag."""

    def __init__(self, host: Host, options: Mapping[str, Any]) -> None:
        self._host = host
        self.sources = [source(each) for each in options["sources"]]
        self.anchors = Anchors(host, options)
        self.tags: dict[str, Tag] = {}
        self._health: dict[str, Sighting] = {}
        self._anchor_nodes: set[str] = set()
        self._rules = Rules(
            limits=Limits(
                sigma_m=options["range_sigma_m"],
                height_m=options["tag_height_m"],
                nlos_m=options["nlos_m"],
                accuracy_m=options["max_accuracy_m"],
            ),
            fastest=options["max_speed_m_s"],
            zh=options["language"] == "zh",
        )

    def take(self, source: Source, told: Sighting) -> None:
        """Take one message of a source."""
        source.count("messages")
        if not told.node:
            if told.present is not None:
                self.link(source, told.present, "gateway_absent")
            return
        uid = f"{source.prefix}-{told.node}"
        if told.heard:
            self.anchors.heard(told.heard)
        if self._of_anchor(told, uid):
            return
        tag = self.tags.get(uid)
        if tag is None:
            if not told.located:
                self._keep(uid, told)
                return
            tag = self._new(source, uid)
            if tag is None:
                return
        tag.take(source, told)

    def _of_anchor(self, told: Sighting, uid: str) -> bool:
        """Say whether a message is an anchor's own, and take it if it is."""
        node = told.node.lower()
        if told.is_anchor:
            self._anchor_nodes.add(uid)
        elif uid not in self._anchor_nodes and node not in self.anchors.survey:
            return False
        if told.present is not None and node in self.anchors.survey:
            self.anchors.present(node, told.present)
        return True

    def _keep(self, uid: str, told: Sighting) -> None:
        """Remember health that came before the tag's first place."""
        known = self._health.get(uid)
        if known is not None:
            battery = known.battery if told.battery is None else told.battery
            told = replace(told, battery=battery, label=told.label or known.label)
        elif len(self._health) >= MAX_NODES:
            return
        self._health[uid] = told

    def _new(self, source: Source, uid: str) -> Tag | None:
        if len(self.tags) >= MAX_TAGS:
            self._host.count("positioning.too_many_tags", uid)
            return None
        tag = Tag(self._host, uid, source, self._rules, self.anchors)
        tag.declare()
        self.tags[uid] = tag
        known = self._health.pop(uid, None)
        if known is not None:
            tag.take(source, known)
        return tag

    def bad(
        self, source: Source, error: UnreadableError, data: bytes, node: str = ""
    ) -> None:
        """Count a message that nobody can read, with its frame; of a node if known."""
        source.count("unreadable")
        source.last_bad = str(error)[:200]
        frame = data[:100].decode("ascii", "backslashreplace")
        uid = f"{source.prefix}-{node}" if node else ""
        self._host.count("positioning.unreadable", f"{error}: {frame}"[:200], uid)

    def link(self, source: Source, up: bool, why: str) -> None:
        """Take that a source came or went; ``why`` is a code without its prefix."""
        why = why.removeprefix(PREFIX)
        source.count("up" if up else "lost")
        if source.up is up:
            return
        source.up = up
        if not up:
            for tag in self.tags.values():
                if tag.source is source:
                    tag.lost(why)
        standing = any(each.up for each in self.sources)
        if up or not standing:
            self._host.link_state("", standing, "" if standing else PREFIX + why)

    def sweep(self) -> None:
        """Look for silence; called a few times in each interval."""
        now_ns = self._host.clock.mono_ns()
        for tag in self.tags.values():
            tag.sweep(now_ns / NS)
        self.anchors.tell()

    def turn_s(self) -> float:
        """Return how long a sweep may wait."""
        least = min(each.interval_s for each in self.sources)
        return max(0.05, min(TURN_S, least / 4))
