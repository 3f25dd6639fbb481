"""Turn a folder of YAML files into one checked, typed bundle."""

from pathlib import Path
from typing import Any

import msgspec
import voluptuous as vol

from automations import compile_rule, notices, schema_site, slow_links
from automations.alarm_policy import compile_alarms
from automations.blueprint import check_known
from automations.books import SITE_KEYS, Books
from automations.calendar import compile_calendar
from automations.hazards import with_hazards
from automations.leaving import check_drills, drill, scope
from automations.packs.site import SitePacks, picks_basic, runtime_kinds
from automations.pinning import Library
from automations.retention import compile_retention
from automations.schema_words import listed
from automations.site_files import gather
from core import config
from core.api.documents import Document, Path_, read
from core.api.errors import ConfigError
from core.api.model import Output
from core.api.said import Said, sentence
from core.config import Names
from core.site.leaving import Scope

_SHIPPED = Path(__file__).parent.parent / "blueprints"


def compile_folder(folder: Path) -> config.Bundle:
    """Return the bundle of a configuration folder; raises ConfigError."""
    return of_folder(folder).bundle()


def of_folder(folder: Path, library: Library | None = None) -> "SiteCompiler":
    """Return the compiler of a configuration folder; raises ConfigError."""
    return SiteCompiler(gather(folder), folder, library)


