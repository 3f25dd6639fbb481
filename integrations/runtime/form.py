"""Check options by the form of an integration that is not ours, confined.

``python -m integrations.runtime.form --code JSON --data DIR --flow MODULE:NAME``
reads options as JSON and answers with the checked ones, or with each error's path.
"""

import importlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import voluptuous as vol

from core.processes.child import option
from integrations.runtime import confine


def main() -> int:
    """Answer on the output; exit status 0 when there is an answer."""
    given = json.load(sys.stdin)
    code = confine.parse(option("--code"))
    module, _, name = option("--flow").partition(":")
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the form prints is no answer
    confine.confine(code, Path(option("--data")))
    confine.admit(code)
    form: Callable[[], Any] = getattr(importlib.import_module(module), name)
    json.dump(_check(form, given), answer)
    answer.flush()
    return 0


def _check(form: Callable[[], Any], given: Any) -> dict[str, Any]:
    try:
        return {"options": form()(given)}
    except vol.MultipleInvalid as wrong:
        return {"errors": [_error(each) for each in wrong.errors]}
    except vol.Invalid as wrong:
        return {"errors": [_error(wrong)]}


def _error(wrong: vol.Invalid) -> dict[str, Any]:
    path = [each if isinstance(each, int) else str(each) for each in wrong.path]
    return {"path": path, "message": wrong.error_message}


if __name__ == "__main__":
    sys.exit(main())
