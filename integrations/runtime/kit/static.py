"""Checks that need no device: manifest, form, names, discovery, guide."""

import importlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import voluptuous as vol

from core.api.manifest import Discovery
from integrations.runtime.kit.bench import Bench, form
from integrations.runtime.kit.result import Broken

#: Of a finding, where conformance.yaml gives no facts.
_FACTS = {"address": "192.0.2.7", "port": "4711", "name": "found"}
_PROOF = re.compile(r"^#+ .*proof.test", re.IGNORECASE | re.MULTILINE)
_HAN = re.compile("[\u4e00-\u9fff]")
_LEAST = 400
"""Characters below which a guide guides nobody."""


async def accepts(bench: Bench) -> str:
    """See that the form takes the simulator's options, and refuses nonsense."""
    module, _, name = bench.manifest.flow.partition(":")
    schema: Callable[[], Any] = getattr(importlib.import_module(module), name)
    form(bench.package)(dict(bench.options))
    try:
        schema()({"no_such_option": 1})
    except vol.Invalid:
        return ""
    raise Broken("the form takes {'no_such_option': 1}: leave extra keys refused")


async def names(bench: Bench) -> str:
    """See that people of both languages are told its name."""
    told = bench.manifest.names
    if not told.en.strip() or not _HAN.search(told.zh):
        raise Broken(f"names: en {told.en!r}, zh {told.zh!r}: one of them is missing")
    return f"{told.en} · {told.zh}"


async def found(bench: Bench) -> str:
    """See that the manifest names signs, and that options come of a finding."""
    if bench.manifest.discovery == Discovery():
        raise Broken("manifest: no sign under 'discovery'; or say why not")
    module = importlib.import_module(bench.manifest.flow.partition(":")[0])
    prefill = getattr(module, "prefill", None)
    if prefill is None:
        raise Broken("its flow has no prefill(facts)")
    facts = {**_FACTS, **bench.contract.discovery.facts}
    options = prefill(facts)
    if not isinstance(options, Mapping) or not options:
        raise Broken(f"prefill({facts}) gives no options: {options!r}")
    unknown = _unknown(bench, dict(options))
    if unknown:
        raise Broken(f"prefill gives what the form does not know: {unknown}")
    return ", ".join(sorted(map(str, options)))


def _unknown(bench: Bench, options: dict[str, Any]) -> str:
    """Return what the form complains of as unknown; what is missing a person adds."""
    module, _, name = bench.manifest.flow.partition(":")
    schema: Callable[[], Any] = getattr(importlib.import_module(module), name)
    try:
        schema()(options)
    except vol.MultipleInvalid as bad:
        return "; ".join(
            str(each) for each in bad.errors if each.msg == "extra keys not allowed"
        )
    except vol.Invalid:
        return ""
    return ""


def guide_of(bench: Bench) -> Path:
    """Return the guide's file; raises Broken."""
    folder, told = bench.package.folder, bench.contract.guide
    if not told:
        told = "README.md"
    for base in (folder, folder.parents[1]):
        file = base / told
        if file.is_file():
            return file
    raise Broken(f"no guide: {told} is neither in {folder} nor in {folder.parents[1]}")


async def guide(bench: Bench) -> str:
    """See that there is a guide; of the hub's own in both languages."""
    file = guide_of(bench)
    if len(file.read_text("utf-8")) < _LEAST:
        raise Broken(f"{file.name}: less than {_LEAST} characters guide nobody")
    twin = file.with_name(f"{file.stem}.zh-CN.md")
    if bench.package.ours and not twin.is_file():
        raise Broken(f"{twin.name} is missing")
    return file.name


async def proof_test(bench: Bench) -> str:
    """See that the guide tells how the device is proof tested."""
    file = guide_of(bench)
    if not _PROOF.search(file.read_text("utf-8")):
        raise Broken(f"{file.name} has no heading 'Proof test'")
    return file.name


async def ages(bench: Bench) -> str:
    """See that every critical entity is judged old within three heartbeats."""
    beat = bench.manifest.heartbeat_s
    if bench.contract.interval_s > beat:
        said = f"interval_s {bench.contract.interval_s:g}"
        raise Broken(f"{said} is above the manifest's heartbeat_s {beat:g}")
    worst = 0.0
    for device in bench.side.devices.values():
        for entity in device.entities:
            if entity.critical and entity.max_age_s > 3 * beat:
                name = f"{device.uid}/{entity.uid}"
                old = f"max_age_s {entity.max_age_s:g}"
                raise Broken(f"{name}: {old} is above three heartbeats of {beat:g} s")
            worst = max(worst, entity.max_age_s if entity.critical else 0.0)
    return f"heartbeat {beat:g} s, oldest critical {worst:g} s"


async def latency(bench: Bench) -> str:
    """Compare what was measured with what the manifest promises."""
    promised = bench.manifest.worst_case_latency_s
    reading, command = bench.latency, bench.command_latency
    if reading is not None and reading > bench.contract.interval_s + promised:
        limit = f"{bench.contract.interval_s:g} + {promised:g} s"
        raise Broken(f"a reading took {reading:.2f} s; the manifest says {limit}")
    if command is not None and command > promised:
        raise Broken(f"a command took {command:.2f} s; the manifest says {promised:g}")
    told = [
        f"{name} {value:.2f} s"
        for name, value in (("reading", reading), ("command", command))
        if value is not None
    ]
    if not told:
        raise Broken("nothing was measured: it has no reading and no output here")
    return ", ".join(told) + f" (manifest: {promised:g} s)"


def plain(value: Any) -> Any:
    """Return a parser's result as JSON would carry it."""
    return msgspec.to_builtins(
        value, str_keys=True, enc_hook=lambda each: getattr(each, "__dict__", str(each))
    )
