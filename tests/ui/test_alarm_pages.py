"""The alarms' pages: groups, a flood, verdicts, shelving, risk, cases, figures.

The gateway is the real one and reads a real journal; the core behind it is scripted.
"""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.async_api import Page, expect

from core.alarms import events as alarms
from core.clock import SimClock
from core.deadlines import Deadline
from core.journal import envelope as envelopes
from core.journal.backlog import Entry
from core.journal.envelope import Envelope
from core.journal.events import Event
from core.journal.segment import RealDisk
from core.journal.store import Options, Store
from core.link import messages as m
from tests.ui import fixture_server
from tests.ui.fixture_core import FixtureCore
from tests.ui.fixture_server import Fixture, running
from tests.ui.fixture_site import ZONES
from tests.ui.screen import Screen
from tests.ui.test_live_page import (
    DESKTOP,
    EN,
    PHONE,
    ZH,
    Opener,
    browser,
    claim,
    complaints,
    opened,
    pytestmark,
)
from tests.unit.journal.journals import signer

__all__ = ["browser", "complaints", "opened", "pytestmark"]


class Keeping(FixtureCore):
    """Keep what it emits, and carry out the acts on alarms."""

    def __init__(self, *given: Any, **more: Any) -> None:
        self.kept: list[bytes] = []
        super().__init__(*given, **more)

    def emit(self, body: Event, actor: str = "") -> Envelope:
        """Accept an event and keep its bytes."""
        wrapped = super().emit(body, actor)
        self.kept.append(envelopes.encode(wrapped))
        return wrapped

    def _event(self, request: m.ActRequest, act: msgspec.Struct) -> Event | None:
        fields, me = msgspec.structs.asdict(act), request.person_id
        match request.verb:
            case "alarm.judge":
                return alarms.AlarmJudged(**fields, person_id=me)
            case "incident.classify":
                return alarms.IncidentClassified(**fields, person_id=me)
            case "alarm.shelve":
                until = Deadline.after(self.clock, fields.pop("minutes") * 60)
                return alarms.AlarmShelved(**fields, person_id=me, until=until)
        return super()._event(request, act)

    def write(self, data: Path) -> None:
        """Put what was kept into a journal on disk."""
        clock = SimClock()
        disk = RealDisk(data / "journal")
        store = Store.open(disk, signer(clock), clock, Options(1 << 20, 0))
        for data_ in self.kept:
            store.append([Entry(envelopes.decode(data_).seq, data_)])
        store.close()
        disk.close()

    def minor(self, number: int, **fields: Any) -> str:
        """Raise a minor alarm."""
        given = {
            "source": f"device:d-gd-{('pit', 'tank', 'pump')[number % 3]}",
            "condition": f"c{number}",
            "kind": "fault.stuck",
            "priority": 3,
            "zone_id": "tank",
            **fields,
        }
        alarm_id = f"minor-{number}"
        self.emit(alarms.AlarmRaised(alarm_id=alarm_id, **given))
        return alarm_id

    def past(self, alarm_id: str, zone: str) -> None:
        """Play an incident that is over and that nobody has judged."""
        self.emit(
            alarms.AlarmRaised(
                alarm_id=alarm_id,
                source=f"entity:e-gd-{zone}-h2s",
                condition="high",
                kind="gas.toxic",
                priority=1,
                zone_id=zone,
                life_safety=True,
                params={"value": 9.1, "limit": 6.6, "unit": "ppm", "quantity": "h2s"},
            )
        )
        self.emit(alarms.AlarmReturned(alarm_id=alarm_id))
        self.emit(alarms.AlarmClosed(alarm_id=alarm_id))


@pytest.fixture
async def fixture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Fixture]:
    monkeypatch.setattr(fixture_server, "FixtureCore", Keeping)
    async with running(tmp_path) as running_one:
        yield running_one


def zone(screen: Screen, zone_id: str) -> str:
    """Return a zone's name as the page says it."""
    names = next(z.names for z in ZONES if z.id == zone_id)
    return names.zh if screen.language == "zh" else names.en


async def enter(opened: Opener, fixture: Fixture, shape: Any, language: str) -> Screen:
    """Claim the hub and stand on the alarms' page."""
    page: Page = await opened(shape, language)
    await claim(page, fixture, ZH if language == "zh" else EN)
    name = f"alarms-{language}-{shape['viewport']['width']}"
    screen = Screen(page, language, name)
    await page.goto(f"{fixture.url}/alarms")
    await expect(
        page.get_by_role("group", name=screen.t("alarms.views"))
    ).to_be_visible()
    return screen


