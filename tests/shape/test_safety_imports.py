"""The safety process loads nothing but Python, msgspec, cryptography and our rooms."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OURS = {"core", "automations"}
# The last two are what cryptography brings along by itself.
ALLOWED = {"msgspec", "cryptography", "_cffi_backend", "_openssl"}
LIST_MODULES = """
import importlib, sys
before = set(sys.modules)
for name in sys.argv[1:]:
    importlib.import_module(name)
print("\\n".join(sorted({m.split(".")[0] for m in set(sys.modules) - before})))
"""


def foreign(*modules: str) -> set[str]:
    """Return what importing ``modules`` loads beyond Python's own, by first name."""
    done = subprocess.run(
        [sys.executable, "-c", LIST_MODULES, *modules],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    # Python's own, though not among its names: what `zoneinfo` asks of the build.
    own = ("__", "_sysconfigdata_")
    return {m for m in loaded - sys.stdlib_module_names if not m.startswith(own)}


def test_safety_process_loads_no_foreign_module() -> None:
    """Design §3: no YAML, voluptuous, jinja2, aiohttp, argon2 or vendor SDK."""
    assert foreign("core.processes.safety") - OURS - ALLOWED == set()


def test_automations_engine_loads_no_foreign_module() -> None:
    """Design §3: the engine runs in the safety process, so it counts as well."""
    assert (
        foreign("core.processes.lean", "automations.engine") - OURS - ALLOWED == set()
    )


def test_keeper_needs_the_standard_library_alone() -> None:
    """Design §3: the process that restarts all others depends on none of them."""
    assert foreign("core.processes.keeper") - {"core"} == set()
