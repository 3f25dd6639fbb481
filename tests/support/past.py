"""A data folder as a hub leaves it: journal, bundles and history of a made-up past."""

import random
from pathlib import Path

from automations.compile_rule import own_rule
from automations.compile_site import default_quantities
from automations.engine import Engine
from core import config
from core.api.documents import parse
from core.api.model import Device, Entity, EntityKind, Output, OutputKind
from core.config import Bundle, DeviceRule, Names, Person, Rule, Zone
from core.journal.backlog import Entry
from core.journal.checkpoint import load_signer
from core.journal.segment import RealDisk
from core.journal.store import Store
from core.link import messages as m
from core.processes.events import ConfigArmed
from core.processes.history import HistoryFile
from tests.support.kernel import Bench

HOST = "host:field"
FLUSH_S = 5
GROUP = 200


def name(text: str) -> Names:
    return Names(zh=text, en=text)


def site(zones: int, rules: tuple[Rule, ...] = ()) -> Bundle:
    """Return a site of square zones, with detectors of combustible gas and a fan."""
    ids = [f"z{number}" for number in range(zones)]
    return config.Bundle(
        site=config.Site(
            id="past",
            names=name("past"),
            levels=(config.Level(id="ground", names=name("ground")),),
            zones=tuple(
                Zone(
                    id=each,
                    names=name(each),
                    level="ground",
                    polygon=((x, 0.0), (x + 9.0, 0.0), (x + 9.0, 9.0), (x, 9.0)),
                )
                for each, x in zip(ids, range(0, 10 * zones, 10), strict=True)
            ),
        ),
        people=(Person(id="sue", name="Sue", roles=("supervisor", "owner")),),
        quantities=default_quantities(),
        integrations=(config.IntegrationConfig(id="field", integration="field"),),
        devices=tuple(
            DeviceRule(integration="field", uid=f"{zone}-*", zone=zone, critical=("*",))
            for zone in ids
        ),
        chains=(
            config.NotifyChain(
                id="gas",
                steps=(config.ChainStep(roles=("supervisor",), channels=("screen",)),),
            ),
        ),
        rules=rules,
    )


def rule(body: str, zones: int, name: str = "trial") -> Rule:
    """Return a rule of the site, written in the language."""
    document = parse(body, "rule.yaml")
    return own_rule(
        document,
        (),
        document.data,
        rule_id=name,
        mode="enforce",
        zones={f"z{number}" for number in range(zones)},
        chains={"gas"},
    )


def gas(uid: str) -> Device:
    entity = Entity(
        uid="gas",
        name="gas",
        kind=EntityKind.GAS,
        quantity="lel",
        unit="%LEL",
        max_age_s=10.0,
    )
    return Device(uid=uid, name=uid, entities=(entity,))


def fan(uid: str, zone: str) -> Device:
    output = Output(
        kind=OutputKind.FAN, ex_rated=True, contact_zone=zone, outside_air=True
    )
    entity = Entity(uid="fan", name="fan", kind=EntityKind.OUTPUT, output=output)
    return Device(uid=uid, name=uid, entities=(entity,))


class Past:
    """Let a site live on virtual time, and keep what a hub would keep of it."""

    def __init__(self, folder: Path, bundle: Bundle, per_zone: int = 3) -> None:
        self.folder = folder
        data = config.dump(bundle)
        digest = config.digest(data)
        (folder / "bundles").mkdir(parents=True, exist_ok=True)
        (folder / "bundles" / f"{digest}.bundle").write_bytes(data)
        self.bench = Bench(bundle)
        hub = self.bench.hub
        hub.emit(ConfigArmed(hash=digest, by="person:sue"))
        hub.rooms.append(Engine(self.bench.kernel))
        hub.load(bundle)
        self.bench.settle()
        self.values: dict[str, float] = {}
        for zone in bundle.site.zones:
            for number in range(per_zone):
                uid = f"{zone.id}-{number}"
                self.bench.declare(HOST, gas(uid))
                self.values[uid] = 1.0
            self.bench.declare(HOST, fan(f"{zone.id}-fan", zone.id))
        self.silent: set[str] = set()
        self.noise = random.Random(1)
        self._history = HistoryFile(folder)
        self._names: dict[int, str] = {}
        self._waiting: dict[int, list[m.HistoryRow]] = {}
        self._second = 0

    def now_ms(self) -> int:
        return self.bench.clock.wall_ns() // 1_000_000

    def live(self, seconds: int) -> None:
        """Let every detector that is not silent speak once a second."""
        handles = self.bench._handles
        for _ in range(seconds):
            rows = [
                m.Row(handles[HOST, uid, "gas"], value + self.noise.random())
                for uid, value in self.values.items()
                if uid not in self.silent
            ]
            message = m.Readings(sent_ns=self.bench.clock.mono_ns(), rows=rows)
            self.bench.kernel.readings.receive(HOST, message)
            self.bench.settle()
            self._keep()
            self.bench.advance(1.0)

    def _keep(self) -> None:
        batch = self.bench.kernel.readings.drain_history()
        self._names.update(batch.names)
        for row in batch.rows:
            self._waiting.setdefault(row.point, []).append(row)
        self._second += 1
        if self._second % FLUSH_S == 0:
            self._flush()

    def _flush(self) -> None:
        rows = {self._names[point]: rows for point, rows in self._waiting.items()}
        self._history.write(rows, 0, self.now_ms())
        self._waiting = {}

    def close(self) -> None:
        """Write the journal and close the files."""
        self._flush()
        self._history.close()
        clock = self.bench.clock
        keys = load_signer(RealDisk(self.folder / "keys"), clock)
        store = Store.open(RealDisk(self.folder / "journal"), keys, clock)
        stored = self.bench.journal.stored
        for begin in range(0, len(stored), GROUP):
            group = stored[begin : begin + GROUP]
            store.append(
                [Entry(begin + n + 1, data) for n, data in enumerate(group)], sign=True
            )
        store.close()