async def flooded(screen: Screen, core: Keeping) -> None:
    """See a flood gathered, and the grave alarm by itself."""
    page = screen.page
    for number in range(14):
        core.minor(number)
    # On a slow machine a fault or two of the fixture's own come on top.
    await expect(page.locator(".flood")).to_contain_text(re.compile(r"\b1[4-9]\b"))
    core.incident()
    grave = page.locator("[data-alarm=al-1]")
    await expect(grave).to_contain_text(screen.t("alarm.life"))
    await expect(page.locator(".alarm-group-head").first).to_be_visible()
    await screen.sound("flood")
    await page.locator(".alarm-group-head").first.click()
    await expect(page.locator(".alarm-group .alarm-row").first).to_be_visible()
    await expect(grave.get_by_role("button", name=screen.t("put.open"))).to_have_count(
        0
    )


async def shelved(screen: Screen, core: Keeping) -> None:
    """Shelve a minor alarm with a reason and an end."""
    page = screen.page
    row = page.locator(".alarm-group .alarm-row").first
    await row.get_by_role("button", name=screen.t("put.open")).click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text(screen.t("put.note"))
    await dialog.get_by_role("textbox").fill("cable")
    await screen.sound("shelve")
    await dialog.get_by_role(
        "button", name=screen.t("put.shelve"), exact=True
    ).last.click()
    await expect(dialog).to_be_hidden()
    await expect(row).to_contain_text("cable")
    shelf = [r.shelf for r in core.state.alarms.open.values() if r.shelf is not None]
    assert [each.reason for each in shelf] == ["cable"]


async def judged(screen: Screen, core: Keeping) -> None:
    """Give a verdict by one tap."""
    line = screen.page.locator(".judging li").first
    await line.get_by_role("button", name=screen.t("verdict.nuisance")).click()
    await expect(screen.page.locator(".judging li")).to_have_count(1)
    verdicts = [each.verdict for each in core.state.alarms.recent.values()]
    assert sorted(verdicts) == ["", "nuisance"]


async def looked_back(screen: Screen, fixture: Fixture) -> None:
    """See risk, cases and figures."""
    page, core = screen.page, fixture.core
    assert isinstance(core, Keeping)
    core.write(fixture.gateway.past._folder.parent)
    await screen.button(screen.t("alarms.view.risk")).click()
    await expect(page.locator("[data-risk=pit]")).to_contain_text(
        screen.t("risk.band.severe")
    )
    await screen.sound("risk")
    await screen.button(screen.t("alarms.view.cases")).click()
    await expect(page.locator("button.case")).to_have_count(2)
    await page.locator("button.case", has_text=zone(screen, "pit")).click()
    await expect(page.locator(".alike .relations")).to_be_visible()
    await screen.button(screen.t("outcome.averted")).click()
    await expect(page.locator(".case-head")).to_be_visible()
    await screen.sound("case")
    assert fixture.core.requests[-1].verb == "incident.classify"
    await screen.button(screen.t("alarms.view.figures")).click()
    await expect(page.locator(".figures li").first).to_be_visible()
    await screen.sound("figures")


@pytest.mark.parametrize(
    ("shape", "language"), [(DESKTOP, "zh"), (PHONE, "en")], ids=["desk", "phone"]
)
async def test_alarms_are_grouped_judged_put_by_and_looked_back_on(
    opened: Opener, fixture: Fixture, shape: Any, language: str
) -> None:
    """Design §5 Alarms, on a desk in Chinese and on a phone in English."""
    core = fixture.core
    assert isinstance(core, Keeping)
    core.past("past-1", "pit")
    core.past("past-2", "tank")
    screen = await enter(opened, fixture, shape, language)
    await expect(screen.page.locator(".judging li")).to_have_count(2)
    await flooded(screen, core)
    await shelved(screen, core)
    await judged(screen, core)
    await looked_back(screen, fixture)


def test_the_words_of_the_figures_are_there() -> None:
    """Every figure of the report has its line on the page, in both languages."""
    from frontend_api.alarm_book import Book
    from frontend_api.alarm_report import report
    from tests.ui.screen import ROOT, WORDS

    made = report(Book(ROOT / "none"), 0, 1)
    for each in made.figures:
        for language in ("zh", "en"):
            assert f"figures.of.{each.id}" in WORDS[language]
