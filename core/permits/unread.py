"""Tell of permits whose rules nobody can read: nothing about them can be judged.

A work that runs under such a pack is held, and one that waits goes no further. What
has ended keeps all its photos, films and keys, for the pack may demand a longer time
than the law's least: that must not go on in silence (design §5 Personal data).
"""

from typing import Final

from core.alarms.alarms import Alarms
from core.hub import Hub
from core.permits.packs import Packs
from core.permits.state import PermitRecord

KIND: Final = "fault.pack"
_SOURCE: Final = "hub:packs"
#: Ticks between two looks at all permits; packs change with a bundle.
_EACH: Final = 60
#: As much of a version's digest as a person compares.
_SHORT: Final = 12


class Unread:
    """Raise one fault for each version of a pack that permits need in vain."""

    def __init__(self, hub: Hub, packs: Packs, alarms: Alarms) -> None:
        self._hub, self._packs, self._alarms = hub, packs, alarms
        self._ticks = 0

    def arm(self) -> None:
        """Look again soon: a bundle may bring a version back."""
        self._ticks = 0

    def recover(self, clean: bool) -> None:
        """Look again soon: another release of the hub may read more, or less."""
        self._ticks = 0

    def tick(self) -> None:
        """Look now and then which permits have no rules."""
        if self._ticks % _EACH == 0:
            self._look()
        self._ticks += 1

    def _look(self) -> None:
        found: dict[str, list[PermitRecord]] = {}
        for permit in self._hub.state.permits.permits.values():
            bound = permit.life.pack and not permit.attachments.gone_seq
            if bound and self._packs.kind(permit) is None:
                found.setdefault(permit.life.pack, []).append(permit)
        for version, permits in found.items():
            blobs = [
                item.sha256
                for permit in permits
                for item in permit.attachments.items.values()
                if not item.erased_seq
            ]
            self._alarms.raise_(
                _SOURCE,
                version[:_SHORT],
                kind=KIND,
                priority=2,
                params={
                    "version": version[:_SHORT],
                    "permits": len(permits),
                    "blobs": len(set(blobs)),
                },
            )
        unread = {version[:_SHORT] for version in found}
        for alarm in self._alarms.active(kind_prefix=KIND):
            if alarm.condition not in unread:
                self._alarms.clear(_SOURCE, alarm.condition)
