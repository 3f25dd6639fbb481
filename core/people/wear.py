"""A helmet of the rack is somebody's for one shift: who wears it then is unknown.

A binding that stood on would name the wrong person in an alarm, and prove a guardian
present who went home. Devices whose wearer the site's configuration names are theirs.
"""

from datetime import UTC, datetime, timedelta, tzinfo

from core.api.errors import Refused
from core.clock import NS
from core.deadlines import Deadline, fire_after
from core.hub import CORE, Hub
from core.journal.envelope import Cause, Envelope
from core.people.access import Access, Answer
from core.people.wear_acts import ReturnWear, TakeWear
from core.people.wear_events import WearEnded, WearTaken
from core.people.wear_state import WornRecord
from core.registry.events import DeviceRemoved, DeviceReported
from core.registry.registry import Registry
from core.registry.state import DeviceRecord
from core.response.notices_config import DAY_MIN, Shift
from core.response.notices_duty import begins

#: How long a binding stands for one who is in no shift's list.
WEAR_S = 12 * 3_600.0
#: One who comes early takes the helmet for the shift that is about to begin.
EARLY_S = 2 * 3_600.0
#: Roles that hand helmets out to others.
_HANDS_OUT = ("guardian", "supervisor", "safety_officer", "maintainer", "issuer")


