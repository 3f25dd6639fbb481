"""Run a blueprint's own tests: given readings and clock → expected actions (R25)."""

from collections.abc import Iterator
from typing import Any

import msgspec

from automations.blueprint import Blueprint
from automations.compile_rule import instantiate
from automations.compile_site import default_quantities, output
from automations.rehearsal import HOST, Rehearsal
from automations.schema_site import number, span
from core import config
from core.api.documents import Document
from core.api.errors import ConfigError
from core.api.model import Device, Entity, EntityKind
from core.config import Names
from core.deadlines import Deadline
from core.journal.events import EVENTS, Event
from core.people.events import PersonMoved
from core.permits.events import PermitIssued

_CHAIN = "test-chain"
_TELLS = config.ChainStep(
    roles=("guardian", "supervisor", "safety_officer"), channels=("screen",)
)
#: An expectation without ``within`` may be met this long after its ``at``.
_SLACK_S = 1.5


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """Say how one test ended; no problems means that it passed."""

    name: str
    problems: tuple[str, ...]


def run_all(blueprint: Blueprint) -> list[Outcome]:
    """Run every test of a blueprint on virtual time."""
    return [run(blueprint, test) for test in blueprint.tests]


def run(blueprint: Blueprint, test: dict[str, Any]) -> Outcome:
    """Run one test; raises ConfigError when the test itself is wrong."""
    name = test.get("name", "?")
    title = name.get("en", "?") if isinstance(name, dict) else str(name)
    stage = _Stage(blueprint, test)
    stage.play(test.get("given", []))
    problems = [*_missing(stage, test), *_forbidden(stage, test)]
    return Outcome(name=title, problems=tuple(problems))


class _Stage:
    """Build the test's site and play its script."""

    def __init__(self, blueprint: Blueprint, test: dict[str, Any]) -> None:
        self._site = test.get("site", {})
        self._document: Document = blueprint.document
        self.bundle = self._bundle(blueprint, test)
        self.rehearsal = Rehearsal(self.bundle)
        self.handles: dict[str, int] = {}
        self._values: dict[str, float] = {}
        self._silent: set[str] = set()
        self._declare()
        self._people()
        self.rehearsal.run_to(0.0)
        self._settled = False
        self.origin = len(self.rehearsal.events)

    def _bundle(self, blueprint: Blueprint, test: dict[str, Any]) -> config.Bundle:
        zones = self._site.get("zones", {})
        given = {**test.get("input", {})}
        if "chain" in blueprint.inputs:
            given.setdefault("chain", _CHAIN)
        rule = instantiate(
            blueprint,
            rule_id=blueprint.id,
            mode="enforce",
            given=given,
            zones=set(zones),
            chains={_CHAIN},
        )
        return config.Bundle(
            site=self._place(zones),
            people=tuple(
                config.Person(id=p, name=p, roles=tuple(spec["roles"]))
                for p, spec in self._site.get("people", {}).items()
            ),
            quantities=default_quantities(),
            permit_kinds=tuple(self._kinds()),
            integrations=(
                config.IntegrationConfig(id="rehearsal", integration="rehearsal"),
            ),
            devices=tuple(self._rules()),
            chains=(config.NotifyChain(id=_CHAIN, steps=(_TELLS,)),),
            rules=(rule,),
        )

    def _place(self, zones: dict[str, Any]) -> config.Site:
        square = ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0))
        return config.Site(
            id="test",
            names=_same("test"),
            levels=(config.Level(id="ground", names=_same("ground")),),
            zones=tuple(
                config.Zone(
                    id=zone,
                    names=_same(zone),
                    level="ground",
                    polygon=square,
                    hazard=(spec or {}).get("hazard", "general"),
                    neighbours=tuple((spec or {}).get("neighbours", ())),
                )
                for zone, spec in zones.items()
            ),
        )

    def _kinds(self) -> Iterator[config.PermitKind]:
        """Make kinds that need just the gases which the zone's detectors measure."""
        for permit in self._site.get("permits", {}).values():
            gases = tuple(
                spec["quantity"]
                for spec in self._site.get("detectors", {}).values()
                if spec["zone"] == permit["zone"]
            )
            yield config.PermitKind(
                id=permit["kind"],
                names=_same(permit["kind"]),
                safe_state="leave",
                gases=gases,
                guardian=False,
                retest=config.Retest(gases=gases),
            )

    def _rules(self) -> Iterator[config.DeviceRule]:
        for uid, spec in self._site.get("detectors", {}).items():
            yield config.DeviceRule(
                integration="rehearsal", uid=uid, zone=spec["zone"], critical=("*",)
            )
        for uid, spec in self._site.get("outputs", {}).items():
            yield config.DeviceRule(integration="rehearsal", uid=uid, zone=spec["zone"])

    def _declare(self) -> None:
        for uid, spec in self._site.get("detectors", {}).items():
            entity = Entity(
                uid="value",
                name=uid,
                kind=EntityKind.GAS,
                quantity=spec["quantity"],
                unit=spec.get("unit", "ppm"),
                max_age_s=float(spec.get("max_age", 10.0)),
                critical=True,
            )
            self._put(uid, entity)
        for uid, spec in self._site.get("outputs", {}).items():
            fields = {k: v for k, v in spec.items() if k != "zone"}
            entity = Entity(
                uid="value", name=uid, kind=EntityKind.OUTPUT, output=output(fields)
            )
            self._put(uid, entity)

    def _put(self, uid: str, entity: Entity) -> None:
        self.handles[uid] = len(self.handles)
        self.rehearsal.kernel.registry.declare(
            HOST,
            Device(uid=uid, name=uid, entities=(entity,)),
            {"value": self.handles[uid]},
        )

    def _people(self) -> None:
        for person, spec in self._site.get("people", {}).items():
            if "zone" in spec:
                self.rehearsal.emit(
                    PersonMoved(person_id=person, zone_id=spec["zone"], source="hand")
                )

    def _permits(self) -> None:
        clock = self.rehearsal.clock
        for permit_id, spec in self._site.get("permits", {}).items():
            self.rehearsal.emit(
                PermitIssued(
                    permit_id=permit_id,
                    kind=spec["kind"],
                    zone_id=spec["zone"],
                    title=permit_id,
                    issuer_id=spec.get("issuer", spec["supervisor"]),
                    supervisor_id=spec.get("supervisor", ""),
                    guardian_id=spec.get("guardian", ""),
                    workers=tuple(spec.get("workers", ())),
                    linked=tuple(spec.get("linked", ())),
                    valid=Deadline.after(clock, 8 * 3600.0),
                )
            )

    def play(self, given: list[dict[str, Any]]) -> None:
        """Play the script; a detector repeats its value until it is silenced."""
        for number_, act in enumerate(given):
            at = span(act.get("at", 0))
            self._repeat_to(at)
            if "read" in act:
                for uid, value in act["read"].items():
                    self._read(uid, value, number_)
            if "quality" in act:
                for uid, quality in act["quality"].items():
                    self.rehearsal.read(self._handle(uid, number_), 0.0, int(quality))
                    self._silent.add(uid)
            if "silence" in act:
                self._silent.add(str(act["silence"]))
            if "stuck" in act:
                self.rehearsal.devices.stuck.add(str(act["stuck"]))
            if number_ == 0:
                self._permits()
        self._repeat_to(self.rehearsal_time() + _SLACK_S)

    def rehearsal_time(self) -> float:
        """Return the virtual time that has passed, in seconds."""
        clock = self.rehearsal.clock
        return (clock.mono_ns() - self.rehearsal._start_ns) / 1e9

    def _repeat_to(self, until: float) -> None:
        now = self.rehearsal_time()
        while now + 2.0 <= until:
            now += 2.0
            self.rehearsal.run_to(now)
            for uid, value in self._values.items():
                if uid not in self._silent:
                    self.rehearsal.read(self.handles[uid], value)
        self.rehearsal.run_to(until)

    def _read(self, uid: str, value: Any, number_: int) -> None:
        handle = self._handle(uid, number_)
        self._values[uid] = number(value)
        self._silent.discard(uid)
        self.rehearsal.read(handle, self._values[uid])
        self.rehearsal.run_to(self.rehearsal_time())

    def _handle(self, uid: str, number_: int) -> int:
        if uid not in self.handles:
            raise ConfigError(
                f"given/{number_}: {uid!r} is no detector of the test's site; "
                f"known: {', '.join(sorted(self.handles))}"
            )
        return self.handles[uid]


