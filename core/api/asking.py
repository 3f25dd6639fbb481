"""Ask an integration's flow: its forms, whether options are right, a trial.

Runs where the flow's code does: in the set-up worker for the hub's own, in a confined
process for those of others. The safety process never imports it.

A flow module offers ``schema()``, and may offer ``steps()`` → (id, {zh, en}, schema) of
each step in turn, ``prefill(facts)`` → options, ``secrets_of(options)`` → names,
``companions(options)`` and ``async probe(options, secrets)`` → facts.
"""

import asyncio
import inspect
from collections.abc import Mapping
from types import ModuleType
from typing import Any, Final

from core.api import forms
from core.api.errors import SafeholdError
from core.texts.sentences import say

#: A connection that was not made by then is none.
PROBE_S: Final = 15.0
#: The one step of a flow that names none.
WHOLE: Final = "options"
Given = Mapping[str, Any]


def answer(flow: ModuleType, make: str, op: str, given: Given) -> dict[str, Any]:
    """Return the answer to ``forms``, ``check``, ``secrets`` or ``probe``.

    ``make``: the function that returns the schema. Raises SafeholdError.
    """
    if op == "forms":
        return _forms(flow, make, given)
    if op == "check":
        return _check(flow, make, given)
    if op == "secrets":
        return _secrets(flow, given)
    return _probe(flow, given)


def _steps(flow: ModuleType, make: str) -> list[tuple[str, Mapping[str, str], Any]]:
    steps = getattr(flow, "steps", None)
    if steps is None:
        return [(WHOLE, {}, getattr(flow, make)())]
    return [(str(name), names, schema) for name, names, schema in steps()]


def _forms(flow: ModuleType, make: str, given: Given) -> dict[str, Any]:
    prefill = getattr(flow, "prefill", None)
    facts = dict(given.get("facts", {}))
    return {
        "forms": [
            {
                "step": name,
                "zh": names.get("zh", ""),
                "en": names.get("en", ""),
                "form": forms.describe(schema),
            }
            for name, names, schema in _steps(flow, make)
        ],
        "options": dict(prefill(facts)) if prefill is not None and facts else {},
    }


def _check(flow: ModuleType, make: str, given: Given) -> dict[str, Any]:
    """Check one step by its own part of the form, or the whole."""
    schema = getattr(flow, make)()
    for name, _, part in _steps(flow, make):
        if name == given.get("step"):
            schema = part
    options, errors = forms.check(schema, given["options"])
    if errors:
        return {"errors": [{"path": list(p), **_said(m)} for p, m in errors]}
    return {"options": options}


def _secrets(flow: ModuleType, given: Given) -> dict[str, Any]:
    """Return the secrets and the helper processes that checked options name."""
    options = given["options"]
    names, companions = (
        getattr(flow, each, None) for each in ("secrets_of", "companions")
    )
    return {
        "secrets": list(names(options)) if names is not None else [],
        "companions": [list(e) for e in companions(options)] if companions else [],
    }


def _probe(flow: ModuleType, given: Given) -> dict[str, Any]:
    """Try the connection; what fails is an error with its code."""
    probe = getattr(flow, "probe", None)
    if probe is None:
        return {"facts": {}}
    try:
        return {"facts": asyncio.run(_tried(probe, given))}
    except TimeoutError:
        return {"errors": [{"code": "setup.no_answer", "message": ""}]}
    except (SafeholdError, OSError) as no:
        # What the driver itself would report of it says more than its class.
        told = no.params.get("reason") if isinstance(no, SafeholdError) else None
        code = str(told or getattr(no, "code", "device.failed"))
        return {"errors": [{"code": code, **_said(no)}]}


def _said(wrong: object) -> dict[str, str]:
    """Return a message in both languages: another process cannot say it anew."""
    return {"message": say(wrong, "en"), "zh": say(wrong, "zh")}


async def _tried(probe: Any, given: Given) -> dict[str, str]:
    async with asyncio.timeout(PROBE_S):
        found = probe(dict(given["options"]), dict(given.get("secrets", {})))
        if inspect.isawaitable(found):
            found = await found
    return {str(key): str(value) for key, value in dict(found or {}).items()}
