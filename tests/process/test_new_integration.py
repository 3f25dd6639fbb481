"""From nothing to a device in a real hub: what new-integration writes, confined."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from core.api.packages import packages
from core.commands import diagnostics
from core.link import messages as m
from core.registry.secrets import Secrets
from integrations.runtime.kit.new import create, main
from tests.process.test_config_faults import published
from tests.support.site import ROOT, RunningHub, Viewer
from tests.support.waiting import until

SITE = """
site: {id: s, names: {en: S, zh: 站}, language: en}
levels: [{id: l, names: {en: L, zh: 层}, z: 0}]
zones: [{id: z, names: {en: Z, zh: 区}, level: l, polygon: [[0,0],[9,0],[9,9]]}]
people: [{id: own, name: Own, roles: [owner]}]
devices: [{integration: acme, uid: "acme-*", zone: z}]
integrations:
  - {id: acme, integration: acme, options: OPTIONS, secrets: [acme.token]}
"""

pytestmark = [pytest.mark.timeout(240), pytest.mark.xdist_group("kit")]


@asynccontextmanager
async def device(site: Path, folder: Path, token: str) -> AsyncIterator[dict[str, Any]]:
    """Run its simulator; yield the options that reach it."""
    file, socket = folder / "options.json", folder / "scenario"
    options = {"address": "127.0.0.1", "port": 0, "secrets": {"acme.token": token}}
    file.write_text(json.dumps(options), "utf-8")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "custom_integrations.acme.simulator"),
        *("--options", str(file), "--scenario-socket", str(socket)),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{ROOT}"},
    )
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 30)
        yield json.loads(line)["options"]
    finally:
        process.terminate()
        await process.wait()


def measured(viewer: Viewer) -> bool:
    """Say whether its detector reads 0.0, GOOD."""
    ids = [
        entity.id
        for entity in viewer.state.registry.entities.values()
        if entity.declared.uid == "gas"
    ]
    rows = [viewer.live[each] for each in ids if each in viewer.live]
    return [(row.value, row.quality) for row in rows] == [(0.0, 0)]


async def test_it_is_published_and_measures_in_a_real_hub(tmp_path: Path) -> None:
    """Issue §4: from nothing to a device of the site, in its confined process."""
    site, aside = tmp_path / "config", tmp_path / "aside"
    aside.mkdir()
    create("acme", site)
    async with RunningHub(tmp_path / "data") as hub:
        token = Secrets(hub.data).get_or_create("acme.token")
        async with device(site, aside, token) as options:
            (site / "site.yaml").write_text(
                SITE.replace("OPTIONS", json.dumps(options)), "utf-8"
            )
            assert await published(str(site), "--data", str(hub.data)) == 0
            viewer = await hub.attach()
            await until(lambda: measured(viewer), "its reading", 60)
            counters = viewer.hosts.counters
            assert "host:acme.beyond_manifest" not in counters
            assert await diagnosed(viewer)
            file = tmp_path / "bundle.json"
            asked = ["--data", str(hub.data), "--out", str(file)]
            assert await asyncio.to_thread(diagnostics.main, asked) == 0
            told = json.loads(file.read_text("utf-8"))
            assert told["integrations"]["acme"]["integration"]["up"] is True
            assert told["processes"]["host:acme"]["state"] == "running"
            assert token not in file.read_text("utf-8")
            assert token not in hub.log.read_text("utf-8", "replace")


async def diagnosed(viewer: Viewer) -> bool:
    """Ask its host for diagnostics through core; say whether they came and tell."""
    answers: list[m.Diagnosis] = []
    take = viewer._take

    def also(message: m.Message) -> None:
        if isinstance(message, m.Diagnosis):
            answers.append(message)
        else:
            take(message)

    viewer.client._on_message = also
    viewer.client.send(m.Diagnose("q1", "acme"))
    viewer.client.send(m.Diagnose("q2", "nobody"))
    await until(lambda: len(answers) == 2, "diagnostics")
    found = {each.id: each for each in answers}
    assert found["q2"].error == "host.not_running"
    facts = json.loads(found["q1"].facts)
    assert facts["integration"]["token"] == "set"
    return facts["integration"]["up"] is True


def test_its_own_tests_pass(tmp_path: Path) -> None:
    """The tests that it brings, its conformance run among them."""
    folder = create("acme", tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_as_a_wheel_it_is_found_by_its_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Installed from a wheel: as pip lays it out."""
    assert main(["acme", "--into", str(tmp_path), "--wheel"]) == 0
    info = tmp_path / "safehold_acme-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: safehold-acme\n")
    (info / "entry_points.txt").write_text(
        "[safehold.integrations]\nacme = safehold_acme\n"
    )
    assert 'acme = "safehold_acme"' in (tmp_path / "pyproject.toml").read_text()
    monkeypatch.syspath_prepend(str(tmp_path))
    found = packages()["acme"]
    assert (found.module, found.ours) == ("safehold_acme", False)
    assert (tmp_path / "tests" / "test_acme.py").is_file()
    assert main(["acme", "--into", str(tmp_path), "--wheel"]) == 2  # never over it