def _same(text: str) -> Names:
    return Names(zh=text, en=text)


#: Expectation word → event type, and the field that must equal its value.
_WORDS = {
    "command": ("command.issued", "entity"),
    "withheld": ("command.withheld", "entity"),
    "held": ("permit.held", "permit_id"),
    "evacuated": ("evacuation.started", "zones"),
    "told": ("notice.queued", "role"),
    "alarm": ("alarm.raised", "kind"),
}


def _missing(stage: _Stage, test: dict[str, Any]) -> Iterator[str]:
    for expected in test.get("expect", []):
        word = next((w for w in _WORDS if w in expected), None)
        if word is None:
            raise ConfigError(f"an expectation is one of {', '.join(_WORDS)}")
        at = span(expected.get("at", 0))
        until = at + (span(expected["within"]) if "within" in expected else _SLACK_S)
        if not any(
            at - 0.001 <= when <= until and _matches(stage, word, expected, body)
            for when, body, _ in stage.rehearsal.events
        ):
            yield f"expected {word} {expected[word]} between {at:g} s and {until:g} s"


def _matches(stage: _Stage, word: str, expected: dict[str, Any], body: Event) -> bool:
    name, field = _WORDS[word]
    if body.name_ != name:
        return False
    if field == "entity":
        entity = stage.rehearsal.kernel.registry.entity(body.entity_id)  # type: ignore[attr-defined]
        found: Any = entity.declared.name if entity else None
    else:
        found = getattr(body, field)
    if "value" in expected and getattr(body, "value", None) != expected["value"]:
        return False
    wanted = expected[word]
    return wanted in found if isinstance(found, tuple) else found == wanted


def _forbidden(stage: _Stage, test: dict[str, Any]) -> Iterator[str]:
    for name in test.get("never", []):
        if name not in EVENTS:
            raise ConfigError(f"never: {name!r} is no event type")
        for when, body, _ in stage.rehearsal.events[stage.origin :]:
            if body.name_ == name:
                yield f"{name} at {when:g} s must not happen"
                break
