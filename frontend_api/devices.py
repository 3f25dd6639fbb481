"""Devices that wait for a person's enrolment, with what each must be asked."""

from typing import Any

from core.link.findings import Proposed, ProposedEntity
from core.people.acts import ACTS
from core.registry.acts import EnrolDevice
from frontend_api.guard import Call, Route
from frontend_api.names import Names
from frontend_api.replica import Replica
from frontend_api.views import Text, View


class WaitingEntityView(View):
    """Show one entity of a device that waits."""

    uid: str
    name: str
    kind: str
    quantity: Text
    unit: str
    output: str
    """Kind of output: its contact's zone, Ex rating and fail-safe are asked for."""
    max_age_s: float
    critical: bool


class WaitingDeviceView(View):
    """Show one declared device that nobody has enrolled."""

    id: str
    integration: str
    """Id of the set-up integration whose host declared it."""
    uid: str
    name: str
    manufacturer: str
    model: str
    serial: str
    zone_id: str
    """What the device itself suggests; '' is nothing."""
    seen_ms: int
    proof: list[str]
    """One of these is asked; empty: none is."""
    keyed: bool
    """True: its driver knows it by a key, so `key` proves it."""
    places: list[str]
    """Ports and buses that its integration was set up with, for `wired`."""
    bump_every_h: float | None
    """Set by itself: it cannot tell its own faults."""
    replaces: list[str]
    """Ids of enrolled devices of the same kind, whose place it could take."""
    entities: list[WaitingEntityView]


class WaitingDevices(View):
    """Show all devices that wait."""

    items: list[WaitingDeviceView]
    may_enrol: bool


class DeviceDesk:
    """Answer reads about devices that wait."""

    def __init__(self, replica: Replica) -> None:
        self.replica, self.names = replica, Names(replica)

    def routes(self) -> list[Route]:
        """Return the routes of this module."""
        return [
            Route("GET", "/api/v1/waiting-devices", self.waiting,
                  "Declared devices that nobody has enrolled", reply=WaitingDevices),
        ]  # fmt: skip

    async def waiting(self, call: Call) -> WaitingDevices:
        """Show what hosts have declared, oldest first."""
        roles = self.replica.roles(call.session.person_id)
        may = bool(ACTS[EnrolDevice.verb_].roles_ & roles)
        return WaitingDevices(
            items=[self._device(each) for each in self.replica.proposed],
            may_enrol=may and call.session.may_act(EnrolDevice.verb_),
        )

    def _device(self, row: Proposed) -> WaitingDeviceView:
        bundle = self.replica.bundle
        config = next((e for e in bundle.integrations if e.id == row.host), None)
        contract = config.contract if config is not None else None
        return WaitingDeviceView(
            id=f"{row.host}/{row.uid}",
            integration=row.host,
            uid=row.uid,
            name=row.name,
            manufacturer=row.manufacturer,
            model=row.model,
            serial=row.serial,
            zone_id=row.zone_id,
            seen_ms=row.seen_ms,
            proof=list(contract.proof) if contract is not None else [],
            keyed=row.keyed,
            places=_places(config.options if config is not None else {}),
            bump_every_h=row.bump_every_h,
            replaces=self._alike(row),
            entities=[self._entity(each) for each in row.entities],
        )

    def _entity(self, row: ProposedEntity) -> WaitingEntityView:
        return WaitingEntityView(
            uid=row.uid,
            name=row.name,
            kind=row.kind,
            quantity=self.names.quantity(row.quantity),
            unit=row.unit,
            output=row.output,
            max_age_s=row.max_age_s,
            critical=row.critical,
        )

    def _alike(self, row: Proposed) -> list[str]:
        """Return the enrolled devices all of whose entities this one has too."""
        registry = self.replica.state.registry
        has = {(each.uid, each.kind, each.quantity) for each in row.entities}
        found = []
        for device in registry.devices.values():
            declared = [registry.entities[each].declared for each in device.entities]
            needs = {(e.uid, str(e.kind.value), e.quantity) for e in declared}
            if needs and needs <= has:
                found.append(device.id)
        return found


def _places(options: Any) -> list[str]:
    """Return what of a host's options names a port, a bus or an address."""
    found: list[str] = []
    if isinstance(options, dict):
        for key, value in options.items():
            if key in ("tcp", "port", "host", "address") and isinstance(value, str):
                found.append(value)
            else:
                found += _places(value)
    elif isinstance(options, list):
        for each in options:
            found += _places(each)
    return list(dict.fromkeys(found))
