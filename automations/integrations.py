"""Check the options of integrations by their own forms.

Of an integration that is not the hub's own no line is run here: its form answers
from a confined process.
"""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from core.api import asking
from core.api.documents import Document, Path_
from core.api.errors import ConfigError
from core.api.manifest import Manifest, digest
from core.api.packages import Package, packages
from core.api.said import Said
from core.config import Code, Contract, IntegrationConfig

#: A form that has not answered by then never will.
_ANSWER_S = 30.0


def known(site: Path | None = None) -> list[str]:
    """Return the ids of the integrations that are at hand."""
    return sorted(packages(site))


def check(
    document: Document, number: int, given: dict[str, Any], site: Path | None = None
) -> IntegrationConfig:
    """Return the checked configuration; raises ConfigError with line and column."""
    name, base = given["integration"], ("integrations", number)
    package = packages(site).get(name)
    if package is None:
        raise document.error(
            (*base, "integration"),
            Said(
                "there is no integration {name!r}; known: {known}",
                name=name,
                known=list(known(site)),
            ),
        )
    options = given.get("options", {})
    place: Path_ = (*base, "options")
    if not package.ours:
        options, code = _foreign(document, place, package, options)
        return IntegrationConfig(
            id=given["id"],
            integration=name,
            options=options,
            secrets=tuple(given.get("secrets", ())),
            contract=contract(package.manifest),
            code=code,
        )
    form = importlib.import_module(f"{package.module}.flow")
    options = document.check_part(form.schema(), options, place)
    return configured(package, given["id"], options, tuple(given.get("secrets", ())))


def configured(
    package: Package,
    name: str,
    options: dict[str, Any],
    secrets: tuple[str, ...] = (),
) -> IntegrationConfig:
    """Return an instance of an integration with options that were checked."""
    told = query(package, "secrets", {"options": options})
    return IntegrationConfig(
        id=name,
        integration=package.manifest.id,
        options=options,
        secrets=tuple(dict.fromkeys((*secrets, *told["secrets"]))),
        companions=tuple(tuple(each) for each in told["companions"]),
        contract=contract(package.manifest),
        code=None if package.ours else _code(package, options),
    )


def query(package: Package, op: str, given: dict[str, Any]) -> dict[str, Any]:
    """Ask an integration's flow; that of another's answers from a confined process.

    ``op``: forms, check, secrets or probe, as `core.api.asking` has them. Raises
    ConfigError when it does not answer.
    """
    module, _, make = package.manifest.flow.partition(":")
    if package.ours:
        try:
            return asking.answer(importlib.import_module(module), make, op, given)
        except ImportError as missing:
            raise ConfigError(
                Said("{id}: {missing}", id=package.manifest.id, missing=missing)
            ) from missing
    reach = given["options"] if op == "probe" else {}
    return _ask(package, _code(package, reach), given, op)


def contract(manifest: Manifest) -> Contract:
    """Return what core holds a host to."""
    return Contract(
        kinds=manifest.kinds,
        outputs=manifest.outputs,
        events=manifest.events,
        proof=manifest.proof,
        devices=manifest.limits.devices,
        entities=manifest.limits.entities,
    )


# --- integrations of others -------------------------------------------------------


def _foreign(
    document: Document, place: Path_, package: Package, options: dict[str, Any]
) -> tuple[dict[str, Any], Code]:
    asked = _code(package, {})
    answer = _ask(package, asked, {"options": options}, "check")
    if "errors" in answer:
        wrong = answer["errors"][0]
        raise document.error((*place, *wrong["path"]), said_of(wrong))
    checked: dict[str, Any] = answer["options"]
    return checked, _code(package, checked)


def said_of(wrong: dict[str, Any]) -> Said:
    """Return what a form says of a field, as a sentence in both languages."""
    both = {"en": wrong["message"], "zh": wrong.get("zh") or wrong["message"]}
    return Said("{said}", said=both)


def _ask(
    package: Package, code: Code, given: dict[str, Any], op: str
) -> dict[str, Any]:
    """Let the flow answer from a process that reaches nothing, or what it may."""
    import msgspec

    args = [
        *(sys.executable, "-P", "-m", "integrations.runtime.form"),
        *("--code", msgspec.json.encode(code).decode()),
        *("--flow", package.manifest.flow, "--data", str(Path("/nowhere"))),
        *("--op", op),
    ]
    try:
        done = subprocess.run(
            args,
            input=json.dumps(given).encode(),
            capture_output=True,
            timeout=_ANSWER_S,
            check=False,
        )
        if done.returncode == 0:
            answer: dict[str, Any] = json.loads(done.stdout)
            return answer
        said = done.stderr.decode(errors="replace").strip().splitlines()
        why = said[-1] if said else Said("exit status {n}", n=done.returncode)
    except subprocess.TimeoutExpired:
        why = Said("no answer within {most:.0f} s", most=_ANSWER_S)
    except (TypeError, ValueError) as error:
        why = str(error)
    raise ConfigError(
        Said(
            "{folder}: its form does not answer: {why}", folder=package.folder, why=why
        )
    )


def _code(package: Package, options: dict[str, Any]) -> Code:
    """Pin the package's code, and what its manifest lets it reach."""
    manifest, network = package.manifest, package.manifest.network
    ports = set(network.ports)
    for path in network.from_options:
        ports |= {port for each in _at(options, path) if (port := _port(each))}
    devices = [
        each
        for path in manifest.devices.from_options
        for each in _at(options, path)
        if isinstance(each, str) and each.startswith("/dev/")
    ]
    return Code(
        module=package.module,
        folder=str(package.folder),
        digest=digest(package.folder),
        connect=tuple(sorted(ports)),
        listens=network.listens,
        devices=tuple(devices),
        udp=network.udp,
        netlink=network.netlink,
        bluetooth=network.bluetooth,
        memory_mb=manifest.limits.memory_mb,
        files=manifest.limits.files,
    )


def _at(value: Any, path: str) -> list[Any]:
    """Return what lies at a dotted path; ``*`` stands for each item of a list."""
    found = [value]
    for part in path.split("."):
        step: list[Any] = []
        for each in found:
            if part == "*" and isinstance(each, list):
                step += each
            elif isinstance(each, dict) and part in each:
                step.append(each[part])
        found = step
    return found


def _port(value: Any) -> int:
    port = value.get("port") if isinstance(value, dict) else value
    return port if isinstance(port, int) and 0 < port < 1 << 16 else 0
