"""Let the flow of an integration that is not ours answer, confined.

``python -m integrations.runtime.form --code JSON --data DIR --flow MODULE:NAME
--op OP`` reads one question as JSON and answers it, as `core.api.asking` has it.
"""

import importlib
import json
import os
import sys
from pathlib import Path

from core.api import asking
from core.processes.child import option
from integrations.runtime import confine


def main() -> int:
    """Answer on the output; exit status 0 when there is an answer."""
    given = json.load(sys.stdin)
    code = confine.parse(option("--code"))
    module, _, make = option("--flow").partition(":")
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the form prints is no answer
    confine.confine(code, Path(option("--data")))
    confine.admit(code)
    flow = importlib.import_module(module)
    json.dump(asking.answer(flow, make, option("--op") or "check", given), answer)
    answer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
