"""How a device is doing: score, link, what was taken out, bad input, findings."""

import msgspec

from core.api.model import Device, Entity, EntityKind
from core.api.reading import Value
from core.quality.lint import lint
from core.quality.sift import Sifted, load
from core.registry.state import DeviceRecord
from frontend_api.guard import Call, Route
from frontend_api.link import Uplink
from frontend_api.names import reason, text
from frontend_api.problems import Problem
from frontend_api.replica import Replica
from frontend_api.rest import number
from frontend_api.views import Text, View

HOURS, MOST_HOURS, MOST_ENTITIES = 24, 24 * 7, 32
#: Characters of a reason's code, as a driver may give it.
MOST_CODE = 200
#: Kinds whose past says how well they measure.
_MEASURED = (EntityKind.GAS, EntityKind.SENSOR)


class TakenOutView(View):
    """Show one sample that a filter took out of the curve; the raw value stays."""

    ms: int
    raw: Value
    filter: str
    text: Text


class EntityQualityView(View):
    """Show how one entity did over the span."""

    entity_id: str
    uid: str
    name: str
    points: float
    """0 (nothing usable) to 100."""
    samples: int
    covered: float
    good: float
    gaps: int
    longest_gap_s: float
    interval_s: float
    taken_out: dict[str, int]
    drift: float | None
    drifted: bool
    out: list[TakenOutView]


class BadInputView(View):
    """Show one kind of bad input since the gateway's start."""

    name: str
    text: Text
    count: int
    frame: str
    """The last offending frame, without secrets."""
    at_ms: int


class FindingView(View):
    """Show what the linter says of a declaration."""

    code: str
    entity: str
    text: Text


class DeviceQualityView(View):
    """Show a device's quality: as good as the worst of what it measures."""

    device_id: str
    from_ms: int
    to_ms: int
    points: float | None
    """None: nothing that it measures is on record."""
    covered: float | None
    """Share of the time in which its worst point spoke as often as it should."""
    entities: list[EntityQualityView]
    bad_input: list[BadInputView]
    findings: list[FindingView]


class QualityDesk:
    """Answer reads about the quality of devices."""

    def __init__(self, replica: Replica, uplink: Uplink) -> None:
        self.replica, self.uplink = replica, uplink

    def routes(self) -> list[Route]:
        """Return the routes of this module."""
        return [
            Route("GET", "/api/v1/devices/{id}/quality", self.quality,
                  "How a device is doing: score, link, filters, bad input",
                  reply=DeviceQualityView, query=("hours", "to")),
            Route("GET", "/api/v1/reasons", self.reason,
                  "Say in words why a value is not good",
                  reply=Text, query=("code",)),
        ]  # fmt: skip

    async def reason(self, call: Call) -> Text:
        """Say a reason's code; a code without words is said as it is."""
        return reason(call.request.query.get("code", "")[:MOST_CODE])

    async def quality(self, call: Call) -> DeviceQualityView:
        """Judge a device's last hours; raises Problem."""
        registry = self.replica.state.registry
        device = registry.devices.get(call.request.match_info["id"])
        if device is None:
            raise Problem("gateway.not_found")
        hours = max(1, min(number(call.request, "hours", HOURS), MOST_HOURS))
        end = number(call.request, "to", self.replica.now_ms())
        start = end - hours * 3_600_000
        declared = {each: registry.entities[each].declared for each in device.entities}
        measured = {key: e for key, e in declared.items() if e.kind in _MEASURED}
        found = await self._sifted(measured, start, end)
        shown = [
            _entity(key, measured[key], each)
            for key, each in found.items()
            if each.score.samples
        ]
        return DeviceQualityView(
            device_id=device.id,
            from_ms=start,
            to_ms=end,
            points=min((each.points for each in shown), default=None),
            covered=min((each.covered for each in shown), default=None),
            entities=shown,
            bad_input=self._bad(device.id),
            findings=_findings(device, list(declared.values())),
        )

    async def _sifted(
        self, measured: dict[str, Entity], start: int, end: int
    ) -> dict[str, Sifted]:
        asked = dict(list(measured.items())[:MOST_ENTITIES])
        if not asked:
            return {}
        reply = await self.uplink.query([], start, end, 2, asked)
        if reply.error:
            raise Problem("gateway.no_history", reason=reply.error)
        try:
            return load(reply.sifted)
        except msgspec.DecodeError as wrong:
            raise Problem("gateway.no_history", reason=str(wrong)) from None

    def _bad(self, device_id: str) -> list[BadInputView]:
        known = self.replica.bad_input.get(device_id, {})
        return [
            BadInputView(
                name=name,
                text=reason(name),
                count=bad.times,
                frame=bad.frame,
                at_ms=bad.at_ms,
            )
            for name, bad in sorted(known.items(), key=lambda each: -each[1].at_ms)
        ]


def _entity(key: str, entity: Entity, sifted: Sifted) -> EntityQualityView:
    score = sifted.score
    return EntityQualityView(
        entity_id=key,
        uid=entity.uid,
        name=entity.name,
        points=score.points,
        samples=score.samples,
        covered=score.covered,
        good=score.good,
        gaps=score.gaps,
        longest_gap_s=score.longest_gap_s,
        interval_s=sifted.interval_s,
        taken_out=score.taken_out,
        drift=score.drift,
        drifted=score.drifted,
        out=[
            TakenOutView(
                ms=ms, raw=raw, filter=name, text=text(f"quality.filter.{name}")
            )
            for ms, raw, name in sifted.out
        ],
    )


def _findings(record: DeviceRecord, entities: list[Entity]) -> list[FindingView]:
    device = Device(uid=record.uid, name=record.name, entities=tuple(entities))
    return [
        FindingView(
            code=each.code,
            entity=each.entity,
            text=text(f"quality.{each.code}", dict(each.params)),
        )
        for each in lint(device)
    ]
