"""Views of what the site has: the place, devices, readings, runs, the hub itself."""

from collections.abc import Callable, Mapping
from typing import Any

from core.api.quality import Quality
from core.config import DeviceRule, Limit, Quantity
from core.deadlines import Deadline
from core.link.messages import LiveRow
from core.readings.units import conversion
from core.registry.by_hand import completed
from core.registry.declared import Rules
from core.registry.state import DeviceRecord, EntityRecord
from frontend_api import care
from frontend_api import views as v
from frontend_api.names import Names, text
from frontend_api.replica import Replica

MS = 1_000_000
#: Accepted events that may wait for the disk before the page says 'behind'.
_BEHIND = 500


def due_ms(deadline: Deadline | None) -> int:
    """Return a deadline's wall time for display; 0 is none."""
    if deadline is None:
        return 0
    return (deadline.start_wall_ns + deadline.duration_ns) // MS


def two(names: Any) -> v.Text:
    """Return a bundle's names as a text."""
    return v.Text(names.zh, names.en)


def limit_view(limit: Limit, quantity: Quantity | None) -> v.LimitView:
    """Show a limit in the unit in which its quantity is shown."""
    line = quantity and conversion(
        limit.unit,
        quantity.unit,
        lel_vol=quantity.lel_vol,
        molar_mass=quantity.molar_mass,
    )

    def shown(value: float | None) -> float | None:
        return value if value is None or not line else float(f"{line(value):.3g}")

    return v.LimitView(
        condition=limit.condition,
        priority=limit.priority,
        unit=quantity.unit if quantity and line else limit.unit,
        above=shown(limit.above),
        below=shown(limit.below),
    )


