"""A core for the gateway's tests: real events and folds, acts answered by script."""

import math
from collections.abc import Callable
from typing import Any

import msgspec

from core import config, state
from core.alarms import events as alarms
from core.api.model import EntityKind
from core.api.quality import Quality
from core.api.reading import Value
from core.clock import NS, Clock
from core.deadlines import Deadline
from core.hub import CORE
from core.journal import envelope as envelopes
from core.journal import fold
from core.journal.envelope import Cause, Envelope
from core.journal.events import Event, encode_body
from core.link import messages as m
from core.people.acts import ACTS
from core.people.events import HubClaimed, PersonMoved
from core.permits import attachments_events as attachments
from core.permits import events as permits
from core.permits.gas_tests_events import OxygenCheckAllowed
from core.processes.events import ConfigArmed, HubStarted
from core.quality import sift
from core.quality.filters import Sample
from core.registry.events import DeviceEnrolled, EntityIds
from core.registry.ids import Ids
from core.response import events as response
from tests.ui import fixture_site as place

#: Person → where they stand on a normal day: zone, x, y, z.
POSTS: dict[str, tuple[str, float, float, float]] = {
    "p-chen": ("yard", 9, 24, 0),
    "p-li": ("yard", 46, 29, 0),
    "p-wang": ("pump", 8, 12, 0),
    "p-zhao": ("pump", 20, 13, 0),
    "p-sun": ("pit", 9, 7, -5),
    "p-zhou": ("pit", 15, 12, -5),
    "p-wu": ("gallery", 41, 11, -5),
    "p-zheng": ("tank", 44, 9, 0),
}
CALM = {"h2s": 0.6, "ch4": 2.1, "co": 4.0, "o2": 20.8}


