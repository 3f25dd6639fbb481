"""Set integrations up over REST, step by step, and enter them again (issue 5 §2)."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from core.people.acts import ACTS
from core.processes import drafts
from core.processes.acts import ArmConfig
from core.processes.drafts import Draft
from core.processes.setups import FormError, PackageCard
from core.registry.acts import EnrolDevice
from core.registry.facts import Possession
from frontend_api import setup_views as v
from frontend_api.accounts import Session
from frontend_api.acts import Acts
from frontend_api.guard import Call, Route, body
from frontend_api.names import Names, known, text
from frontend_api.problems import Problem, view
from frontend_api.replica import Replica
from frontend_api.rules_views import DraftView
from frontend_api.setup_flows import Flow, Flows
from frontend_api.views import Text

#: How long an armed bundle may take to come back from the core.
_ARMED_S = 5.0
_AUTH = "device.auth"
#: How long the list of packages is believed: a new one is seen after it.
_KEPT_MS = 60_000


class Setup:
    """Answer reads about integrations; keep people's flows."""

    def __init__(
        self,
        replica: Replica,
        acts: Acts,
        data: Path,
        shown: Callable[[Draft], DraftView],
    ) -> None:
        self.replica, self.acts, self.names = replica, acts, Names(replica)
        self._data, self._shown = data, shown
        self.flows = Flows(replica, data)
        self._cards: list[PackageCard] = []
        self._problem: Text | None = None
        self._asked_ms = 0
        self._other = asyncio.Event()
        replica.on_reset.append(self._other.set)

    def routes(self) -> list[Route]:
        """Return the routes of this module."""
        base = "/api/v1/setup"
        return [
            Route("GET", "/api/v1/integrations", self.every,
                  "Integrations at hand, and those that are set up",
                  reply=v.IntegrationsView),
            Route("POST", base, self.start,
                  "Begin to set an integration up, or enter one again",
                  reply=v.SetupView, body=v.StartSetup),
            Route("GET", f"{base}/{{id}}", self.one, "One flow", reply=v.SetupView),
            Route("POST", f"{base}/{{id}}/step", self.step, "Fill in a step of a flow",
                  reply=v.SetupView, body=v.FillStep),
            Route("POST", f"{base}/{{id}}/test", self.test,
                  "Try the connection before it is set up",
                  reply=v.SetupView, body=v.TestSetup),
            Route("POST", f"{base}/{{id}}/finish", self.finish,
                  "Make the draft of a flow, and put it in force",
                  reply=v.SetupView, body=v.FinishSetup),
            Route("DELETE", f"{base}/{{id}}", self.cancel,
                  "End a flow; nothing of it is kept", status=204),
        ]  # fmt: skip

    # --- integrations -----------------------------------------------------------

    async def every(self, call: Call) -> v.IntegrationsView:
        """Show what can be set up and what is."""
        cards = await self._packages()
        armed = self.replica.bundle.integrations
        return v.IntegrationsView(
            items=[self._card(card) for card in cards],
            instances=[self._instance(each.id, each.integration) for each in armed],
            drafts=[self._shown(each) for each in await self._waiting()],
            may_setup=self._may(call.session, EnrolDevice.verb_),
            may_arm=self._may(call.session, ArmConfig.verb_),
            problem=self._problem,
        )

    async def _waiting(self) -> list[Draft]:
        """Return drafts against what is in force, which nobody has armed yet."""
        made = await asyncio.to_thread(drafts.every, self._data)
        force = self.replica.state.hub.config_hash
        return [d for d in made if d.kind == drafts.HOST and d.base == force]

    async def _packages(self) -> list[PackageCard]:
        """Return what is at hand; asked of the worker now and then, and when wrong."""
        now = self.replica.now_ms()
        if not self._cards or self._problem or now - self._asked_ms > _KEPT_MS:
            self._asked_ms = now
            told = await self.flows.ask("packages")
            bad = told.problem
            self._cards = told.packages
            self._problem = Text(bad.zh, bad.en) if bad is not None else None
        return self._cards

    def _card(self, card: PackageCard) -> v.IntegrationCard:
        fields = {name: getattr(card, name) for name in card.__struct_fields__}
        for name in ("zh", "en", "proof", "kinds"):
            del fields[name]
        armed = self.replica.bundle.integrations
        return v.IntegrationCard(
            **fields,
            names=Text(card.zh, card.en),
            proof=list(card.proof),
            kinds=list(card.kinds),
            instances=[each.id for each in armed if each.integration == card.id],
        )

    def _instance(self, name: str, integration: str) -> v.InstanceView:
        card = next((each for each in self._cards if each.id == integration), None)
        hosts = self.replica.hosts
        trouble = hosts.troubles.get(f"host:{name}", "")
        config = self.flows.instance(name)
        registry = self.replica.state.registry.devices.values()
        return v.InstanceView(
            id=name,
            integration=integration,
            names=Text(card.zh, card.en) if card else Text(integration, integration),
            state=hosts.states.get(f"host:{name}", ""),
            trouble=trouble,
            trouble_text=text(known(trouble, "setup.trouble")) if trouble else None,
            reauthenticate=trouble == _AUTH,
            own=config is not None and config.made == "hub",
            devices=sum(each.integration == name for each in registry),
            waiting=sum(each.host == name for each in self.replica.proposed),
        )

    # --- flows ------------------------------------------------------------------

    async def start(self, call: Call) -> v.SetupView:
        """Begin a flow: of an integration, of a finding, or of a set-up instance."""
        self._require(call.session)
        asked: v.StartSetup = await body(call.request, v.StartSetup)
        old = self.flows.instance(asked.instance) if asked.kind != "add" else None
        if asked.kind != "add" and old is None:
            raise Problem("gateway.not_found")
        if old is not None and old.made != "hub":
            raise Problem("gateway.setup_by_files", instance=old.id)
        integration = old.integration if old is not None else asked.integration
        flow = self.flows.make(
            call.session.person_id, asked.kind, integration, asked.instance
        )
        if old is not None:
            flow.kept = dict(old.options)
            flow.stored = old.secrets
        flow.finding = dict(asked.finding)
        # What a person names is theirs; what was only found must be shown to be.
        flow.proven = not flow.finding
        if asked.kind == "remove":
            flow.ready = True
        else:
            await self._begin(flow)
        self.flows.open(flow)
        return self.shown(flow)

    async def _begin(self, flow: Flow) -> None:
        told = await self.flows.ask("forms", flow)
        flow.forms, flow.options = told.forms, dict(told.options)
        if not flow.instance:
            flow.instance = self._free(flow.integration)

    def _free(self, integration: str) -> str:
        """Return an id that no instance has."""
        number, name = 2, integration
        while self.flows.instance(name) is not None:
            number, name = number + 1, f"{integration}-{number}"
        return name

    async def one(self, call: Call) -> v.SetupView:
        """Show a flow."""
        return self.shown(self._flow(call))

    async def step(self, call: Call) -> v.SetupView:
        """Check one step; wrong fields come back by their paths."""
        flow = self._flow(call)
        asked: v.FillStep = await body(call.request, v.FillStep)
        at = [each.step for each in flow.forms]
        if asked.step not in at or at.index(asked.step) > flow.step:
            raise Problem("gateway.setup_step", step=asked.step)
        told = await self.flows.ask(
            "check",
            flow,
            step=asked.step,
            options=asked.values,
            secrets=dict.fromkeys(await asyncio.to_thread(self.flows.taken, flow), ""),
            kept={**flow.kept, **flow.options},
        )
        flow.step, flow.errors = at.index(asked.step), told.errors
        flow.ready, flow.tested, flow.facts = False, "none", {}
        if told.errors:
            return self.shown(flow)
        flow.options = {**flow.options, **told.options}
        flow.secrets = {**flow.secrets, **told.secrets}
        flow.step += 1
        if flow.step == len(flow.forms):
            await self._whole(flow)
        return self.shown(flow)

    async def _whole(self, flow: Flow) -> None:
        """Check all steps together: one value may not fit another."""
        told = await self.flows.ask("check", flow, step="", options=flow.options)
        flow.errors, flow.hidden = told.errors, told.hidden
        flow.ready = not told.errors
        if told.errors:
            flow.step = len(flow.forms) - 1
        else:
            flow.options = told.options

    async def test(self, call: Call) -> v.SetupView:
        """Try the connection; secrets are never sent to an unproven peer."""
        flow = self._flow(call)
        asked: v.TestSetup = await body(call.request, v.TestSetup)
        self._ready(flow)
        flow.proven = flow.proven or self._proves(flow, asked.proof)
        await self._try(flow)
        return self.shown(flow)

    async def _try(self, flow: Flow) -> None:
        card = next((e for e in self._cards if e.id == flow.integration), None)
        if card is None:
            await self._packages()
            card = next((e for e in self._cards if e.id == flow.integration), None)
        if card is None or not card.tests:
            flow.tested = "none"
            return
        values = await asyncio.to_thread(self.flows.values_of, flow)
        if values and not flow.proven:
            flow.tested = "unproven"
            return
        told = await self.flows.ask("probe", flow, options=flow.options, secrets=values)
        flow.errors, flow.facts = told.errors, told.facts
        flow.tested = "failed" if told.errors else "ok"

    async def finish(self, call: Call) -> v.SetupView:
        """Store the secrets, make the draft, and arm it where the person may."""
        flow = self._flow(call)
        asked: v.FinishSetup = await body(call.request, v.FinishSetup)
        self._ready(flow)
        flow.proven = flow.proven or self._proves(flow, asked.proof)
        if flow.kind != "remove":
            if not flow.proven and flow.hidden:
                raise Problem("gateway.setup_unproven")
            if flow.tested == "none" and not asked.untested:
                await self._try(flow)
            if flow.tested == "failed" and not asked.untested:
                return self.shown(flow)
        await self.flows.keep(flow)
        told = await self.flows.ask("draft", flow, options=flow.options)
        if told.draft is None:
            raise Problem("gateway.setup_refused", detail="")
        flow.draft, flow.hash = told.draft.id, told.draft.hash
        if asked.arm:
            await self._arm(flow)
        return self.shown(flow)

    async def _arm(self, flow: Flow) -> None:
        flow.refused = None
        try:
            await self.acts.ask(flow.person, ArmConfig.verb_, ArmConfig(hash=flow.hash))
        except Problem as no:
            flow.refused = no
            return
        flow.armed = True
        flow.secrets = {}
        async with asyncio.timeout(_ARMED_S):
            while self.replica.bundle_hash != flow.hash:
                self._other.clear()
                await self._other.wait()
        await self.flows.tidy(flow)

    async def cancel(self, call: Call) -> None:
        """Forget a flow, and a draft of it that nobody has armed."""
        flow = self._flow(call)
        self.flows.close(flow)
        if flow.draft and flow.hash != self.replica.bundle_hash:
            await asyncio.to_thread(drafts.remove, self._data, flow.draft)
            await self.flows.forget(flow)

    # --- inside -----------------------------------------------------------------

    def shown(self, flow: Flow) -> v.SetupView:
        """Return a flow as it stands."""
        card = next((e for e in self._cards if e.id == flow.integration), None)
        name = flow.integration
        shape = flow.shape()
        # A maintainer's draft may be armed by somebody else meanwhile.
        force = bool(flow.hash) and flow.hash == self.replica.bundle_hash
        return v.SetupView(
            id=flow.id,
            kind=flow.kind,
            integration=flow.integration,
            instance=flow.instance,
            names=Text(card.zh, card.en) if card else Text(name, name),
            state=_state(flow, armed=flow.armed or force),
            steps=[v.StepView(id=e.step, names=Text(e.zh, e.en)) for e in flow.forms],
            step=shape.step if shape is not None else "",
            form=shape.form if shape is not None else {},
            values=flow.values(),
            stored=[list(path) for path in flow.stored_at()],
            errors=[_error(each) for each in flow.errors],
            finding=flow.finding,
            tested=flow.tested,
            facts=flow.facts,
            draft=flow.draft,
            hash=flow.hash,
            refused=view(flow.refused, "en").sentences if flow.refused else None,
            refused_code=flow.refused.code if flow.refused else "",
            until_ms=flow.until_ms,
        )

    def _flow(self, call: Call) -> Flow:
        self._require(call.session)
        return self.flows.get(call.request.match_info["id"], call.session.person_id)

    def _ready(self, flow: Flow) -> None:
        if not flow.ready:
            raise Problem("gateway.setup_step", step=self.shown(flow).step)

    def _proves(self, flow: Flow, proof: Possession | None) -> bool:
        """Say whether a person showed the found device to be theirs."""
        if proof is None:
            return False
        given = _plain(proof.detail)
        facts = flow.finding
        keys = [facts.get(name, "") for name in ("key", "serial", "mac", "uuid")]
        if proof.kind == "code" and len(given) >= 6:
            return any(_plain(key).endswith(given) for key in keys)
        if proof.kind == "wired":
            place = (facts.get("address", ""), facts.get("port", ""))
            return bool(given) and proof.detail in (place[0], ":".join(place))
        return False

    def _may(self, session: Session, verb: str) -> bool:
        roles = self.replica.roles(session.person_id)
        return bool(ACTS[verb].roles_ & roles) and session.may_act(verb)

    def _require(self, session: Session) -> None:
        if not self._may(session, EnrolDevice.verb_):
            raise Problem("gateway.not_allowed")


def _state(flow: Flow, *, armed: bool) -> v.SetupState:
    if armed:
        return "armed"
    if flow.hash:
        return "drafted"
    return "ready" if flow.ready else "form"


def _plain(typed: str) -> str:
    return "".join(each for each in typed.casefold() if each.isalnum())


def _error(found: FormError) -> v.FieldErrorView:
    said = Text(found.message.zh, found.message.en)
    if found.code:
        said = text(known(found.code, "setup.failed"), {"detail": said})
    return v.FieldErrorView(path=list(found.path), text=said, code=found.code)
