"""What an action may look at while it does one step of a run."""

from typing import TYPE_CHECKING, NamedTuple

from automations.compiled import Compiled
from automations.scope import Scope
from core.config import Step
from core.logic.state import RunRecord

if TYPE_CHECKING:
    from automations.runs import Runs


class Doing(NamedTuple):
    """Hold one step of a run and all that its action needs."""

    runs: "Runs"
    rule: Compiled
    run: RunRecord
    step: Step
    path: str
    scope: Scope
