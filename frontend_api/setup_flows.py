"""Flows that set integrations up: sessions of one person each, bounded, forgotten.

What was typed as a secret lives here until the flow ends, and is then stored under
a name; only that name goes into the bundle.
"""

import asyncio
import copy
import secrets as chance
from pathlib import Path
from typing import Any, Literal

import msgspec

from core import config
from core.api import forms as shapes
from core.config import IntegrationConfig
from core.processes.setups import Form, FormError, SetupAnswer, SetupAsk
from core.registry.secrets import Secrets
from frontend_api.problems import Problem, refused
from frontend_api.replica import Replica
from frontend_api.rules_worker import answered

#: Flows at once, and how long one may rest.
MOST, REST_MS = 20, 30 * 60_000
#: One question at a time, for so long at most; and so many may wait for their turn.
LIMIT_S, WAITING = 60.0, 8
_MODULE = "automations.setup"
Kind = Literal["add", "change", "authenticate", "remove"]


class Flow(msgspec.Struct, kw_only=True):
    """Hold one person's flow."""

    id: str
    person: str
    kind: Kind
    integration: str
    instance: str
    until_ms: int
    forms: list[Form] = []
    step: int = 0
    options: dict[str, Any] = {}
    kept: dict[str, Any] = {}
    """Options in force, where it changes an instance."""
    stored: tuple[str, ...] = ()
    """Names of the secrets in force."""
    secrets: dict[str, str] = {}
    """Name → value of what was typed."""
    hidden: list[shapes.Path] = []
    errors: list[FormError] = []
    finding: dict[str, str] = {}
    proven: bool = False
    """True: the peer was named by a person, or shown to be theirs."""
    tested: Literal["none", "ok", "failed", "unproven"] = "none"
    facts: dict[str, str] = {}
    ready: bool = False
    draft: str = ""
    hash: str = ""
    armed: bool = False
    refused: Problem | None = None

    def __repr__(self) -> str:
        return f"Flow({self.id}, {self.kind} {self.integration}/{self.instance})"

    def shape(self) -> Form | None:
        """Return the form of the step that is to be filled in."""
        return self.forms[self.step] if self.step < len(self.forms) else None

    def values(self) -> dict[str, Any]:
        """Return what is known of this step, its secrets left out."""
        shape = self.shape()
        if shape is None:
            return {}
        names = shape.form.get("properties", {})
        known = {**self.kept, **self.options}
        shown = copy.deepcopy(
            {k: v for k, v in known.items() if k in names or not names}
        )
        for path in list(shapes.secrets(shape.form, shown)):
            shapes.put(shown, path, "")
        return shown

    def stored_at(self) -> list[shapes.Path]:
        """Return where a secret is known already; left empty, it stays."""
        shape = self.shape()
        if shape is None:
            return []
        known = {**self.kept, **self.options}
        found = shapes.secrets(shape.form, known)
        return [path for path in found if shapes.get(known, path)]


class Flows:
    """Keep the flows, and ask the set-up worker."""

    def __init__(self, replica: Replica, data: Path) -> None:
        self._replica, self._data = replica, data
        self.store = Secrets(data)
        self._flows: dict[str, Flow] = {}
        self._turn = asyncio.Lock()
        self._waiting = 0

    # --- sessions -------------------------------------------------------------

    def open(self, flow: Flow) -> None:
        """Keep a new flow; one too many is refused."""
        self._age()
        if len(self._flows) >= MOST:
            raise Problem("gateway.busy")
        self._flows[flow.id] = flow

    def get(self, flow_id: str, person: str) -> Flow:
        """Return a person's own flow; raises Problem."""
        self._age()
        flow = self._flows.get(flow_id)
        if flow is None or flow.person != person:
            raise Problem("gateway.not_found")
        flow.until_ms = self._replica.now_ms() + REST_MS
        return flow

    def close(self, flow: Flow) -> None:
        """Forget a flow and all that was typed."""
        self._flows.pop(flow.id, None)

    def make(self, person: str, kind: Kind, integration: str, instance: str) -> Flow:
        """Return a new flow that nobody has filled in."""
        return Flow(
            id=chance.token_hex(8),
            person=person,
            kind=kind,
            integration=integration,
            instance=instance,
            until_ms=self._replica.now_ms() + REST_MS,
        )

    def _age(self) -> None:
        now = self._replica.now_ms()
        for flow in [f for f in self._flows.values() if now >= f.until_ms]:
            self.close(flow)

    # --- the worker -----------------------------------------------------------

    async def ask(self, op: str, flow: Flow | None = None, **more: Any) -> SetupAnswer:
        """Return the worker's answer; raises Problem when it cannot be had."""
        if self._waiting >= WAITING:
            raise Problem("gateway.busy")
        self._waiting += 1
        try:
            async with asyncio.timeout(LIMIT_S), self._turn:
                question = msgspec.msgpack.encode(self._question(op, flow, more))
                found = await answered(_MODULE, question, SetupAnswer)
        except TimeoutError:
            raise Problem("gateway.draft_late") from None
        finally:
            self._waiting -= 1
        if found.problem and op != "packages":
            raise refused("gateway.setup_refused", found.problem)
        return found

    def _question(self, op: str, flow: Flow | None, more: dict[str, Any]) -> SetupAsk:
        replica = self._replica
        asked = SetupAsk(op=op, data=str(self._data))
        if flow is not None:
            asked.base = replica.state.hub.config_hash
            asked.bundle = config.dump(replica.bundle)
            asked.by, asked.instance = flow.person, flow.instance
            asked.integration = flow.integration
            # New credentials are a change of the options that name them.
            asked.kind = "change" if flow.kind == "authenticate" else flow.kind
            asked.kept, asked.facts = flow.kept, flow.finding
        for name, value in more.items():
            setattr(asked, name, value)
        return asked

    # --- secrets --------------------------------------------------------------

    def values_of(self, flow: Flow) -> dict[str, str]:
        """Return the secrets that a trial needs: typed now, or stored before."""
        found = {name: self.store.get(name) or "" for name in flow.stored}
        return {**found, **flow.secrets}

    def taken(self, flow: Flow) -> list[str]:
        """Return the names of secrets that a new one must not take."""
        return [*self.store.names(f"{flow.instance}."), *flow.stored, *flow.secrets]

    async def keep(self, flow: Flow) -> None:
        """Store what was typed, under the names that the draft holds."""
        named = {shapes.get(flow.options, path) for path in flow.hidden}
        # What was typed twice has two names, and only the last one stands there.
        flow.secrets = {k: v for k, v in flow.secrets.items() if k in named}
        for name, value in flow.secrets.items():
            await asyncio.to_thread(self.store.put, name, value)

    async def forget(self, flow: Flow) -> None:
        """Forget what was stored for a draft that will not be armed."""
        named = {n for e in self._replica.bundle.integrations for n in e.secrets}
        await asyncio.to_thread(self.store.drop, flow.secrets.keys() - named)

    async def tidy(self, flow: Flow) -> None:
        """Forget the secrets of an instance that the armed bundle names no more."""
        named = {n for e in self._replica.bundle.integrations for n in e.secrets}
        old = [name for name in flow.stored if name not in named]
        if old:
            await asyncio.to_thread(self.store.drop, old)

    def instance(self, name: str) -> IntegrationConfig | None:
        """Return a set-up integration of the bundle in force."""
        for each in self._replica.bundle.integrations:
            if each.id == name:
                return each
        return None
