"""Find integrations by their manifests, and check options by their own forms.

Three places hold integrations: the hub's own, wheels that name the entry point
``safehold.integrations``, and the site's ``custom_integrations/``. Of the last two
no line is run here: their forms answer from a confined process.
"""

import importlib
import importlib.metadata
import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from core.api.documents import Document, Path_, read
from core.api.errors import ConfigError
from core.api.manifest import Manifest, digest, parse
from core.config import Code, Contract, IntegrationConfig

ENTRY_POINTS = "safehold.integrations"
CUSTOM = "custom_integrations"
_OURS = Path(__file__).parent.parent / "integrations"
#: A form that has not answered by then never will.
_ANSWER_S = 30.0


class Package(NamedTuple):
    """Hold an integration that is at hand."""

    manifest: Manifest
    module: str
    folder: Path
    ours: bool


def packages(site: Path | None = None) -> dict[str, Package]:
    """Return the integrations by id; ``site``: the configuration's folder.

    Raises ConfigError for a bad manifest, and for a name that is taken.
    """
    found: dict[str, Package] = {}
    for each in (*_own(), *_wheels(), *_custom(site)):
        if each.manifest.id in found:
            raise ConfigError(
                f"{each.folder}: there is an integration {each.manifest.id!r} already;"
                " give this one another id"
            )
        found[each.manifest.id] = each
    return found


def _own() -> Iterator[Package]:
    for file in sorted(_OURS.glob("*/manifest.yaml")):
        name = file.parent.name
        yield _package(f"integrations.{name}", file.parent, ours=True)


def _wheels() -> Iterator[Package]:
    for point in importlib.metadata.entry_points(group=ENTRY_POINTS):
        if "." in point.value:
            raise ConfigError(f"{point.name}: its entry point names a whole package")
        spec = importlib.util.find_spec(point.value)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            yield _package(point.value, Path(folder), ours=False)


def _custom(site: Path | None) -> Iterator[Package]:
    if site is None:
        return
    for file in sorted((site / CUSTOM).glob("*/manifest.yaml")):
        folder = file.parent.resolve()
        yield _package(f"{CUSTOM}.{folder.name}", folder, ours=False)


def _package(module: str, folder: Path, *, ours: bool) -> Package:
    file = folder / "manifest.yaml"
    found = parse(read(file).data, str(file))
    for name in (found.integration, found.flow):
        if name.partition(":")[0].rpartition(".")[0] != module:
            raise ConfigError(f"{file}: {name!r} lies outside of {module}")
    return Package(found, module, folder, ours)


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
            f"there is no integration {name!r}; known: {', '.join(known(site))}",
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
    companions = getattr(form, "companions", None)
    secrets = getattr(form, "secrets_of", None)
    return IntegrationConfig(
        id=given["id"],
        integration=name,
        options=options,
        secrets=(*given.get("secrets", ()), *(secrets(options) if secrets else ())),
        companions=tuple(companions(options)) if companions else (),
        contract=contract(package.manifest),
    )


def contract(manifest: Manifest) -> Contract:
    """Return what core holds a host to."""
    return Contract(
        kinds=manifest.kinds,
        outputs=manifest.outputs,
        events=manifest.events,
        devices=manifest.limits.devices,
        entities=manifest.limits.entities,
    )


# --- integrations of others -------------------------------------------------------


def _foreign(
    document: Document, place: Path_, package: Package, options: dict[str, Any]
) -> tuple[dict[str, Any], Code]:
    asked = _code(package, {})
    answer = _ask(package, asked, options)
    if "errors" in answer:
        wrong = answer["errors"][0]
        raise document.error((*place, *wrong["path"]), wrong["message"])
    checked: dict[str, Any] = answer["options"]
    return checked, _code(package, checked)


def _ask(package: Package, code: Code, options: dict[str, Any]) -> dict[str, Any]:
    """Let the form answer from a process that reaches nothing."""
    import msgspec

    args = [
        *(sys.executable, "-P", "-m", "integrations.runtime.form"),
        *("--code", msgspec.json.encode(code).decode()),
        *("--flow", package.manifest.flow, "--data", str(Path("/nowhere"))),
    ]
    try:
        done = subprocess.run(
            args,
            input=json.dumps(options).encode(),
            capture_output=True,
            timeout=_ANSWER_S,
            check=False,
        )
        if done.returncode == 0:
            answer: dict[str, Any] = json.loads(done.stdout)
            return answer
        said = done.stderr.decode(errors="replace").strip().splitlines()
        why = said[-1] if said else f"exit status {done.returncode}"
    except subprocess.TimeoutExpired:
        why = f"no answer within {_ANSWER_S:.0f} s"
    except (TypeError, ValueError) as error:
        why = str(error)
    raise ConfigError(f"{package.folder}: its form does not answer: {why}")


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