class Wear:
    """Bind devices to wearers by a scan; end each binding with its shift."""

    def __init__(self, hub: Hub, registry: Registry, access: Access) -> None:
        self._hub, self._registry, self._access = hub, registry, access
        self._zone: tzinfo | None = None
        access.bind(TakeWear, self._take_act)
        access.bind(ReturnWear, self._return_act)
        hub.on(DeviceReported, self._scanned)
        hub.on(DeviceRemoved, lambda body, _: self._gone(body.device_id))
        hub.undo(WearTaken, self._not_durable)

    def arm(self) -> None:
        """Take the site's time zone."""
        from zoneinfo import ZoneInfo  # late: it reads Python's own build facts

        try:
            self._zone = ZoneInfo(self._hub.bundle.site.time_zone)
        except (KeyError, OSError, ValueError):
            self._zone = None

    def recover(self, clean: bool) -> None:
        """Take up the ends of all bindings; one whose end nobody can tell is over."""
        for device_id, record in self._hub.state.people.worn.items():
            if not record.ended:
                self._watch(device_id, record.until)

    def tick(self) -> None:
        """Have no levels to evaluate: each binding ends by its own deadline."""

    # --- acts -----------------------------------------------------------------

    def _take_act(
        self, actor: str, act: TakeWear, _version: int | None, cause: Cause
    ) -> Answer:
        known = act.person_id or actor
        person_id = self._of_card(act.card) if act.card else known
        if person_id != actor:
            self._access.require(actor, *_HANDS_OUT)
        if not self._hub.journal.healthy():
            raise Refused("journal.not_durable")
        until = self._take(self._device(act.code), person_id, cause, actor)
        return {"person_id": person_id, "seconds": until.duration_ns // NS}

    def _return_act(
        self, actor: str, act: ReturnWear, _version: int | None, cause: Cause
    ) -> Answer:
        device = self._device(act.code)
        record = self._standing(device.id)
        if record is None:
            raise Refused("wear.nobody", name=device.name)
        self._end(device.id, "returned", cause, actor)
        return {"person_id": record.person_id}

    def _of_card(self, card: str) -> str:
        for person_id in self._access.persons():
            if card in self._access.cards(person_id):
                return person_id
        raise Refused("wear.card_unknown", card=card)

    def _device(self, code: str) -> DeviceRecord:
        """Return the device of a label: by the hub's id, or by a uid of its own."""
        devices = self._hub.state.registry.devices
        found = [d for d in devices.values() if code in (d.id, d.uid)]
        if len(found) != 1:
            raise Refused("wear.unknown", code=code)
        return found[0]

    # --- a rack's reader ------------------------------------------------------

    def _scanned(self, body: DeviceReported, envelope: Envelope) -> None:
        """Take a rack's word: which card took which helmet, or brought it back."""
        code, rack = body.params.get("wear"), self._registry.device(body.device_id)
        if body.kind != "scan" or not isinstance(code, str) or rack is None:
            return
        if rack.person_id is not None:
            return  # what somebody wears is no rack
        cause = Cause(actor=f"device:{rack.id}", parent=envelope.id)
        try:
            device = self._device(code)
            if body.params.get("direction") == "in":
                self._end(device.id, "returned", cause)
            else:
                person_id = self._of_card(str(body.params.get("tag", "")))
                self._take(device, person_id, cause)
        except Refused:
            # Nobody is bound: that is the safe answer to a card that nobody knows.
            return

    # --- bindings -------------------------------------------------------------

    def _take(
        self, device: DeviceRecord, person_id: str, cause: Cause, by: str = ""
    ) -> Deadline:
        if not self._access.employed(person_id):
            raise Refused("act.person_unknown", person=person_id)
        fixed = any(device.uid in each.tags for each in self._hub.bundle.people)
        if fixed or (device.person_id and self._standing(device.id) is None):
            raise Refused("wear.fixed", name=device.name)
        self._end(device.id, "replaced", cause, by)
        # Nobody wears two helmets: one that lies about must not tell where they are.
        for other, record in list(self._hub.state.people.worn.items()):
            if record.person_id == person_id and self._alike(other, device):
                self._end(other, "replaced", cause, by)
        seconds = self._shift_left(person_id)
        until = Deadline.after(self._hub.clock, seconds, protective=False)
        self._hub.emit(
            WearTaken(device_id=device.id, person_id=person_id, until=until, by=by),
            cause,
        )
        self._registry.tell(device.id)
        self._watch(device.id, until)
        return until

    def _alike(self, device_id: str, device: DeviceRecord) -> bool:
        other = self._registry.device(device_id)
        return other is not None and other.integration == device.integration

    def _standing(self, device_id: str) -> WornRecord | None:
        record = self._hub.state.people.worn.get(device_id)
        return None if record is None or record.ended else record

    def _end(self, device_id: str, code: str, cause: Cause, by: str = "") -> None:
        record = self._standing(device_id)
        if record is None:
            return
        self._hub.timers.cancel(f"wear {device_id}")
        self._hub.emit(
            WearEnded(
                device_id=device_id, person_id=record.person_id, code=code, by=by
            ),
            cause,
        )
        self._registry.tell(device_id)

    def _watch(self, device_id: str, until: Deadline) -> None:
        fire_after(
            self._hub,
            until,
            f"wear {device_id}",
            lambda _late: self._end(device_id, "expired", CORE),
        )

    def _gone(self, device_id: str) -> None:
        self._end(device_id, "returned", CORE)

    def _not_durable(self, body: WearTaken) -> None:
        record = self._standing(body.device_id)
        if record is not None and record.person_id == body.person_id:
            self._end(body.device_id, "not_durable", CORE)

    # --- the shift ------------------------------------------------------------

    def _shift_left(self, person_id: str) -> float:
        """Return the seconds until a person's shift ends, the longest of theirs now."""
        clock = self._hub.clock
        mine = [s for s in self._hub.bundle.shifts if person_id in s.people]
        if not mine or self._zone is None or not clock.synced():
            return WEAR_S
        wall = datetime.fromtimestamp(clock.wall_ns() / NS, UTC)
        now = wall.astimezone(self._zone).replace(tzinfo=None)
        left = [seconds for each in mine for seconds in _left(each, now)]
        return max(left, default=WEAR_S)


def _left(shift: Shift, now: datetime) -> list[float]:
    """Return what is left of a shift that runs or is about to, in seconds."""
    begin, end = shift.span
    length = (end - begin) % DAY_MIN or DAY_MIN
    found = []
    for back in (1, 0, -1):
        day = now.date() - timedelta(days=back)
        start = datetime.combine(day, datetime.min.time()) + timedelta(minutes=begin)
        over = start + timedelta(minutes=length)
        if start - timedelta(seconds=EARLY_S) <= now < over and begins(shift, day):
            found.append((over - now).total_seconds())
    return found
