"""What the six steps leave behind on a permit."""

import msgspec

from core.api.reading import Value
from core.deadlines import Deadline
from core.permits.life_events import Given, Hazard, Mark


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """Hold what a person said of one fact, and when."""

    value: Value
    by: str
    wall_ns: int
    mono_ns: int
    boot_id: str


class SlotSigned(msgspec.Struct, frozen=True, kw_only=True):
    """Hold one signature of the form."""

    slot: str
    role: str
    person_id: str
    wall_ns: int
    content: str
    for_id: str = ""
    place: str = "unknown"
    method: str = ""
    accuracy_m: float | None = None
    event_id: str = ""
    """The event that carries the device's signature."""
    late: bool = False
    """Entered after the act: a paper form, or a phone without the hub."""


class Life(msgspec.Struct, kw_only=True):
    """Hold a permit's way through its steps; empty for a kind of one step.

    Its moments are deadlines of no length: they survive a reboot as far as they can.
    """

    pack: str = ""
    """Digest of the rule pack that judges it; empty: a kind of one step."""
    content: str = ""
    """SHA-256 of all that a signature stands for (GB 30871 4.18)."""
    unit: str = ""
    company: str = ""
    job: str = ""
    coordinator: str = ""
    emergency: bool = False
    booked_by: str = ""
    replaces: str = ""
    replaced_by: str = ""
    from_wall_ns: int = 0
    to_wall_ns: int = 0
    area: bytes = b""
    guardians: list[str] = []
    trades: dict[str, str] = {}
    fields: dict[str, Given] = {}
    hazards: tuple[Hazard, ...] = ()
    measures: dict[str, Mark] = {}
    analysed_by: str = ""
    """Who answered the measures; with them the name goes on paper."""
    declared: dict[str, Statement] = {}
    signed: dict[str, SlotSigned] = {}
    delegated: dict[str, dict[str, str]] = {}
    """Slot → who may sign it → whose right that is."""
    briefer: str = ""
    told: list[str] = []
    """Who was told; who also signed for it is in ``briefed``."""
    briefed: list[str] = []
    added: list[str] = []
    approved: bool = False
    started: Deadline | None = None
    paused: Deadline | None = None
    """When work last stopped: by a hold, or before the start."""
    confirmed: Deadline | None = None
    offered_to: str = ""
    """Who was asked to take over as guardian."""
    watches: int = 0
    """How often the guardian changed, each with two scans."""
    shift_to: str = ""
    shift_guardian: str = ""
    shift_notes: str = ""
    """What the last shift left for the next one to know."""
    reminded: dict[str, Deadline] = {}
    """Reminder → when it was last told."""
    completed_by: str = ""
    accepted_by: str = ""
    late: bool = False
    blank: str = ""
    """Number of the paper form on which the work was permitted in an outage."""
    scan: str = ""
    """Attachment that shows the paper form."""
    reason: str = ""
