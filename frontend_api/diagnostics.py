"""Diagnostics of a host, for whoever sets devices up: asked anew, no secret in them."""

import json
from typing import Any

from core.people.acts import ACTS
from core.processes.acts import ArmConfig
from core.registry.acts import EnrolDevice
from frontend_api.guard import Call, Route
from frontend_api.link import Uplink
from frontend_api.problems import Problem
from frontend_api.replica import Replica
from frontend_api.views import View


class DiagnosticsView(View):
    """Show what a host and its driver tell of themselves."""

    host: str
    at_ms: int
    facts: dict[str, Any]


class DiagnosticsDesk:
    """Ask hosts for their diagnostics through core, which only hands the words on."""

    def __init__(self, replica: Replica, uplink: Uplink) -> None:
        self.replica, self.uplink = replica, uplink

    def routes(self) -> list[Route]:
        """Return the routes of this module."""
        return [
            Route("GET", "/api/v1/integrations/{id}/diagnostics", self.show,
                  "What an integration's host tells of itself, secrets taken out",
                  reply=DiagnosticsView),
        ]  # fmt: skip

    async def show(self, call: Call) -> DiagnosticsView:
        """Ask one host; raises Problem."""
        roles = self.replica.roles(call.session.person_id)
        allowed = ACTS[EnrolDevice.verb_].roles_ | ACTS[ArmConfig.verb_].roles_
        if not roles & allowed:
            raise Problem("gateway.not_allowed")
        host = call.request.match_info["id"]
        if host not in {each.id for each in self.replica.bundle.integrations}:
            raise Problem("gateway.not_found")
        answer = await self.uplink.diagnose(host)
        if answer.error:
            raise Problem("gateway.host_not_running", host=host)
        try:
            facts = json.loads(answer.facts)
        except ValueError:
            raise Problem("gateway.host_not_running", host=host) from None
        if not isinstance(facts, dict):
            facts = {"told": facts}
        return DiagnosticsView(host=host, at_ms=self.replica.now_ms(), facts=facts)
