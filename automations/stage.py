"""The site of a blueprint's test: built from its words, played on virtual time."""

import datetime as dt
import functools
from collections.abc import Callable, Iterator
from typing import Any

from automations.blueprint import Blueprint
from automations.compile_rule import instantiate
from automations.compile_site import default_quantities, output
from automations.rehearsal import HOST, Rehearsal
from automations.schema_words import number, span
from automations.stage_site import channels, place, roster, same
from core import config
from core.api.errors import ConfigError
from core.api.model import Device, Entity, EntityKind
from core.api.quality import Quality
from core.api.reading import Value
from core.api.said import Said
from core.clock import NS
from core.deadlines import Deadline
from core.logic.events import RuleCalled, RuleHooked
from core.people.events import PersonMoved
from core.permits.events import (
    PermitClosed,
    PermitIssued,
    PermitReleased,
)
from core.permits.surroundings_events import WeatherWarned, WeatherWarning
from core.registry.events import DeviceReported

CHAIN = "test-chain"
_TELLS = config.ChainStep(
    roles=("guardian", "supervisor", "safety_officer"), channels=("screen",)
)
#: An expectation without ``within`` may be met this long after its ``at``.
SLACK_S = 1.5
#: A detector that is not silenced says its value again so often.
REPEAT_S = 2.0
_SITE_WORDS = (
    *("zones", "detectors", "outputs", "people", "permits", "time", "trusted"),
    *("north", "channels", "shifts"),
)


