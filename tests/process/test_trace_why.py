"""``safehold trace --why`` asks the living hub what a rule would need (R26)."""

import asyncio
from pathlib import Path

import pytest

from frontend_api.commands.trace import main
from tests.process.test_notifier import ARGS, bundle
from tests.support.site import Loop, RunningHub
from tests.support.waiting import until


async def test_it_tells_triggers_and_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loop, data = Loop(tmp_path), tmp_path / "data"
    words = ["--data", str(data), "--rule", "tell", "--why"]
    async with RunningHub(data, bundle(loop, data, 9), args=ARGS) as hub:
        viewer = await hub.attach()
        await until(lambda: viewer.hears, "reading")
        assert await asyncio.to_thread(main, words) == 0
        quiet = capsys.readouterr().out
        assert "no alarm that it answers stands" in quiet
        assert "GOOD" in quiet, "the readings that it goes by"
        loop.tell(value=25.0)
        await until(lambda: viewer.seen("run.started"), "the rule's run")
        assert await asyncio.to_thread(main, [*words, "--language", "zh"]) == 0
        assert "已触发" in capsys.readouterr().out
        assert await asyncio.to_thread(main, [*words[:3], "nobody", "--why"]) == 1
        assert "no rule 'nobody'" in capsys.readouterr().err
    assert await asyncio.to_thread(main, words) == 1
    assert "safehold run" in capsys.readouterr().err
