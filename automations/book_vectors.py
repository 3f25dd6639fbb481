"""Run what plans and checklists carry as tests, on the kernel and virtual time."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from automations import books
from automations.rehearsal import Devices, Rehearsal
from automations.schema_words import span
from automations.vectors import Outcome
from core import config
from core.api.documents import Document
from core.api.errors import ConfigError, Refused
from core.api.said import Said
from core.hub import encode_act
from core.link import messages as m
from core.names import Names
from core.people.acts import ROLES, Act
from core.response import plans_acts as acts
from core.response.books import Checklist, Plan
from core.response.events import NoticeQueued
from core.response.plans_state import PlanRun
from core.response.sheets import is_bad

ZONE = "here"


def run_file(file: Path) -> list[Outcome]:
    """Run the tests of one file; its folder says what it is."""
    if file.parent.name == books.PLANS:
        plan, tests = books.read_plan(file)
        return [_plan(file, plan, test) for test in tests]
    checklist, tests = books.read_checklist(file)
    return [_sheet(checklist, test) for test in tests]


def _sheet(checklist: Checklist, test: dict[str, Any]) -> Outcome:
    """Answer a checklist; ``bad`` names the items that become a hazard."""
    found = []
    for item_id, value in test.get("answers", {}).items():
        item = checklist.item(item_id)
        if item is None:
            return Outcome(
                name=_name(test), problems=(Said("no item {item!r}", item=item_id),)
            )
        try:
            if is_bad(item, value) and item.grade:
                found.append(item_id)
        except Refused as no:
            found.append(
                Said("{item_id}: {refusal}", item_id=item_id, refusal=no.refusal)
            )
    wanted = list(test.get("bad", []))
    problems = () if found == wanted else (_unlike(found, wanted),)
    return Outcome(name=_name(test), problems=problems)


def _unlike(found: list[str], wanted: list[str]) -> Said:
    return Said("bad are {found!r}, not {wanted!r}", found=found, wanted=wanted)


def _name(test: dict[str, Any]) -> str:
    name = test.get("name", "?")
    return str(name.get("en", "?") if isinstance(name, dict) else name)


def _plan(file: Path, plan: Plan, test: dict[str, Any]) -> Outcome:
    drill = _Drill(plan, test)
    for step in test.get("script", []):
        if not isinstance(step, dict) or len(step) != 1:
            raise _wrong(file, Said("a script's step is one word: {step!r}", step=step))
        word, value = next(iter(step.items()))
        does = drill.words.get(word)
        if does is None:
            raise _wrong(
                file,
                Said(
                    "no word {word!r}; known: {words}",
                    word=word,
                    words=list(drill.words),
                ),
            )
        does(value)
    return Outcome(name=_name(test), problems=tuple(drill.problems))


def _wrong(file: Path, said: str) -> ConfigError:
    return Document(str(file), {}, {}).error(("tests",), said)


def _same(text: str) -> Names:
    return Names(zh=text, en=text)


class _Answers:
    """Keep what the hub answers; the rest goes to the devices."""

    def __init__(self, devices: Devices) -> None:
        self._devices = devices
        self.last: m.ActReply | None = None

    def send(self, peer: str, message: m.Message) -> None:
        """Keep an answer."""
        if isinstance(message, m.ActReply):
            self.last = message
        else:
            self._devices.send(peer, message)

    def peers(self, role: str) -> list[str]:
        """Name whom the devices name."""
        return self._devices.peers(role)


class _Drill:
    """One plan on a site of one zone, with one person of each role."""

    def __init__(self, plan: Plan, test: dict[str, Any]) -> None:
        self._plan = plan
        self.problems: list[str] = []
        square = ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0))
        zone = config.Zone(id=ZONE, names=_same(ZONE), level="0", polygon=square)
        self._rehearsal = Rehearsal(
            config.Bundle(
                site=config.Site(id="drill", names=_same("drill"), zones=(zone,)),
                people=tuple(
                    config.Person(id=role, name=role, roles=(role,)) for role in ROLES
                ),
                plans=(plan,),
            )
        )
        self._now, self._numbers = 0.0, itertools.count()
        self._answers = _Answers(self._rehearsal.devices)
        self._rehearsal.kernel.hub.links = self._answers
        self._wait(0)
        self.words: dict[str, Callable[[Any], None]] = {
            "alarm": self._alarm,
            "wait": self._wait,
            "done": self._done,
            "skip": self._skip,
            "report": self._report,
            "refused": self._refused,
            "open": lambda v: self._are("open", v),
            "waiting": lambda v: self._are("waiting", v),
            "late": self._late,
            "told": self._told,
            "none": self._none,
        }

    def _wait(self, value: Any) -> None:
        self._now += span(value)
        self._rehearsal.run_to(self._now)

    def _alarm(self, value: Any) -> None:
        given: dict[str, Any] = {"kind": value} if isinstance(value, str) else value
        self._rehearsal.kernel.alarms.raise_(
            f"zone:{ZONE}",
            str(given["kind"]),
            kind=given["kind"],
            priority=given.get("priority", 1),
            zone_id=ZONE,
            life_safety=True,
            mark=given.get("mark", ""),
        )
        self._wait(0)

    def _run(self) -> PlanRun | None:
        runs = list(self._rehearsal.kernel.hub.state.response.plans.runs.values())
        return runs[-1] if runs else None

    def _act(self, step_id: str, act: Callable[[str], Act]) -> str:
        """Let a step's first owner act; return the refusal, '' where it is done."""
        run, step = self._run(), self._plan.step(step_id)
        if run is None or step is None:
            return "no such step, or the plan is not running"
        asked = act(run.id)
        request = m.ActRequest(
            id=f"{self._now:g}.{next(self._numbers)}",
            person_id=step.roles[0],
            verb=asked.verb_,
            body=encode_act(asked),
        )
        self._rehearsal.kernel.access.receive("gateway", request)
        reply = self._answers.last
        return "" if reply is None or reply.ok else reply.code

    def _done(self, value: Any) -> None:
        self._must(value, lambda run: acts.DoStep(plan_run=run, step=value))

    def _skip(self, value: Any) -> None:
        self._must(
            value, lambda run: acts.SkipStep(plan_run=run, step=value, reason="test")
        )

    def _report(self, value: Any) -> None:
        self._must(
            value,
            lambda run: acts.SendReport(
                plan_run=run, way="phone", to="test", sha256="0" * 64
            ),
        )

    def _must(self, step_id: str, act: Callable[[str], Act]) -> None:
        refusal = self._act(step_id, act)
        if refusal:
            self.problems.append(
                Said(
                    "{step_id}: refused with {refusal}",
                    step_id=step_id,
                    refusal=refusal,
                )
            )
        self._wait(0)

    def _refused(self, value: Any) -> None:
        if not self._act(value, lambda run: acts.DoStep(plan_run=run, step=value)):
            self.problems.append(Said("{value}: was not refused", value=value))

    def _are(self, state: str, value: Any) -> None:
        run = self._run()
        found = [s for s, r in run.steps.items() if r.state == state] if run else []
        if found != list(value):
            self.problems.append(
                Said(
                    "{now:g} s: {state} are {found!r}, not {value!r}",
                    now=self._now,
                    state=state,
                    found=found,
                    value=value,
                )
            )

    def _late(self, value: Any) -> None:
        run = self._run()
        found = [s for s, r in run.steps.items() if r.level] if run else []
        if found != list(value):
            self.problems.append(
                Said(
                    "{now:g} s: late are {found!r}, not {value!r}",
                    now=self._now,
                    found=found,
                    value=value,
                )
            )

    def _told(self, value: Any) -> None:
        """``{step: [roles]}``: these roles, and maybe more, were told of a step."""
        told = {
            (str(body.params.get("plan_step", "")).partition("/")[2], body.person_id)
            for _, body, _ in self._rehearsal.events
            if isinstance(body, NoticeQueued)
        }
        for step, roles in value.items():
            missing = [role for role in roles if (step, role) not in told]
            if missing:
                self.problems.append(
                    Said(
                        "{now:g} s: {step}: not told {missing!r}",
                        now=self._now,
                        step=step,
                        missing=missing,
                    )
                )

    def _none(self, _value: Any) -> None:
        if self._run() is not None:
            self.problems.append("the plan runs; it should not")
