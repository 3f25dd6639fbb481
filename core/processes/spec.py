"""What a child of the keeper is: told by core, kept by the keeper."""

from typing import Any, NamedTuple

from core.processes.control import Packet

CORE = "core"
#: The lanes of a process that also sends or takes readings.
BOTH = ("safety", "telemetry")


class Spec(NamedTuple):
    """Say how a child is started.

    ``args`` follow the interpreter; ``speaks``: it reads the control socket;
    ``lanes`` names its lanes to core; a new ``stamp`` alone restarts it.
    """

    name: str
    args: tuple[str, ...]
    speaks: bool = True
    lanes: tuple[str, ...] = ("safety",)
    stamp: str = ""
    early: bool = True
    """False: it starts once core is armed, so that it does not slow core."""
    once: bool = False
    """True: a task that ends; it is not started again."""
    yields: bool = False
    """True: it lets whatever protects go first on the processor."""

    @property
    def foreign(self) -> bool:
        """Say whether it runs a driver that is not ours."""
        return "--code" in self.args

    def plain(self) -> Packet:
        """Return it as JSON fields."""
        return {
            "name": self.name,
            "args": list(self.args),
            "speaks": self.speaks,
            "lanes": list(self.lanes),
            "stamp": self.stamp,
            "yields": self.yields,
        }

    @classmethod
    def parse(cls, fields: dict[str, Any]) -> "Spec":
        """Return the spec of JSON fields; raises KeyError, TypeError, ValueError."""
        lanes = tuple(str(lane) for lane in fields["lanes"])
        if not set(lanes) <= {"safety", "telemetry"}:
            raise ValueError(f"lanes {lanes}")
        return cls(
            name=str(fields["name"]),
            args=tuple(str(arg) for arg in fields["args"]),
            speaks=bool(fields["speaks"]),
            lanes=lanes,
            stamp=str(fields["stamp"]),
            yields=bool(fields.get("yields", False)),
        )
