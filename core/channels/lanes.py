"""One lane for each address: what waits there, what goes next, what became of it.

No input or output: the notifier drives it. A dead or slow address holds up its own
lane alone. What may not go yet is put together with what came meanwhile into one
message that counts and names; nothing is dropped (R13).
"""

import enum
from collections.abc import Iterable

import msgspec

from core.channels.rates import Bucket
from core.channels.services import Service
from core.clock import NS

#: What waits in a lane; more stays in the journal, which is the queue.
MOST = 200
#: Pauses after failures; the last one again and again.
BACKOFF_S = (2.0, 8.0, 30.0, 60.0)
#: Failed tries, or seconds with a failed try, after which core is told.
TRIES, PATIENCE_S = 3, 20.0
#: What life safety waits behind a service that takes no more before core is told.
HELD_S = 10.0
#: How long life safety is tried on after core was told of the failure.
LIFE_S = 900.0
#: So few different messages go one by one where the rate allows it.
SINGLE = 3
#: Failures that no other try mends.
FINAL = frozenset({"bad_address", "gone", "no_address", "too_large", "no_text"})


class Rank(enum.IntEnum):
    """Say what goes first."""

    LIFE = 0
    URGENT = 1
    MAY_WAIT = 2


Key = tuple[str, str]


class Item(msgspec.Struct, kw_only=True):
    """Hold one notice on one channel."""

    notice_id: str
    channel: str
    person_id: str
    rank: Rank
    about: tuple[str, ...]
    """What it says: those that say the same to a group are one message."""
    since_ns: int
    alone: bool = False
    """It is a letter of its own, whole: never put together with others."""
    tries: int = 0
    told: bool = False
    """True: core knows that it failed, and life safety is tried on."""

    @property
    def key(self) -> Key:
        """Name it."""
        return self.notice_id, self.channel


class Packet(msgspec.Struct, frozen=True, kw_only=True):
    """One message on its way: parts that each say one thing to some people."""

    parts: tuple[tuple[Item, ...], ...]

    @property
    def items(self) -> list[Item]:
        """Return all of its notices."""
        return [item for part in self.parts for item in part]

    @property
    def rank(self) -> Rank:
        """Return the most urgent rank."""
        return min(item.rank for item in self.items)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """Tell what core is to hear of one notice on one channel."""

    item: Item
    state: str
    detail: str = ""


class Lane:
    """Queue one address's notices; one message is on its way at a time."""

    def __init__(self, service: Service, bucket: Bucket) -> None:
        self._service, self._bucket = service, bucket
        self.waiting: dict[Key, Item] = {}
        self.flying: Packet | None = None
        self._failures = 0
        self._again_ns = 0

    def offer(self, item: Item) -> Item | None:
        """Take an item; returns the one for which there is no room, if any.

        Life safety has room always: another goes back to the journal for it.
        """
        if item.key in self.waiting or len(self.waiting) < MOST:
            self.waiting.setdefault(item.key, item)
            return None
        last = max(self.waiting.values(), key=lambda i: (i.rank, i.since_ns))
        if last.rank <= item.rank or self._flies(last):
            return item
        del self.waiting[last.key]
        self.waiting[item.key] = item
        return last

    def forget(self, gone: Iterable[Key]) -> None:
        """Drop what needs no sending any more."""
        for key in gone:
            item = self.waiting.get(key)
            if item is not None and not self._flies(item):
                del self.waiting[key]

    def due(self, now_ns: int) -> Packet | None:
        """Return the next message, when one may go now; it is then on its way."""
        if self.flying is not None or not self.waiting or self.wake_ns(now_ns) > now_ns:
            return None
        parts = self._parts()
        alone = len(parts) == 1 or parts[0][0].alone
        parts = parts[:1] if alone else [p for p in parts if not p[0].alone]
        few = len(parts) <= SINGLE and self._spare(now_ns, len(parts))
        chosen = parts[:1] if few or len(parts) == 1 else parts
        self.flying = Packet(parts=tuple(chosen))
        self._bucket.take(now_ns, life=self.flying.rank is Rank.LIFE)
        return self.flying

    def _spare(self, now_ns: int, wanted: int) -> bool:
        return not self._failures and self._bucket.spare(now_ns) >= wanted

    def wake_ns(self, now_ns: int) -> int:
        """Return when a message may go; in 10 min when nothing waits."""
        if not self.waiting or self.flying is not None:
            return now_ns + 600 * NS
        best = min(self.waiting.values(), key=lambda i: (i.rank, i.tries))
        life = best.rank is Rank.LIFE
        at = now_ns + self._bucket.wait_ns(now_ns, life=life)
        # A pause is for what failed: life safety that is new tries at once.
        fresh = life and best.tries == 0
        return at if fresh else max(at, self._again_ns)

    def held(self, now_ns: int) -> list[Outcome]:
        """Tell of life safety that this address keeps waiting; it goes later."""
        found = []
        for item in self.waiting.values():
            late = now_ns - item.since_ns > HELD_S * NS
            if late and item.rank is Rank.LIFE and not (item.told or self._flies(item)):
                item.told = True
                found.append(Outcome(item=item, state="failed", detail="held_back"))
        return found

    def done(self, now_ns: int, detail: str) -> list[Outcome]:
        """Take what became of the message on its way; '' is that it went."""
        packet, self.flying = self.flying, None
        if packet is None:
            return []
        if not detail:
            self._failures, self._again_ns = 0, 0
            for item in packet.items:
                self.waiting.pop(item.key, None)
            return [Outcome(item=item, state="sent") for item in packet.items]
        if detail == "too_many":
            self._bucket.block(now_ns, self._service.block_s)
        pause = BACKOFF_S[min(self._failures, len(BACKOFF_S) - 1)]
        self._failures += 1
        self._again_ns = now_ns + int(pause * NS)
        found = [self._failed(item, now_ns, detail) for item in packet.items]
        return [each for each in found if each is not None]

    def _failed(self, item: Item, now_ns: int, detail: str) -> Outcome | None:
        item.tries += 1
        age_ns = now_ns - item.since_ns
        final = detail in FINAL
        spent = final or item.tries >= TRIES or age_ns > PATIENCE_S * NS
        if not spent:
            return None
        on = item.rank is Rank.LIFE and not final and age_ns < LIFE_S * NS
        if not on:
            self.waiting.pop(item.key, None)
        if item.told:
            return None
        item.told = True
        return Outcome(item=item, state="failed", detail=detail)

    def _flies(self, item: Item) -> bool:
        return self.flying is not None and any(
            each.key == item.key for each in self.flying.items
        )

    def _parts(self) -> list[tuple[Item, ...]]:
        """Put together what says the same; the most urgent and oldest first."""
        found: dict[tuple[str, ...], list[Item]] = {}
        ordered = sorted(self.waiting.values(), key=lambda i: (i.rank, i.since_ns))
        for item in ordered:
            found.setdefault(item.about, []).append(item)
        return [tuple(part) for part in found.values()]
