"""What a failing seed prints: seed, step, the promise, and what led to it."""

from collections.abc import Sequence

import msgspec

from core.journal.envelope import Envelope
from core.journal.events import Event

#: Events shown of a failing run.
SHOWN = 30
_WIDTH = 220


class Violation(AssertionError):
    """A promise of the design that a run has broken."""

    def __init__(
        self,
        seed: int,
        step: int,
        rule: str,
        found: str,
        story: Sequence[str],
        log: Sequence[tuple[Event, Envelope, bytes]],
    ) -> None:
        self.seed, self.step, self.rule, self.found = seed, step, rule, found
        lines = [f"seed {seed}, step {step}: {rule}", f"  found: {found}"]
        lines += ["  what happened:", *(f"    {line}" for line in story)]
        lines += [f"  last {SHOWN} events:"]
        lines += [f"    {_line(body, each)}" for body, each, _ in log[-SHOWN:]]
        lines += [f"  again: script/simulate --from {seed} --seeds 1"]
        super().__init__("\n".join(lines))


def _line(body: Event, envelope: Envelope) -> str:
    fields = msgspec.structs.asdict(body)
    text = ", ".join(f"{k}={v!r}" for k, v in fields.items() if v not in ("", None, {}))
    head = f"{envelope.epoch}/{envelope.seq} {envelope.mono_ns / 1e9:.3f}"
    return f"{head} {envelope.type} by {envelope.cause.actor}: {text}"[:_WIDTH]
