"""Put the site in order at the day's end, whatever a person at the page has done."""

import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from core.permits.lifecycle import PermitStatus
from core.state import SiteState
from demo.crew import Crew, RefusedError
from demo.watch import Watch

#: Who may acknowledge, reset, clear and cancel; and who lets outputs end.
_OFFICER = "zhao"
Ask = Callable[[str, dict[str, Any]], Awaitable[None]]


async def tidy(watch: Watch, crew: Crew) -> None:
    """Acknowledge, clear and close what is left; what is refused stays as it is."""
    state = watch.state

    async def ask(verb: str, body: dict[str, Any], version: int | None = None) -> None:
        with contextlib.suppress(RefusedError):
            await crew.act(_OFFICER, verb, body, version)

    await _people(state, ask)
    for permit in list(state.permits.permits.values()):
        if permit.status is not PermitStatus.CLOSED:
            body = {"permit_id": permit.id, "reason": "收工"}
            await ask("permit.cancel", body, permit.version)
    for run in state.response.plans.running():
        await ask("plan.end", {"plan_run": run.id, "reason": "收工"})
    for entity_id in list(state.response.outputs):
        await ask("output.release", {"entity_id": entity_id, "reason": "收工"})


async def _people(state: SiteState, ask: Ask) -> None:
    """End what calls people out, and what called them."""
    for alarm in list(state.alarms.open.values()):
        if not alarm.acknowledged:
            await ask("alarm.acknowledge", {"alarm_id": alarm.id})
        if not alarm.active:
            await ask("alarm.reset", {"alarm_id": alarm.id, "reason": "收工"})
    for evacuation in list(state.response.evacuations.values()):
        if not evacuation.cleared_wall_ns:
            await ask("evacuation.clear", {"evacuation_id": evacuation.id})
    for drill in list(state.response.drills.values()):
        if not drill.cleared_wall_ns:
            await ask("drill.end", {"evacuation_id": drill.id})
    for badge in list(state.response.visitors):
        await ask("visitor.sign_out", {"badge": badge})