class SiteCompiler:
    """Check references and build the bundle's parts."""

    def __init__(
        self, document: Document, folder: Path, library: Library | None = None
    ) -> None:
        self._document, self._folder = document, folder
        self._data = document.check(schema_site.SITE.extend(SITE_KEYS))
        self.library = library or Library()
        self.library.folders = (folder / "blueprints",)
        trusted = {e["id"]: e["key"] for e in self._data.get("publishers", ())}
        self.library.publishers = trusted
        self.packs = SitePacks(document, self._data, folder).assembled()
        self._zones = {zone["id"] for zone in self._data.get("zones", ())}
        self._people = {person["id"] for person in self._data.get("people", ())}

    def bundle(self) -> config.Bundle:
        """Return the bundle; raises ConfigError."""
        chains = notices.compile_chains(self._data)
        packs = [each.pack for each in self.packs]
        return config.Bundle(
            site=with_hazards(self._document, self._data, self._site(), packs),
            people=tuple(_person(each) for each in self._tuples("people")),
            quantities=self._quantities(),
            permit_kinds=self._permit_kinds(),
            packs=tuple(packs),
            devices=self._devices(),
            integrations=self._integrations(),
            chains=chains,
            notices=notices.compile_notices(self._document, self._data),
            shifts=notices.compile_shifts(self._document, self._data),
            rules=self._rules({chain.id for chain in chains}),
            publishers=self.library.publishers,
            alarms=compile_alarms(self._document, self._data),
            retention=compile_retention(self._data),
            **Books(self._document, self._data, self.library.folders).parts(),
        )

    def _tuples(self, key: str) -> list[dict[str, Any]]:
        return [_frozen(each) for each in self._data.get(key, ())]

    def _site(self) -> config.Site:
        self._check_plan()
        head = dict(self._data["site"])
        return config.Site(
            id=head["id"],
            names=Names(**head["names"]),
            time_zone=head.get("time_zone", "Asia/Shanghai"),
            language=head.get("language", "zh"),
            evacuate_s=head.get("evacuate_within", 180.0),
            leave=scope(head.get("leave")) or Scope(),
            clear_s=head.get("clear_after", 60.0),
            drills=tuple(drill(each) for each in self._tuples("drills")),
            geo=_geo(head.get("geo")),
            calendar=compile_calendar(self._document, self._data),
            levels=tuple(
                config.Level(id=e["id"], names=Names(**e["names"]), z_m=e.get("z", 0.0))
                for e in self._data.get("levels", ())
            ),
            zones=tuple(
                config.Zone(
                    **{
                        **e,
                        "names": Names(**e["names"]),
                        "leave": scope(e.get("leave")),
                        **_places(e),
                    }
                )
                for e in self._tuples("zones")
            ),
            muster_points=tuple(
                config.MusterPoint(
                    id=e["id"],
                    names=Names(**e["names"]),
                    level=e["level"],
                    at=e["at"],
                    zone_id=e.get("zone"),
                )
                for e in self._data.get("muster_points", ())
            ),
        )

    def _check_plan(self) -> None:
        """Refuse levels and zones that the plan does not have."""
        levels = {level["id"] for level in self._data.get("levels", ())}
        for number, zone in enumerate(self._data.get("zones", ())):
            self._refer("zones", number, "level", zone["level"], levels, "level")
            for key in ("neighbours", "upstream"):
                for near in zone.get(key, ()):
                    self._refer("zones", number, key, near, self._zones, "zone")
            for other in zone.get("leave", {}).get("zones", ()):
                self._refer("zones", number, "leave", other, self._zones, "zone")
        for number, point in enumerate(self._data.get("muster_points", ())):
            self._refer(
                "muster_points", number, "level", point["level"], levels, "level"
            )
            if "zone" in point:
                self._refer(
                    "muster_points", number, "zone", point["zone"], self._zones, "zone"
                )
        check_drills(self._data, self._refer)

    def _refer(
        self, part: str, number: int, key: str, given: str, known: set[str], what: str
    ) -> None:
        if given not in known:
            raise self._document.error(
                (part, number, key),
                Said(
                    "{given!r} is no {what} of this site; known: {known}",
                    given=given,
                    what=sentence(what),
                    known=sorted(known),
                ),
            )

    def _quantities(self) -> tuple[config.Quantity, ...]:
        own = {each["id"]: each for each in self._data.get("quantities", ())}
        shipped = {
            each["id"]: each for each in _shipped("quantities", schema_site.QUANTITY)
        }
        return tuple(_quantity(each) for each in {**shipped, **own}.values())

    def _permit_kinds(self) -> tuple[config.PermitKind, ...]:
        kinds: dict[str, config.PermitKind] = {}
        plain = []
        if picks_basic(self._data):
            plain = _shipped("permits/basic", schema_site.PERMIT_KIND)
        for each in (*plain, *self._data.get("permit_kinds", ())):
            kinds[each["id"]] = _permit_kind(each)
        return (*kinds.values(), *runtime_kinds(self.packs))

    def _devices(self) -> tuple[config.DeviceRule, ...]:
        made = []
        for number, each in enumerate(self._tuples("devices")):
            if "zone" in each:
                self._refer(
                    "devices", number, "zone", each["zone"], self._zones, "zone"
                )
            if "person" in each:
                self._refer(
                    "devices", number, "person", each["person"], self._people, "person"
                )
            made.append(_device(each))
        return tuple(made)

    def _integrations(self) -> tuple[config.IntegrationConfig, ...]:
        from automations.integrations import check

        return tuple(
            check(self._document, number, each, self._folder)
            for number, each in enumerate(self._data.get("integrations", ()))
        )

    def check_inputs(self, bundle: config.Bundle) -> None:
        """Refuse inputs that name what the site does not have; raises ConfigError."""
        slow_links.check(self._document, bundle)
        for number, each in enumerate(self._data.get("automations", ())):
            blueprint = self.library.pick(each["id"], each.get("blueprint", ""))
            if "rule" not in each and blueprint is not None:
                try:
                    check_known(bundle, blueprint, each.get("input", {}))
                except ConfigError as bad:
                    place = ("automations", number, "input")
                    raise self._document.error(place, bad.message) from None

    def _rules(self, chains: set[str]) -> tuple[config.Rule, ...]:
        return tuple(
            self._rule(number, each, chains)
            for number, each in enumerate(self._data.get("automations", ()))
        )

    def _rule(
        self, number: int, given: dict[str, Any], chains: set[str]
    ) -> config.Rule:
        place: Path_ = ("automations", number)
        mode, zone_modes = given.get("mode", "enforce"), given.get("modes", {})
        for zone in zone_modes:
            self._refer("automations", number, "modes", zone, self._zones, "zone")
        if "rule" in given:
            return compile_rule.own_rule(
                self._document,
                (*place, "rule"),
                given["rule"],
                rule_id=given["id"],
                mode=mode,
                zones=self._zones,
                chains=chains,
                zone_modes=zone_modes,
            )
        name = given.get("blueprint", "")
        blueprint = self.library.pick(given["id"], name)
        if blueprint is None:
            raise self._document.error(
                (*place, "blueprint"), Said("there is no blueprint {name!r}", name=name)
            )
        signer = self.library.signer(blueprint)
        try:
            return compile_rule.instantiate(
                blueprint,
                rule_id=given["id"],
                mode=mode,
                given=given.get("input", {}),
                zones=self._zones,
                chains=chains,
                zone_modes=zone_modes,
                signer=signer,
            )
        except ConfigError as bad:
            # What was given is wrong for it: the place to mend is here.
            raise self._document.error((*place, "input"), bad.message) from None


