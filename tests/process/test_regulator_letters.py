"""The notice to the regulator leaves whole, by the site's own channels (issue 4 §7)."""

import hashlib
from pathlib import Path

import msgspec

from core import config
from core.channels.services import group_secret
from core.registry.secrets import Secrets
from core.response.books import Plan, PlanStep
from core.response.notices_config import (
    REPORTS,
    NoticeChannel,
    NoticePolicy,
    Recipient,
)
from core.response.plans_acts import DeliverReport, StartPlan
from core.response.plans_state import PlanRun
from tests.process.test_notifier import ARGS, sink
from tests.support.site import NAMES, Loop, RunningHub, Viewer, small_site
from tests.support.waiting import until

TEXT = "致应急管理局：\n硫化氢 30 ppm，无人伤亡。\n" + "详情 " * 400


def bundle(loop: Loop, data: Path, port: int) -> config.Bundle:
    """Return a site with one authority that answers and one that nobody reaches."""
    secrets = Secrets(data)
    secrets.put(group_secret("hook"), f"json://127.0.0.1:{port}/")
    secrets.put(group_secret("dead"), "json://127.0.0.1:9/")
    step = PlanStep(
        id="tell", names=NAMES, roles=("safety_officer",), within_s=3600.0, report=True
    )
    plan = Plan(id="leak", names=NAMES, version="1", steps=(step,), report_to=NAMES)
    return msgspec.structs.replace(
        small_site(loop.config()),
        people=(config.Person(id="sam", name="Sam", roles=("safety_officer",)),),
        plans=(plan,),
        notices=NoticePolicy(
            channels=tuple(
                NoticeChannel(id=each, names=NAMES) for each in ("hook", "dead")
            ),
            regulators=(
                Recipient(id="bureau", names=NAMES, channels=("hook",)),
                Recipient(id="away", names=NAMES, channels=("dead",)),
            ),
        ),
    )


def run_of(viewer: Viewer) -> PlanRun:
    (run,) = viewer.state.response.plans.running()
    return run


def kept(data: Path, text: str) -> str:
    """Keep a text as the gateway does; returns its hash."""
    name = hashlib.sha256(text.encode()).hexdigest()
    folder = data / REPORTS
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.txt").write_text(text, "utf-8")
    return name


async def test_it_leaves_whole_and_each_recipient_is_told_apart(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    async with sink() as taken:
        data = tmp_path / "data"
        hub = RunningHub(data, bundle(loop, data, taken.port), args=ARGS)
        async with hub:
            viewer = await hub.attach()
            await viewer.act(StartPlan.verb_, StartPlan(plan="leak"), "sam")
            await until(lambda: viewer.state.response.plans.runs, "the plan's run")
            run = run_of(viewer)
            deliver = DeliverReport(
                plan_run=run.id,
                recipients=("bureau", "away"),
                sha256=kept(data, TEXT),
                draft=kept(data, "draft"),
            )
            reply = await viewer.act(deliver.verb_, deliver, "sam")
            assert reply.ok, reply
            await until(lambda: len(run_of(viewer).reports) == 2, "both queued")
            bureau, away = run_of(viewer).reports
            await until(lambda: bureau.channels == {"hook": "sent"}, "sent")
            await until(
                lambda: away.channels == {"dead": "failed"}, "failed", limit_s=40
            )
            assert run_of(viewer).steps["tell"].state == "done"
        (letter,) = taken.got
        assert TEXT.strip() in letter["message"], "whole, and alone in its letter"
        assert "json://" not in hub.log.read_text(), "an address is a secret"