class FixtureCore:
    """Emit events to one gateway, as the core does; ``deliver`` takes messages."""

    def __init__(self, clock: Clock, seed: int = 7) -> None:
        self.clock = clock
        self.ids = Ids.seeded(clock, seed)
        self.state = state.SiteState()
        self.bundle = config.dump(place.bundle())
        self.deliver: Callable[[m.Message], None] = lambda _: None
        self.connected = False
        self.level: dict[tuple[str, str], float] = {}
        self.at = dict(POSTS)
        self.refuse: dict[str, tuple[str, dict[str, Value]]] = {}
        self.requests: list[m.ActRequest] = []

    # --- the link --------------------------------------------------------------

    def receive(self, message: m.Message) -> None:
        """Take a message of the gateway."""
        if isinstance(message, m.Hello):
            self.connected = True
            self.deliver(self._snapshot())
            self.deliver(m.Events([], self.state.seq))
            self._states()
            self.live(full=True)
        elif isinstance(message, m.ActRequest):
            self.requests.append(message)
            self.deliver(self._act(message))
        elif isinstance(message, m.Query):
            self.deliver(self._history(message))
        elif isinstance(message, m.Diagnose):
            self.deliver(m.Diagnosis(message.id, b'{"host": {"devices": 2}}'))

    def _snapshot(self) -> m.Snapshot:
        return m.Snapshot(
            epoch=self.state.epoch,
            seq=self.state.seq,
            state=state.dump(self.state),
            bundle=self.bundle,
        )

    def _states(self) -> None:
        running = dict.fromkeys(
            ("core", "archive", "notifier", "host:modbus", "host:mqtt"), "running"
        )
        self.deliver(m.HostStates(states=running, unmonitored=["gallery"]))

    def emit(self, body: Event, actor: str = "") -> Envelope:
        """Accept an event and stream it."""
        wrapped = Envelope(
            epoch=max(self.state.epoch, 1),
            seq=self.state.seq + 1,
            id=self.ids.new(),
            type=body.name_,
            version=body.version_,
            wall_ns=self.clock.wall_ns(),
            sync=True,
            boot_id=self.clock.boot_id,
            mono_ns=self.clock.mono_ns(),
            cause=Cause(actor=actor) if actor else CORE,
            effect=body.effect_,
            body=encode_body(body),
        )
        fold.apply(self.state, body, wrapped)
        if self.connected:
            self.deliver(m.Events([envelopes.encode(wrapped)], wrapped.seq))
        return wrapped

    # --- a day -----------------------------------------------------------------

    def start(self) -> None:
        """Bring the site up: devices, people at their posts, two permits."""
        self.emit(HubStarted(version="0.1.0", clean=True, boot_id="boot"))
        self.emit(ConfigArmed(hash=config.digest(self.bundle), by="cli"))
        for device, zone, person in place.DEVICES:
            entities = tuple(
                EntityIds(one.uid, f"e-{device.uid}-{one.uid}")
                for one in device.entities
            )
            self.emit(
                DeviceEnrolled(
                    device_id=f"d-{device.uid}",
                    integration="modbus",
                    device=device,
                    entities=entities,
                    zone_id=zone,
                    person_id=person,
                )
            )
            for gas in device.entities:
                if gas.kind == EntityKind.GAS:
                    self.level[device.uid, gas.uid] = CALM[gas.uid]
        for person_id, (zone, *_) in POSTS.items():
            self._move(person_id, zone)
        self._permit("pt-1", "confined", "pit", "污水池清淤", ("p-sun", "p-zhou"))
        self._permit("pt-2", "confined", "gallery", "管廊支架焊接", ("p-wu",), "pt-1")
        self._permit("pt-3", "hot", "tank", "2# 罐法兰更换", ("p-zheng",))

    def _move(self, person_id: str, zone: str | None) -> None:
        source = f"e-tag-{person_id}-at"
        self.emit(PersonMoved(person_id=person_id, zone_id=zone, source=source))

    def _permit(
        self, permit_id: str, kind: str, zone: str, title: str,
        workers: tuple[str, ...], linked: str = "",
    ) -> None:  # fmt: skip
        self.emit(
            permits.PermitIssued(
                permit_id=permit_id,
                kind=kind,
                zone_id=zone,
                title=title,
                issuer_id="p-chen",
                supervisor_id="p-wang",
                guardian_id="p-zhao",
                workers=workers,
                linked=(linked,) if linked else (),
                valid=Deadline.after(self.clock, 8 * 3600, protective=False),
            ),
            "person:p-chen",
        )

    def incident(self) -> str:
        """Let H₂S rise in the pit: alarm, siren, holds, evacuation, notices."""
        self.level["gd-pit", "h2s"] = 18.4
        alarm = self.emit(
            alarms.AlarmRaised(
                alarm_id="al-1",
                source="entity:e-gd-pit-h2s",
                condition="high_high",
                kind="gas.toxic",
                priority=1,
                zone_id="pit",
                life_safety=True,
                latching=True,
                params={
                    "value": 18.4,
                    "limit": 13.2,
                    "unit": "ppm",
                    "quantity": "h2s",
                },
            ),
            "device:d-gd-pit",
        )
        for uid in ("siren-pit", "fan-pit"):
            self._command(uid)
        for permit_id in ("pt-1", "pt-2"):
            self._hold(permit_id)
        self._evacuate(alarm.wall_ns)
        for number, (person, role) in enumerate(
            (
                ("p-zhao", "guardian"),
                ("p-wang", "supervisor"),
                ("p-li", "safety_officer"),
            )
        ):
            self._tell(f"n-{number}", person, role)
        return "al-1"

    def _command(self, uid: str) -> None:
        command_id = f"c-{uid}"
        self.emit(
            response.CommandIssued(
                command_id=command_id,
                device_id=f"d-{uid}",
                entity_id=f"e-{uid}-out",
                value=True,
                deadline=Deadline.after(self.clock, 5),
                why="al-1",
            ),
            "rule:gas-response",
        )
        self.emit(response.CommandMoved(command_id=command_id, state="confirmed"))

    def _hold(self, permit_id: str) -> None:
        hold = permits.Hold(
            id=f"h-{permit_id}", code="gas", source="alarm:al-1", retest=("h2s", "o2")
        )
        self.emit(
            permits.PermitHeld(
                permit_id=permit_id, hold=hold, safe_state="order.leave"
            ),
            "rule:gas-response",
        )

    def _evacuate(self, _: int) -> None:
        inside = [p for p, (zone, *_) in self.at.items() if zone in ("pit", "gallery")]
        self.emit(
            response.EvacuationStarted(
                evacuation_id="ev-1",
                zones=("pit", "gallery"),
                code="gas",
                roster=tuple(
                    response.RosterLine(
                        person_id=p, zone_id=self.at[p][0], certain=p != "p-wu"
                    )
                    for p in inside
                ),
                muster_points=("muster-a",),
                late=Deadline.after(self.clock, 180),
            ),
            "rule:gas-response",
        )

    def _tell(self, notice_id: str, person_id: str, role: str) -> None:
        self.emit(
            response.NoticeQueued(
                notice_id=notice_id,
                person_id=person_id,
                role=role,
                code="gas",
                about="al-1",
                channels=("screen", "sms"),
            )
        )
        self.emit(
            response.NoticeMoved(notice_id=notice_id, channel="sms", state="delivered")
        )

    def leave(self, person_id: str, muster: bool = True) -> None:
        """Walk a person to the muster point."""
        x, y = (49.0, 30.5) if muster else (30.0, 18.0)
        self.at[person_id] = ("yard", x, y, 0.0)
        self._move(person_id, "yard")
        self.emit(
            response.RollChanged(
                evacuation_id="ev-1",
                person_id=person_id,
                status="device_seen",
                method="tag",
            )
        )

    # --- telemetry ---------------------------------------------------------------

    def live(self, full: bool = False, beat: int = 0) -> None:
        """Send every entity's reading, with a little life in it."""
        now = self.clock.wall_ns()
        rows = [
            m.LiveRow(
                f"e-{uid}-{gas}",
                round(
                    level
                    + (0.003 if gas == "o2" else 0.02)
                    * level
                    * math.sin(beat / 3 + len(uid)),
                    2,
                ),
                int(Quality.STALE if uid == "gd-gallery" else Quality.GOOD),
                now - (95 * NS if uid == "gd-gallery" else 0),
                "",
            )
            for (uid, gas), level in self.level.items()
        ]
        for number, (person, (_, x, y, z)) in enumerate(self.at.items()):
            drift = math.sin(beat / 7 + number)
            value = f"{x + drift:.2f},{y + drift / 2:.2f},{z}"
            rows.append(m.LiveRow(f"e-tag-{person}-at", value, 0, now))
        if self.connected:
            self.deliver(m.Live(rows, full=full))

    def _history(self, query: m.Query) -> m.QueryReply:
        series: dict[str, list[tuple[int, float | None, float | None, Value, int]]] = {}
        for entity in query.entities:
            uid, gas = entity.removeprefix("e-").rsplit("-", 1)
            level = CALM.get(gas, 1.0)
            end = self.level.get((uid, gas), level)
            step = max(1, (query.to_ms - query.from_ms) // 120)
            rows = series.setdefault(entity, [])
            for i in range(120):
                near = max(0.0, (i - 100) / 20) ** 2 * (end - level)
                swing = 0.004 if gas == "o2" else 0.12
                value = level * (1 + swing * math.sin(i / 5 + len(entity))) + near
                at = query.from_ms + i * step
                rows.append((at, value * 0.97, value * 1.03, value, 0))
        return m.QueryReply(id=query.id, series=series, sifted=_sifted(query))

    # --- acts ------------------------------------------------------------------

    def _act(self, request: m.ActRequest) -> m.ActReply:
        if request.verb in self.refuse:
            code, params = self.refuse[request.verb]
            return m.ActReply(id=request.id, ok=False, code=code, params=params)
        act = msgspec.msgpack.decode(request.body, type=ACTS[request.verb])
        event = self._event(request, act)
        if event is None:
            return m.ActReply(
                id=request.id, ok=False, code="act.unknown",
                params={"verb": request.verb},
            )  # fmt: skip
        seq = self.emit(event, f"person:{request.person_id}").seq
        return m.ActReply(id=request.id, ok=True, seq=seq)

    def _event(self, request: m.ActRequest, act: msgspec.Struct) -> Event | None:
        fields = msgspec.structs.asdict(act)
        me = request.person_id
        match request.verb:
            case "hub.claim":
                return HubClaimed(person_id=me)
            case "alarm.acknowledge":
                return alarms.AlarmAcknowledged(
                    alarm_id=fields["alarm_id"], person_id=me
                )
            case "person.account":
                return response.RollChanged(
                    evacuation_id=fields["evacuation_id"],
                    person_id=fields["person_id"],
                    status=fields["status"],
                    method="tick",
                    by=me,
                )
            case "attachment.record" | "attachment.read" | "gas.oxygen_check":
                return _recorded(request.verb, fields, me)
            case "permit.hold":
                hold = permits.Hold(id=self.ids.new(), code="person", source=me)
                return permits.PermitHeld(permit_id=fields["permit_id"], hold=hold)
            case "notice.acknowledge":
                return response.NoticeMoved(
                    notice_id=fields["notice_id"],
                    channel="screen",
                    state="acknowledged",
                )
            case "evacuation.clear":
                return response.EvacuationCleared(
                    evacuation_id=fields["evacuation_id"], person_id=me
                )
            case _:
                return None


def _recorded(verb: str, fields: dict[str, Any], me: str) -> Event:
    if verb == "gas.oxygen_check":
        return OxygenCheckAllowed(**fields, person_id=me)
    if verb == "attachment.read":
        return attachments.PersonalRead(**fields, by=me)
    told: dict[str, Any] = {name: value or 0 for name, value in fields.items()}
    return attachments.AttachmentRecorded(**told, person_id=me)


def _sifted(query: m.Query) -> bytes:
    """Judge a calm past with one spike and one silence of ten minutes."""
    answer = {}
    for entity_id, entity in query.declared.items():
        level, second = CALM.get(entity.quantity, 1.0), 1000
        first, last = query.from_ms, query.to_ms
        part = [Sample(t, level, 0) for t in range(first, last - 600_000, second)]
        part[-5] = part[-5]._replace(value=level + 50)
        parts = [part[at : at + 3600] for at in range(0, len(part), 3600)]
        answer[entity_id] = sift.sift(parts, entity, first, last)
    return sift.dump(answer)
