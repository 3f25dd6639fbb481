"""A small site, and a journal told event by event."""

import socket
from typing import Any

import pytest

from core import config
from core.clock import NS
from core.deadlines import Deadline
from core.journal.envelope import Cause, Envelope
from core.journal.events import Event, encode_body
from core.journal.fold import apply
from core.permits.events import (
    GasTest,
    Hold,
    PermitClosed,
    PermitExpired,
    PermitHeld,
    PermitIssued,
    PermitReleased,
)
from core.state import SiteState
from frontend_api.exchange import settings
from frontend_api.exchange.mapping import Mapper, Owed

NAMES = config.Names(zh="一号罐", en="Tank 1")
START_NS = 1_782_864_000 * NS  # 2026-07-01 08:00:00 in Shanghai
BUNDLE = config.Bundle(
    site=config.Site(
        id="park",
        names=config.Names(zh="示范工地", en="Demonstration site"),
        zones=(config.Zone(id="tank", names=NAMES, level="g", polygon=()),),
    ),
    people=(
        config.Person(id="li", name="李护", roles=("guardian",), company="分包甲"),
        config.Person(id="sun", name="孙强", roles=("supervisor",), company="分包甲"),
        config.Person(id="zhou", name="周勇", roles=("worker",), company="分包甲"),
        config.Person(id="wu", name="吴涛", roles=("worker",), company="分包甲"),
        config.Person(id="qian", name="钱明", roles=("issuer",), company="总包"),
    ),
    quantities=(
        config.Quantity(
            id="h2s", names=config.Names(zh="硫化氢", en="H2S"), unit="mg/m3"
        ),
        config.Quantity(
            id="o2", names=config.Names(zh="氧气", en="Oxygen"), unit="%vol"
        ),
    ),
    permit_kinds=(
        config.PermitKind(
            id="confined",
            names=config.Names(zh="受限空间作业", en="Confined space"),
            safe_state="leave",
            gases=("h2s", "o2"),
        ),
    ),
)
TEXT = """
company: {name: 总包, code: '91330100MA00000000'}
position: {longitude: 120.153576, latitude: 30.287459}
mobile: '13800000000'
cards:
  zhou: {name: 受限空间作业证, number: T3301-0001}
types: {confined: '70'}
platform:
  tickets: http://127.0.0.1:9/tickets
  alarms: http://127.0.0.1:9/alarms
"""


def gas(quantity: str, value: float | None, unit: str) -> GasTest:
    return GasTest(
        quantity=quantity,
        value=value,
        unit=unit,
        entity_id=f"e-{quantity}",
        quality=0,
        measured_wall_ns=START_NS - 600 * NS,
        passed=value is not None,
    )


class Told:
    """Tell events; what they make owed is collected."""

    def __init__(self, text: str = TEXT) -> None:
        self.state = SiteState()
        self.mapper = Mapper(settings.loads(text))
        self.mapper.bundle = BUNDLE
        self.owed: list[Owed] = []
        self.wall_ns = START_NS
        self.envelopes: list[Envelope] = []

    def tell(self, body: Event, after_s: float = 60.0, actor: str = "hub:core") -> None:
        self.wall_ns += int(after_s * NS)
        envelope = Envelope(
            epoch=1,
            seq=self.state.seq + 1,
            id=f"e{self.state.seq + 1}",
            type=body.name_,
            version=body.version_,
            wall_ns=self.wall_ns,
            sync=True,
            boot_id="boot",
            mono_ns=self.wall_ns,
            cause=Cause(actor=actor),
            effect=body.effect_,
            body=encode_body(body),
        )
        self.envelopes.append(envelope)
        apply(self.state, body, envelope)
        self.owed += self.mapper.take(body, envelope, self.state)

    def issue(self, permit_id: str = "01J0000000000000000000PERM", **more: Any) -> str:
        fields: dict[str, Any] = {
            "permit_id": permit_id,
            "kind": "confined",
            "zone_id": "tank",
            "title": "清罐",
            "issuer_id": "qian",
            "supervisor_id": "sun",
            "guardian_id": "li",
            "workers": ("zhou", "wu"),
            "linked": (),
            "valid": Deadline(
                duration_ns=8 * 3600 * NS,
                start_mono_ns=self.wall_ns,
                start_wall_ns=self.wall_ns,
                boot_id="boot",
                synced=True,
            ),
            "tests": (gas("h2s", 0.0, "mg/m3"), gas("o2", 20.9, "%vol")),
        }
        self.tell(PermitIssued(**{**fields, **more}), actor="person:qian")
        return permit_id

    def hold(self, permit_id: str, hold_id: str, code: str, **params: Any) -> None:
        hold = Hold(id=hold_id, code=code, source="interlock:x", params=params)
        self.tell(PermitHeld(permit_id=permit_id, hold=hold))

    def release(self, permit_id: str, *hold_ids: str) -> None:
        self.tell(
            PermitReleased(
                permit_id=permit_id,
                hold_ids=hold_ids,
                person_id="qian",
                reason="已处置",
            ),
            actor="person:qian",
        )

    def close(self, permit_id: str, outcome: str = "completed") -> None:
        self.tell(
            PermitClosed(permit_id=permit_id, person_id="qian", outcome=outcome),
            actor="person:qian",
        )

    def expire(self, permit_id: str) -> None:
        self.tell(PermitExpired(permit_id=permit_id))


@pytest.fixture
def told() -> Told:
    """Return an empty journal at 08:00 of a working day."""
    return Told()


@pytest.fixture
def closed_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
