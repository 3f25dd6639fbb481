"""The works with rules that were armed as on a site, for the rules' own pages."""

from pathlib import Path

import msgspec

from automations import compile_rule, pages
from automations.engine import Engine
from automations.pinning import STORE, keep
from automations.publish import store
from core import config
from core.config import Rule
from core.hub import CORE
from core.link import messages as m
from core.processes.arming import Arming
from tests.ui.works_server import WorksServer

GAS = "gas-alarm-response"


class Folder:
    """Read published bundles from the data folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, digest: str) -> bytes:
        return (self._folder / f"{digest}.bundle").read_bytes()


class RulesServer(WorksServer):
    """Hold the works, whose configuration is armed and armed anew by acts."""

    def __init__(self, data: Path) -> None:
        super().__init__(data)
        self.data = data
        kernel = self.works.kernel
        self.engine = Engine(kernel)
        kernel.hub.rooms.append(self.engine)
        self.arming = Arming(kernel, Folder(data / "bundles"), self._armed)
        bundle = msgspec.structs.replace(self.works.bundle, rules=(self.rule(),))
        digest = store(config.dump(bundle), data)
        self.arming.arm(digest, "os:root", CORE)
        self.works.settle()

    def rule(self) -> Rule:
        """Return an instance of the gas response, as the site's files make it."""
        blueprint = next(each for each in pages.blueprints() if each.id == GAS)
        keep(blueprint, self.data / STORE)
        return compile_rule.instantiate(
            blueprint,
            rule_id="gas-response",
            mode="enforce",
            given={"chain": "gas", "zones": ["tank"]},
            zones={"tank", "yard"},
            chains={"gas"},
            signer="safehold",
        )

    def _armed(self, digest: str, data: bytes) -> None:
        self.works.bundle = config.load(data)
        if self._live:
            self.flush()
            self._send(m.Armed(digest, data))