class Stage:
    """Build a test's site and play its script."""

    def __init__(self, blueprint: Blueprint, test: dict[str, Any]) -> None:
        self._site = test.get("site", {})
        for word in self._site:
            if word not in _SITE_WORDS:
                raise ConfigError(
                    Said(
                        "site: unknown word {word!r}; known: {site_words}",
                        word=word,
                        site_words=list(_SITE_WORDS),
                    )
                )
        self.rule_id = blueprint.id
        self._classes = {each.id: each.gas_class for each in _quantities()}
        self.bundle = self._bundle(blueprint, test)
        self.rehearsal = Rehearsal(self.bundle, wall_ns=self._wall_ns())
        self.rehearsal.clock.trusted = self._site.get("trusted", True)
        self.handles: dict[str, int] = {}
        self._values: dict[str, Value] = {}
        self._quality: dict[str, int] = {}
        self._silent: set[str] = set()
        self._declare()
        self._people()
        self.rehearsal.run_to(0.0)
        self.origin = len(self.rehearsal.events)

    # --- the site ---------------------------------------------------------------

    def _wall_ns(self) -> int:
        given = self._site.get("time", "2026-09-21T10:00")
        local = dt.datetime.fromisoformat(str(given)).replace(
            tzinfo=dt.timezone(dt.timedelta(hours=8))
        )
        return int(local.timestamp()) * NS

    def _bundle(self, blueprint: Blueprint, test: dict[str, Any]) -> config.Bundle:
        zones = self._site.get("zones", {})
        given = {**test.get("input", {})}
        if "chain" in blueprint.inputs:
            given.setdefault("chain", CHAIN)
        rule = instantiate(
            blueprint,
            rule_id=blueprint.id,
            mode="enforce",
            given=given,
            zones=set(zones),
            chains={CHAIN},
        )
        return config.Bundle(
            site=place(zones, north=bool(self._site.get("north"))),
            people=tuple(
                config.Person(id=p, name=p, roles=tuple(spec["roles"]))
                for p, spec in self._site.get("people", {}).items()
            ),
            quantities=_quantities(),
            permit_kinds=tuple(self._kinds()),
            integrations=(
                config.IntegrationConfig(id="rehearsal", integration="mqtt"),
            ),
            devices=tuple(self._rules()),
            chains=(config.NotifyChain(id=CHAIN, steps=(_TELLS,)),),
            rules=(rule,),
            shifts=roster(self._site.get("shifts", {})),
            notices=channels(self._site.get("channels", ())),
        )

    def _kinds(self) -> Iterator[config.PermitKind]:
        """Make kinds that need no gas of themselves: only the rule is to hold them.

        Their release asks for the gases which the zone's detectors measure.
        """
        made = set()
        for permit in self._site.get("permits", {}).values():
            gases = tuple(
                spec["quantity"]
                for spec in self._site.get("detectors", {}).values()
                if spec.get("zone") == permit["zone"]
                and self._classes.get(spec["quantity"])
            )
            if permit["kind"] not in made:
                made.add(permit["kind"])
                yield config.PermitKind(
                    id=permit["kind"],
                    names=same(permit["kind"]),
                    safe_state="leave",
                    gases=tuple(permit.get("gases", ())),
                    guardian=False,
                    retest=config.Retest(gases=gases),
                )

    def _rules(self) -> Iterator[config.DeviceRule]:
        for uid, spec in self._site.get("detectors", {}).items():
            yield config.DeviceRule(
                integration="rehearsal",
                uid=uid,
                zone=spec.get("zone"),
                person=spec.get("person"),
                critical=("*",) if self._is_critical(spec) else (),
            )
        for uid, spec in self._site.get("outputs", {}).items():
            yield config.DeviceRule(integration="rehearsal", uid=uid, zone=spec["zone"])

    def _is_critical(self, spec: dict[str, Any]) -> bool:
        return bool(spec.get("critical", self._kind(spec) is EntityKind.GAS))

    def _kind(self, spec: dict[str, Any]) -> EntityKind:
        plain = "gas" if self._classes.get(spec["quantity"]) else "sensor"
        return EntityKind(spec.get("kind", plain))

    def _declare(self) -> None:
        for uid, spec in self._site.get("detectors", {}).items():
            kind = self._kind(spec)
            plain = "ppm" if kind is EntityKind.GAS else ""
            entity = Entity(
                uid="value",
                name=uid,
                kind=kind,
                quantity=spec["quantity"],
                unit=spec.get("unit", plain),
                max_age_s=float(spec.get("max_age", 10.0)),
                critical=self._is_critical(spec),
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
                self._move({person: spec["zone"]})

    def _permits(self) -> None:
        for permit_id, spec in self._site.get("permits", {}).items():
            if spec.get("issued", True):
                self._issue(permit_id)

    # --- the script -------------------------------------------------------------

    def play(self, given: list[dict[str, Any]]) -> None:
        """Play the script; a detector repeats its value until it is silenced."""
        acts = self._acts()
        for number_, act in enumerate(given):
            self._repeat_to(span(act.get("at", 0)))
            for word, value in act.items():
                if word in ("at", "wait"):
                    continue
                if word not in acts:
                    raise ConfigError(
                        Said(
                            "given/{number}: unknown word {word!r}; known: {acts}",
                            number=number_,
                            word=word,
                            acts=[*acts, "wait"],
                        )
                    )
                try:
                    acts[word](value)
                except (KeyError, TypeError, AttributeError) as bad:
                    raise ConfigError(
                        Said(
                            "given/{number}: {word}: {bad}",
                            number=number_,
                            word=word,
                            bad=bad,
                        )
                    ) from None
            if number_ == 0:
                self._permits()
        self._repeat_to(self.time() + SLACK_S)

    def _acts(self) -> dict[str, Callable[[Any], None]]:
        return {
            "read": self._read,
            "quality": self._worsen,
            "silence": lambda uids: self._silent.update(_listed(uids)),
            "stuck": lambda uids: self.rehearsal.devices.stuck.update(_listed(uids)),
            "move": self._move,
            "lose": self._lose,
            "report": self._report,
            "alarm": self._alarm,
            "returned": self._returned,
            "issue": self._issue,
            "hold": self._hold,
            "release": self._release,
            "close": self._close,
            "call": self._call,
            "hook": self._hook,
            "warn": self._warn,
            "trusted": self._trust,
        }

    def time(self) -> float:
        """Return the virtual time that has passed, in seconds."""
        return self.rehearsal.time()

    def _repeat_to(self, until: float) -> None:
        now = self.time()
        while now + REPEAT_S <= until:
            now += REPEAT_S
            self.rehearsal.run_to(now)
            for uid, value in self._values.items():
                if uid not in self._silent:
                    self._send(uid, value)
        self.rehearsal.run_to(until)

    def _send(self, uid: str, value: Value) -> None:
        quality = self._quality.get(uid, 0)
        self.rehearsal.read(self.handles[uid], value, quality)

    def _read(self, values: dict[str, Any]) -> None:
        for uid, value in values.items():
            self._handle(uid)
            plain = isinstance(value, bool | str)
            self._values[uid] = value if plain else number(value)
            self._silent.discard(uid)
            self._quality.pop(uid, None)
            self._send(uid, self._values[uid])
            self.rehearsal.run_to(self.time())

    def _worsen(self, qualities: dict[str, Any]) -> None:
        for uid, quality in qualities.items():
            self._handle(uid)
            named = isinstance(quality, str)
            self._quality[uid] = int(Quality[quality] if named else quality)
            self._silent.discard(uid)
            self._send(uid, self._values.setdefault(uid, 0.0))

    def _handle(self, uid: str) -> int:
        if uid not in self.handles:
            raise ConfigError(
                Said(
                    "{uid!r} is no detector of the test's site; known: {handles}",
                    uid=uid,
                    handles=sorted(self.handles),
                )
            )
        return self.handles[uid]

    def _move(self, places: dict[str, str]) -> None:
        for person, zone in places.items():
            body = PersonMoved(person_id=person, zone_id=zone, source="hand")
            self.rehearsal.emit(body)

    def _lose(self, person: str) -> None:
        body = PersonMoved(person_id=person, zone_id=None, source="lost")
        self.rehearsal.emit(body)

    def _report(self, reports: dict[str, str]) -> None:
        registry = self.rehearsal.kernel.registry
        for uid, kind in reports.items():
            device = registry.find_device(HOST, uid)
            number_ = device.id if device is not None else uid
            self.rehearsal.emit(DeviceReported(device_id=number_, kind=kind))

    def _alarm(self, spec: dict[str, Any]) -> None:
        zone = spec.get("zone")
        self.rehearsal.kernel.alarms.raise_(
            spec.get("source", f"zone:{zone}"),
            spec.get("condition", "test"),
            kind=spec["kind"],
            priority=spec.get("priority", 2),
            zone_id=zone,
            life_safety=spec.get("life_safety", False),
            mark=spec.get("mark", ""),
        )

    def _returned(self, spec: dict[str, Any]) -> None:
        source = spec.get("source", f"zone:{spec.get('zone')}")
        self.rehearsal.kernel.alarms.clear(source, spec.get("condition", "test"))

    def _issue(self, permit_id: str) -> None:
        spec = self._site["permits"][permit_id]
        valid = span(spec.get("valid", "8h"))
        boss = spec.get("supervisor") or next(iter(self._site.get("people", {})), "")
        self.rehearsal.emit(
            PermitIssued(
                permit_id=permit_id,
                kind=spec["kind"],
                zone_id=spec["zone"],
                title=permit_id,
                issuer_id=spec.get("issuer", boss),
                supervisor_id=boss,
                guardian_id=spec.get("guardian", ""),
                workers=tuple(spec.get("workers", ())),
                linked=tuple(spec.get("linked", ())),
                valid=Deadline.after(self.rehearsal.clock, valid),
            )
        )

    def _hold(self, permit_id: str) -> None:
        self.rehearsal.kernel.permits.hold(permit_id, "manual", source="person:test")

    def _release(self, permit_id: str) -> None:
        permits = self.rehearsal.kernel.hub.state.permits.permits
        body = PermitReleased(
            permit_id=permit_id,
            hold_ids=tuple(permits[permit_id].holds),
            person_id="test",
            reason="test",
        )
        self.rehearsal.emit(body)

    def _close(self, permit_id: str) -> None:
        self.rehearsal.emit(PermitClosed(permit_id=permit_id, person_id="test"))

    def _call(self, spec: dict[str, Any]) -> None:
        body = RuleCalled(
            rule=self.rule_id,
            zone_id=spec.get("zone", ""),
            person_id=spec["person"],
            reason=spec.get("reason", "test"),
            drill=spec.get("drill", False),
        )
        self.rehearsal.emit(body)

    def _hook(self, spec: dict[str, Any]) -> None:
        self.rehearsal.emit(
            RuleHooked(
                hook=spec["hook"], person_id="test", params=spec.get("params", {})
            )
        )

    def _warn(self, weather: str) -> None:
        until = Deadline.after(self.rehearsal.clock, 3600.0)
        warning = WeatherWarning(kind=weather, level="red", until=until, by="test")  # type: ignore[arg-type]
        self.rehearsal.emit(WeatherWarned(warning=warning))

    def _trust(self, trusted: bool) -> None:
        self.rehearsal.clock.trusted = trusted


@functools.cache
def _quantities() -> tuple[config.Quantity, ...]:
    return default_quantities()


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
