"""One person's page of the web app: its words, its buttons, its looks."""

import json
import os
from pathlib import Path
from typing import Any

from playwright.async_api import Locator, Page, expect

from tests.ui import test_live_page as live

ROOT = Path(__file__).resolve().parents[2]
SHOTS = os.environ.get("SAFEHOLD_SHOTS", "")
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
#: Milliseconds after which waiting for the page is hopeless.
LIMIT = live.LIMIT
WORDS: dict[str, dict[str, str]] = {
    each: json.loads((ROOT / f"frontend_api/ui/src/i18n/{each}.json").read_text())
    for each in ("zh", "en")
}
FACTS: dict[str, dict[str, str]] = json.loads(
    (ROOT / "core/texts/packs.json").read_text("utf-8")
)


class Screen:
    """Hold one person's page in one language."""

    def __init__(self, page: Page, language: str, name: str) -> None:
        self.page, self.language, self.name = page, language, name
        self.person = name.rpartition("-")[2]
        self._shots = 0

    def t(self, key: str, **params: object) -> str:
        """Return the app's words."""
        said = WORDS[self.language][key]
        for name, value in params.items():
            said = said.replace("{{" + name + "}}", str(value))
        return said

    def fact(self, name: str) -> str:
        """Return the words of a fact."""
        return FACTS[f"fact.{name}"][self.language]

    def button(self, name: str, where: Locator | None = None) -> Locator:
        """Return the button of this very name."""
        place = where or self.page.locator("main")
        return place.get_by_role("button", name=name, exact=True)

    async def choose(self, label: str, option: str, *, many: bool = False) -> None:
        """Pick one of a list; one of several leaves the list open behind it."""
        box = self.page.get_by_role("combobox", name=label)
        if not await box.count():
            box = self.page.get_by_label(label).first
        await box.first.click()
        await self.page.get_by_role("option", name=option, exact=True).click()
        if many:
            await self.page.keyboard.press("Escape")
        await expect(self.page.get_by_role("option").first).to_be_hidden()

    async def answer(self, fact: str, value: object) -> None:
        """Answer one question by its big buttons or its number."""
        group = self.page.get_by_role("group", name=self.fact(fact), exact=True)
        if isinstance(value, bool):
            await self.button(self.t("ask.yes" if value else "ask.no"), group).click()
        else:
            await group.get_by_role("spinbutton").fill(str(value))

    async def shoot(self, what: str) -> None:
        """Keep what the page shows, where somebody wants to look at it."""
        if SHOTS:
            self._shots += 1
            path = Path(SHOTS) / f"{self.name}-{self._shots:02d}-{what}.png"
            await self.page.screenshot(path=path, full_page=True)

    async def sound(self, what: str) -> None:
        """Fail for what axe finds, for sideways scrolling and for small targets."""
        await self.shoot(what)
        wrong = await live.axe(self.page)
        assert not wrong, f"{what}: {wrong}"
        wide = "document.documentElement.scrollWidth > innerWidth"
        assert not await self.page.evaluate(wide), f"{what} scrolls sideways"
        small = await self.page.evaluate(
            "[...document.querySelectorAll('main .work button, main .work a.btn,"
            " main .device-key .btn')].filter(e => e.offsetParent &&"
            " e.offsetHeight && e.offsetHeight < 44).map(e => e.textContent)"
        )
        assert small == [], f"{what}: small targets"