def _shipped(folder: str, schema: dict[Any, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for file in sorted((_SHIPPED / folder).glob("*.yaml")):
        document = read(file, f"{folder}/{file.name}")
        found += document.check(listed(schema))
    return found


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_frozen(each) for each in value)
    if isinstance(value, dict):
        return {key: _frozen(each) for key, each in value.items()}
    return value


def _person(given: dict[str, Any]) -> config.Person:
    contacts = notices.contacts(given.get("contacts", ()))
    return config.Person(**{**given, "contacts": contacts})


def _limit(given: dict[str, Any]) -> config.Limit:
    fields = dict(given)
    fields["sustain_s"] = fields.pop("sustain", 0.0)
    if "above" not in fields and "below" not in fields:
        raise ConfigError(
            Said("limit {condition}: give above or below", condition=given["condition"])
        )
    return config.Limit(**fields)


def _quantity(given: dict[str, Any]) -> config.Quantity:
    fields = dict(given)
    fields["names"] = Names(**fields["names"])
    fields["limits"] = tuple(_limit(each) for each in fields.get("limits", ()))
    return config.Quantity(**fields)


def _permit_kind(given: dict[str, Any]) -> config.PermitKind:
    fields = dict(given)
    retest = fields.pop("retest", {})
    made = config.PermitKind(
        id=fields["id"],
        names=Names(**fields["names"]),
        safe_state=fields["safe_state"],
        gases=tuple(fields.get("gases", ())),
        guardian=fields.get("guardian", True),
        valid_h=fields.get("valid", 8 * 3600.0) / 3600.0,
        reaction_s=fields.get("reaction", 30.0),
        gas_age_s=fields.get("gas_age", 1800.0),
        retest=config.Retest(
            gases=tuple(retest.get("gases", fields.get("gases", ()))),
            roles=retest.get("roles", ("issuer", "safety_officer")),
        ),
        issuer_roles=fields.get("issuer_roles", ("issuer", "safety_officer")),
        clause=fields.get("clause", ""),
    )
    return made


def _places(zone: dict[str, Any]) -> dict[str, Any]:
    given = zone.get("places")
    return {} if given is None else {"places": config.ZonePlaces(**given)}


def _geo(given: dict[str, float] | None) -> config.Geo | None:
    if given is None:
        return None
    lat, lon, bearing = given["lat"], given["lon"], given.get("bearing", 0.0)
    return config.Geo(lat=lat, lon=lon, bearing_deg=bearing)


def _device(given: dict[str, Any]) -> config.DeviceRule:
    fields = dict(given)
    fields["max_age_s"] = fields.pop("max_age", None)
    fields["lost_s"] = fields.pop("lost", None)
    bump = fields.pop("bump_every", None)
    calibrate = fields.pop("calibrate_every", None)
    fields["bump_every_h"] = None if bump is None else bump / 3600.0
    fields["calibrate_every_d"] = None if calibrate is None else calibrate / 86400.0
    proofs = fields.pop("proof_every", {})
    fields["proof_every_h"] = {uid: span / 3600.0 for uid, span in proofs.items()}
    fields["limits"] = {
        uid: tuple(_limit(each) for each in limits)
        for uid, limits in fields.get("limits", {}).items()
    }
    fields["outputs"] = {
        uid: output(each) for uid, each in fields.get("outputs", {}).items()
    }
    return config.DeviceRule(**fields)


def output(given: dict[str, Any]) -> Output:
    """Return an output declaration; raises ConfigError."""
    checked = Document("output", given, {}).check(vol.Schema(schema_site.OUTPUT))
    return msgspec.convert(checked, Output)


def default_quantities() -> tuple[config.Quantity, ...]:
    """Return the shipped quantities with their default limits."""
    return tuple(
        _quantity(each) for each in _shipped("quantities", schema_site.QUANTITY)
    )
