"""What the journal owes to whom, laid into lanes: the notifier's plan, without I/O."""

import datetime as dt
import hashlib
from collections.abc import Callable, Container, Iterable
from zoneinfo import ZoneInfo

from core.channels.lanes import Item, Key, Lane, Outcome, Packet, Rank
from core.channels.rates import Bucket
from core.channels.services import BadAddress, Service, scheme_of, services
from core.clock import NS, Clock
from core.config import EMPTY, Bundle
from core.response.notices_config import REGULATOR, within
from core.response.state import NoticeRecord
from core.state import SiteState

#: Channels that other parts of the hub serve: the web page and local outputs.
LOCAL = frozenset({"screen", "siren", "voice"})
_LIFE_CODES = ("order.", "notice.evacuation_late", "notice.power_end")

#: Returns the address of (person, channel), a group's with '' for a person; '' none.
Find = Callable[[str, str], str]


class Target:
    """Know where a lane leads; its address is a secret and is shown nowhere."""

    def __init__(self, address: str, *, group: bool) -> None:
        self.address, self.group = address, group
        self.scheme = scheme_of(address)
        self.service: Service = services()[self.scheme]
        rest = address.partition("://")[2].partition("?")[0]
        self.host = rest.rpartition("@")[2].partition("/")[0] or self.scheme
        self.key = hashlib.sha256(address.encode()).hexdigest()


class Outbox:
    """Offer what is owed to lanes, hand out what is due, take what became of it."""

    def __init__(self, clock: Clock, find: Find) -> None:
        self._clock, self._find = clock, find
        self._bundle = EMPTY
        self._lanes: dict[str, tuple[Target, Lane]] = {}
        self._taken: dict[Key, str] = {}
        """What lies in a lane, and in which."""
        self._zone: dt.tzinfo = dt.UTC
        self._groups: dict[str, tuple[int, float]] = {}

    def arm(self, bundle: Bundle) -> None:
        """Take the site's policy."""
        self._bundle = bundle
        self._groups = {c.id: (c.rate, c.per_s) for c in bundle.notices.channels}
        try:
            self._zone = ZoneInfo(bundle.site.time_zone)
        except (KeyError, OSError, ValueError):
            self._zone = dt.UTC

    @property
    def waiting(self) -> bool:
        """Say whether anything lies in a lane."""
        return bool(self._taken)

    def look(self, state: SiteState, told: Container[Key] = ()) -> list[Outcome]:
        """Offer all that is owed and in no lane; returns what has no address.

        ``told``: what core is being told of, and has not written down yet.
        """
        notices = state.response.notices
        self._forget(state)
        bad: list[Outcome] = []
        for notice in notices.values():
            if notice.acknowledged:
                continue
            for channel, now in notice.channels.items():
                if now == "queued" and channel not in LOCAL:
                    key = (notice.id, channel)
                    known = key in self._taken or key in told
                    if not known and not self._is_quiet(state, notice):
                        bad += self._offer(state, notice, channel)
        return bad

    def due(self, free: Callable[[Target], bool]) -> Iterable[tuple[Target, Packet]]:
        """Hand out what goes now, life safety first, where its host is free."""
        now = self._clock.mono_ns()
        ordered = sorted(self._lanes.values(), key=lambda pair: _first(pair[1]))
        for target, lane in ordered:
            if lane.waiting and lane.flying is None and free(target):
                packet = lane.due(now)
                if packet is not None:
                    yield target, packet

    def done(self, target: Target, detail: str) -> list[Outcome]:
        """Take what became of a lane's message; '' is that it went."""
        _, lane = self._lanes[target.key]
        found = lane.done(self._clock.mono_ns(), detail)
        self._settle()
        return found

    def held(self) -> list[Outcome]:
        """Tell of life safety that an address keeps waiting."""
        now = self._clock.mono_ns()
        return [each for _, lane in self._lanes.values() for each in lane.held(now)]

    def wait_s(self) -> float:
        """Return how long until something may be due."""
        now = self._clock.mono_ns()
        wakes = [lane.wake_ns(now) for _, lane in self._lanes.values()]
        return max(0.0, (min(wakes, default=now + 60 * NS) - now) / NS)

    # --- offering -------------------------------------------------------------

    def _offer(
        self, state: SiteState, notice: NoticeRecord, channel: str
    ) -> list[Outcome]:
        item = Item(
            notice_id=notice.id,
            channel=channel,
            person_id=notice.person_id,
            rank=rank(state, notice),
            about=_about(notice),
            since_ns=self._clock.mono_ns(),
            alone=notice.code == f"notice.{REGULATOR}",
        )
        group = channel in self._groups
        address = self._find("" if group else notice.person_id, channel)
        try:
            target = Target(address, group=group)
        except BadAddress:
            detail = "bad_address" if address else "no_address"
            return [Outcome(item=item, state="failed", detail=detail)]
        lane = self._lane(target, channel)
        out = lane.offer(item)
        if out is not item:
            self._taken[item.key] = target.key
        if out is not None and out is not item:
            self._taken.pop(out.key, None)
        return []

    def _lane(self, target: Target, channel: str) -> Lane:
        found = self._lanes.get(target.key)
        if found is None:
            service = target.service
            rate, per_s = self._groups.get(channel, (0, 0.0))
            rate, per_s = (rate, per_s) if rate else (service.rate, service.per_s)
            bucket = Bucket(self._clock.mono_ns(), rate, per_s, service.burst)
            found = self._lanes[target.key] = target, Lane(service, bucket)
        return found[1]

    def _forget(self, state: SiteState) -> None:
        """Drop what was answered or has ended."""
        notices = state.response.notices
        gone = [
            key
            for key in self._taken
            if key[0] not in notices or notices[key[0]].acknowledged
        ]
        for key in gone:
            self._lanes[self._taken[key]][1].forget([key])
        self._settle()

    def _settle(self) -> None:
        self._taken = {
            key: lane
            for key, lane in self._taken.items()
            if key in self._lanes[lane][1].waiting
        }

    # --- quiet hours ----------------------------------------------------------

    def _is_quiet(self, state: SiteState, notice: NoticeRecord) -> bool:
        """Say whether a notice waits for morning; never when nobody knows the time."""
        if not notice.may_wait or not self._clock.synced():
            return False
        if rank(state, notice) is not Rank.MAY_WAIT:
            return False
        chosen = state.response.quiet.get(notice.person_id)
        spans = self._bundle.notices.quiet if chosen is None else chosen
        seconds = self._clock.wall_ns() / NS
        now = dt.datetime.fromtimestamp(seconds, self._zone)
        minute = now.hour * 60 + now.minute
        return any(within(minute, (span[0], span[1])) for span in spans)


def _about(notice: NoticeRecord) -> tuple[str, ...]:
    text = str(notice.params.get("text", ""))
    return notice.code, notice.about, notice.mark, str(notice.level), text


def rank(state: SiteState, notice: NoticeRecord) -> Rank:
    """Say how urgent a notice is: life safety by what it is about, or by its order."""
    alarm = state.alarms.open.get(notice.about)
    life = notice.about in state.response.evacuations
    life |= alarm is not None and (alarm.life_safety or alarm.priority == 1)
    if life or notice.code.startswith(_LIFE_CODES):
        return Rank.LIFE
    return Rank.MAY_WAIT if notice.may_wait else Rank.URGENT


def _first(lane: Lane) -> int:
    return min((item.rank for item in lane.waiting.values()), default=Rank.MAY_WAIT)
