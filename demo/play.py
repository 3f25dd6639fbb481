"""Play a scenario: order simulators, let people act, expect events in order."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from core.journal.events import Event
from demo import scenario as steps
from demo.crew import Crew, RefusedError
from demo.pictures import picture
from demo.stage import Stage
from demo.watch import Seen, Watch

#: Real seconds granted beyond the scaled time: processes need some of their own.
_GRACE_S = 5.0
_RETRY_S = 0.5

#: What the crew's phones see before and after a fix.
_SHOTS = {"before": picture(160, 60, 30), "after": picture(40, 140, 90)}
Tell = Callable[[str], None]


class NotMetError(Exception):
    """An expectation was not met, or an act went otherwise; names the step."""


class Met(msgspec.Struct, frozen=True, kw_only=True):
    """Record one expectation that was met."""

    step: int
    text: str
    seq: int
    at_s: float


class Player:
    """Play one scenario on a stage."""

    def __init__(
        self,
        stage: Stage,
        watch: Watch,
        crew: Crew,
        tell: Tell,
        *,
        lenient: bool = False,
    ) -> None:
        """``lenient``: go on where a person at the page was faster than the crew."""
        self._stage, self._watch, self._crew, self._tell = stage, watch, crew, tell
        self._lenient = lenient
        self._remembered: dict[str, str] = {}
        self._last = 0
        self.met: list[Met] = []

    async def play(self, scenario: steps.Scenario) -> None:
        """Play every step; raises NotMetError at the first that goes wrong."""
        self._last = max((seen[0] for seen in self._watch.events), default=0)
        for number, step in enumerate(scenario.steps, 1):
            try:
                await self._step(number, step)
            except (NotMetError, RefusedError) as no:
                said = str(no)
                if isinstance(no, RefusedError):
                    said = f"step {number}: {_short(step)}: {no}"
                if not self._lenient:
                    raise NotMetError(said) from None
                self._tell(f"  · {said}")

    async def _step(self, number: int, step: steps.Step) -> None:
        match step:
            case steps.Say():
                self._tell(f"{step.zh}  {step.en}")
            case steps.Wait():
                await self._sleep(step.s)
            case steps.Sim():
                await self._stage.simulators[step.to].order(step.order)
            case steps.Ramp():
                await self._ramp(step)
            case steps.Act():
                await self._act(number, step)
            case steps.Photo():
                shot = _SHOTS[step.stage]
                task_id = str(self._fill(step.task))
                await self._photo(step, task_id, shot)
            case steps.Expect():
                await self._expect(number, step)

    async def _sleep(self, site_s: float) -> None:
        await asyncio.sleep(site_s / self._stage.speed)

    async def _ramp(self, step: steps.Ramp) -> None:
        count = max(int(step.over_s), 1)
        for turn in range(1, count + 1):
            value = step.start + (step.end - step.start) * turn / count
            near = self._stage.chance.around(value)
            order = {"device": step.device, "set": {step.entity: near}}
            await self._stage.simulators["modbus"].order(order)
            await self._sleep(step.over_s / count)

    async def _act(self, number: int, step: steps.Act) -> None:
        deadline = asyncio.get_running_loop().time() + step.retry_s / self._stage.speed
        if step.retry_s:
            deadline += _GRACE_S
        while True:
            try:
                reply = await self._crew.act(
                    step.by,
                    step.verb,
                    self._fill(step.body),
                    self._version(step.version_of),
                )
            except RefusedError as no:
                if step.refused:
                    if no.code == step.refused:
                        return
                    raise
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(_RETRY_S)
                continue
            break
        if step.refused:
            raise NotMetError(f"step {number}: {_short(step)} was not refused")
        if step.remember:
            result = reply["result"]
            made = result.get("permit_id") or result["task_id"]
            self._remembered[step.remember] = str(made)

    async def _photo(self, step: steps.Photo, task_id: str, shot: bytes) -> None:
        """Bring a picture; the gateway may hear of the task a moment later."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _GRACE_S
        while True:
            try:
                await self._crew.photo(step.by, task_id, step.stage, shot)
            except RefusedError as no:
                if no.code != "permit.unknown" or loop.time() > deadline:
                    raise
                await asyncio.sleep(_RETRY_S)
            else:
                return

    def _version(self, name: str) -> int | None:
        if not name:
            return None
        return self._watch.state.permits.permits[self._remembered[name]].version

    async def _expect(self, number: int, step: steps.Expect) -> None:
        where = self._fill(step.where)

        def wanted(seen: Seen) -> bool:
            return seen[1].name_ == step.event and _matches(seen[1], where)

        real_s = step.within_s / self._stage.speed + _GRACE_S
        seen = await self._watch.first(wanted, self._last, real_s)
        text = f"{step.event} {_words(step.where)}".rstrip()
        if seen is None:
            raise NotMetError(
                f"step {number}: no {text} within {step.within_s:g} s "
                f"behind event {self._last}"
            )
        self._last = seen[0]
        start = self._watch.events[0][2].mono_ns
        met = Met(
            step=number,
            text=text,
            seq=seen[0],
            at_s=(seen[2].mono_ns - start) / 1e9,
        )
        self.met.append(met)
        self._tell(f"  ✓ {met.text}  #{met.seq}")

    def _fill(self, value: Any) -> Any:
        """Replace ``$name`` by what the site calls it now."""
        if isinstance(value, dict):
            return {key: self._fill(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self._fill(each) for each in value]
        if isinstance(value, str) and value.startswith("$"):
            return self._find(value[1:])
        return value

    def _find(self, name: str) -> str:
        kind, _, rest = name.partition(":")
        state = self._watch.state
        if kind == "alarm":
            found = [a.id for a in state.alarms.open.values() if _alarm_is(a, rest)]
        elif kind == "evacuation":
            running = state.response.evacuations.values()
            found = [e.id for e in running if not e.cleared_wall_ns]
        elif kind == "drill":
            drills = state.response.drills.values()
            found = [e.id for e in drills if not e.cleared_wall_ns]
        elif kind == "plan":
            runs = state.response.plans.running()
            found = [run.id for run in runs if run.plan == rest]
        elif kind == "notice":
            person, _, code = rest.partition("/")
            notices = state.response.notices.values()
            found = [n.id for n in notices if (n.person_id, n.code) == (person, code)]
        elif kind == "device":
            devices = state.registry.devices.values()
            found = [device.id for device in devices if device.uid == rest]
        elif kind == "entity":
            uid, _, entity = rest.partition("/")
            found = [
                e.id
                for e in state.registry.entities.values()
                if e.declared.uid == entity
                and state.registry.devices[e.device_id].uid == uid
            ]
        else:
            found = [self._remembered[name]] if name in self._remembered else []
        if not found:
            raise NotMetError(f"nothing on the site is called ${name} now")
        return found[0]


def _alarm_is(alarm: Any, wanted: str) -> bool:
    """Match ``kind`` or ``kind/condition``."""
    kind, _, condition = wanted.partition("/")
    return alarm.kind == kind and (not condition or alarm.condition == condition)


def _matches(body: Event, where: dict[str, Any]) -> bool:
    fields = msgspec.to_builtins(body)
    for path, wanted in where.items():
        value: Any = fields
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if isinstance(value, tuple):
            value = list(value)
        if isinstance(value, list) and not isinstance(wanted, list):
            if wanted not in value:
                return False
        elif value != wanted:
            return False
    return True


def _words(where: dict[str, Any]) -> str:
    return " ".join(f"{key}={value}" for key, value in where.items())


def _short(step: steps.Step) -> str:
    if isinstance(step, steps.Act):
        return f"{step.by} {step.verb}"
    return type(step).__name__.lower()