class Inventory:
    """Make the views of the place and of what stands on it."""

    def __init__(self, replica: Replica) -> None:
        self.replica = replica
        self.names = Names(replica)
        self._rules = Rules(replica.bundle)
        self.watching: Callable[[], list[v.WatcherView]] = list
        self.waiting: Callable[[], Mapping[str, v.View]] = dict
        self.extra: dict[str, Callable[[], Mapping[str, v.View]]] = {}
        """Section → who makes it, for what has a desk of its own."""

    def site(self) -> v.SiteView:
        """Show the armed bundle's place."""
        site = self.replica.bundle.site
        return v.SiteView(
            id=site.id,
            names=two(site.names),
            time_zone=site.time_zone,
            language=site.language,
            evacuate_s=site.evacuate_s,
            levels=[
                v.LevelView(id=level.id, names=two(level.names), z_m=level.z_m)
                for level in site.levels
            ],
            zones=[
                v.ZoneShape(
                    id=zone.id,
                    names=two(zone.names),
                    level=zone.level,
                    hazard=zone.hazard,
                    polygon=list(zone.polygon),
                )
                for zone in site.zones
            ],
            muster_points=[
                v.MusterView(
                    id=point.id,
                    names=two(point.names),
                    level=point.level,
                    at=point.at,
                    zone_id=point.zone_id,
                )
                for point in site.muster_points
            ],
            quantities=self._quantities(),
            permit_kinds=self._kinds(),
        )

    def _quantities(self) -> list[v.QuantityView]:
        return [
            v.QuantityView(
                id=one.id,
                names=two(one.names),
                unit=one.unit,
                gas_class=one.gas_class,
                limits=[limit_view(limit, one) for limit in one.limits],
                accept_above=one.accept_above,
                accept_below=one.accept_below,
            )
            for one in self.replica.bundle.quantities
        ]

    def _kinds(self) -> list[v.KindView]:
        return [
            v.KindView(
                id=kind.id,
                names=two(kind.names),
                gases=list(kind.gases),
                guardian=kind.guardian,
                valid_h=kind.valid_h,
                retest_gases=list(kind.retest.gases),
                issuer_roles=list(kind.issuer_roles),
            )
            for kind in self.replica.bundle.permit_kinds
        ]

    def devices(self) -> dict[str, v.DeviceView]:
        """Show every enrolled device with its entities."""
        registry = self.replica.state.registry
        return {d.id: self._device(d) for d in registry.devices.values()}

    def _device(self, record: DeviceRecord) -> v.DeviceView:
        entities = self.replica.state.registry.entities
        return v.DeviceView(
            id=record.id,
            uid=record.uid,
            name=record.name,
            integration=record.integration,
            manufacturer=record.manufacturer,
            model=record.model,
            zone_id=record.zone_id,
            person_id=record.person_id,
            entities=[
                self._entity(record, entities[one])
                for one in record.entities
                if one in entities
            ],
            serial=record.serial,
            configured=self._configured(record),
            proof=record.proof.kind if record.proof else "",
            facts=record.facts,
            wearable=care.wearable(self.replica, record),
            worn=care.worn(self.replica, record),
        )

    def _configured(self, record: DeviceRecord) -> bool:
        """Say whether the site's files enrol a device."""
        return self._rule(record) is not None

    def _rule(self, record: DeviceRecord) -> DeviceRule | None:
        bundle = self.replica.bundle
        if self._rules.bundle is not bundle:
            self._rules = Rules(bundle)
        known = record.known_as or (record.integration, record.uid)
        return self._rules.find(*known)

    def _entity(self, device: DeviceRecord, record: EntityRecord) -> v.EntityView:
        declared = record.declared
        moves = str(declared.output.kind.value) if declared.output else ""
        return v.EntityView(
            id=record.id,
            name=declared.name,
            kind=str(declared.kind.value),
            quantity=declared.quantity,
            unit=self._unit(declared.quantity) or declared.unit,
            max_age_s=declared.max_age_s,
            critical=declared.critical,
            output=moves,
            output_text=text(f"gateway.output.{moves}") if moves else None,
            limits=[
                limit_view(one, self._quantity(declared.quantity))
                for one in self.limits(device, record)
            ],
            proof=self._proof(device, record) if declared.output else None,
        )

    def _proof(self, device: DeviceRecord, record: EntityRecord) -> v.ProofView:
        rule = completed(self._rule(device), device)
        every = rule.proof_every_h if rule is not None else {}
        hours = every.get(record.declared.uid, every.get("*"))
        return care.proof(self.replica, record.id, hours)

    def _quantity(self, quantity: str) -> Quantity | None:
        known = self.replica.bundle.quantities
        return next((one for one in known if one.id == quantity), None)

    def _unit(self, quantity: str) -> str:
        known = self._quantity(quantity)
        return known.unit if known else ""

    def limits(self, device: DeviceRecord, record: EntityRecord) -> tuple[Limit, ...]:
        """Return the limits in force: the device rule's, else the quantity's."""
        uid = record.declared.uid
        for rule in self.replica.bundle.devices:
            fits = rule.uid == device.uid or (
                rule.uid.endswith("*") and device.uid.startswith(rule.uid[:-1])
            )
            if fits and uid in rule.limits:
                return rule.limits[uid]
        quantity = self._quantity(record.declared.quantity)
        return quantity.limits if quantity else ()

    def runs(self) -> dict[str, v.RunView]:
        """Show the open runs of rules with their steps: the trace so far."""
        return {
            run.id: v.RunView(
                id=run.id,
                rule=run.rule,
                names=self.names.rule(run.rule),
                subject=run.subject,
                trigger=run.trigger,
                mode=run.mode,
                mark=run.mark,
                params=run.params,
                started_ms=run.started_wall_ns // MS,
                joined=run.joined,
                steps=[
                    v.StepView(
                        path=path,
                        state=step.state,
                        detail=step.detail,
                        refs=step.refs,
                        at_ms=step.at_wall_ns // MS,
                    )
                    for path, step in run.steps.items()
                ],
            )
            for run in self.replica.state.runs.open.values()
        }

    def rules(self) -> dict[str, v.RuleView]:
        """Show the armed rules."""
        runs = self.replica.state.runs.open.values()
        return {
            rule.id: v.RuleView(
                id=rule.id,
                names=two(rule.names),
                version=rule.version,
                mode=rule.mode,
                life_safety=rule.life_safety,
                blueprint=rule.blueprint,
                open_runs=sum(run.rule == rule.id for run in runs),
            )
            for rule in self.replica.bundle.rules
        }

    def seconds(self) -> Mapping[str, v.View]:
        """Show the acts that wait for a second person."""
        return self.waiting()

    def hub(self) -> dict[str, v.HubView]:
        """Show the hub's own health, as the one item ``hub``."""
        replica = self.replica
        state, hosts = replica.state, replica.hosts
        behind = state.seq - replica.durable
        journal = "ok" if behind <= _BEHIND else "behind"
        if any(
            a.kind in ("fault.disk", "fault.journal") and a.active
            for a in state.alarms.open.values()
        ):
            journal = "failing"
        shown = v.HubView(
            version=state.hub.version,
            reachable=replica.reachable,
            since_ms=replica.since_ms,
            started_ms=state.hub.started_wall_ns // MS,
            config_hash=state.hub.config_hash or replica.bundle_hash,
            refused_config_hash=state.hub.refused_config_hash,
            journal=journal,
            durable=replica.durable,
            processes=hosts.states,
            unmonitored=hosts.unmonitored,
            counters=hosts.counters,
            watching=self.watching(),
            oxygen_check=state.permits.gas.oxygen_check,
            oxygen_reason=state.permits.gas.reason,
        )
        return {"hub": shown}

    def readings(self) -> dict[str, v.ReadingView]:
        """Show the current reading of every entity; none heard is NOT_PRESENT."""
        registry = self.replica.state.registry
        return {
            entity_id: self._reading(record, self.replica.live.get(entity_id))
            for entity_id, record in registry.entities.items()
        }

    def _reading(self, record: EntityRecord, row: LiveRow | None) -> v.ReadingView:
        declared = record.declared
        return v.ReadingView(
            entity_id=record.id,
            zone_id=self.replica.zone_of_entity(record.id),
            quantity=declared.quantity,
            unit=self._unit(declared.quantity) or declared.unit,
            value=row.value if row else None,
            quality=row.quality if row else int(Quality.NOT_PRESENT),
            reason=row.reason if row else "",
            received_ms=row.received_wall_ns // MS if row else 0,
        )
