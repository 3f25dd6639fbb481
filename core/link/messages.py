"""Every message of the link, as typed structs; one union per direction."""

import msgspec

from core.api.command import Command
from core.api.model import Device, Entity
from core.api.reading import Value
from core.geometry.shapes import Found, Hazard, Rule, Work
from core.journal.envelope import Proof
from core.link.findings import Findings, Proposals, ScanState

# --- telemetry lane ----------------------------------------------------------


class Row(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One reading: handle, value, quality, measured_ns (0: none), seq, reason."""

    handle: int
    value: Value
    quality: int = 0
    measured_ns: int = 0
    seq: int = 0
    reason: str = ""


class Extremes(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Coalesced readings of one handle: last, min, max, worst quality, count."""

    handle: int
    last: Value
    low: float
    high: float
    quality: int
    worst: int
    count: int
    measured_ns: int = 0
    seq: int = 0
    reason: str = ""


class Readings(msgspec.Struct, frozen=True, tag="r", omit_defaults=True):
    """One frame of readings; ``coalesced`` ones come after a lack of credit."""

    sent_ns: int
    rows: list[Row]
    coalesced: list[Extremes] = []


# --- host → core, safety lane ------------------------------------------------


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """Open a session: who speaks, which version, and what it still owes."""

    name: str
    role: str
    version: str
    epoch: int = 0
    seq: int = 0
    """Last event that a replica holds; 0 asks for a snapshot."""


class Declare(msgspec.Struct, frozen=True, tag="declare"):
    """Announce a device; ``handles`` maps its entities' uids to the host's handles."""

    device: Device
    handles: dict[str, int]


class Withdraw(msgspec.Struct, frozen=True, tag="withdraw"):
    """Say that a device's announcement was removed."""

    device_uid: str


class DeviceEvent(msgspec.Struct, frozen=True, tag="device_event"):
    """Carry a discrete event; answered by EventDurable when it is on disk."""

    device_uid: str
    kind: str
    params: dict[str, Value]
    event_id: str


class Result(msgspec.Struct, frozen=True, tag="result"):
    """Report a command's progress."""

    command_id: str
    state: str
    detail: str = ""


class LinkState(msgspec.Struct, frozen=True, tag="link_state"):
    """Report that the driver lost or regained a device; uid '' is the driver's peer."""

    device_uid: str
    up: bool
    detail: str = ""


class Counted(msgspec.Struct, frozen=True, tag="counted", omit_defaults=True):
    """Report counters of bad input and losses since the last report."""

    counts: dict[str, int]
    details: dict[str, str] = {}
    devices: dict[str, dict[str, tuple[int, str]]] = {}
    """By device and name: how many, and the last offending frame."""


class Diagnosis(msgspec.Struct, frozen=True, tag="diagnosis", omit_defaults=True):
    """Answer a Diagnose: facts as JSON, secrets taken out; or why there are none."""

    id: str
    facts: bytes = b""
    error: str = ""


class Alive(msgspec.Struct, frozen=True, tag="alive"):
    """Answer a Ping: the peer's loop turns."""

    number: int


# --- core → host, safety lane ------------------------------------------------


class Welcome(msgspec.Struct, frozen=True, tag="welcome"):
    """Accept a session; hand over options and secrets."""

    epoch: int
    options: dict[str, object] = {}
    secrets: dict[str, str] = {}
    credit: int = 64


class Execute(msgspec.Struct, frozen=True, tag="execute"):
    """Carry out a command before its deadline."""

    command: Command


class EventDurable(msgspec.Struct, frozen=True, tag="event_durable"):
    """Say that a device event is on disk: acknowledge it to its source."""

    event_id: str


class Credit(msgspec.Struct, frozen=True, tag="credit"):
    """Allow more telemetry frames."""

    frames: int


class Diagnose(msgspec.Struct, frozen=True, tag="diagnose"):
    """Ask a host for its diagnostics; core hands the question on, and the answer."""

    id: str
    host: str = ""


class Ping(msgspec.Struct, frozen=True, tag="ping"):
    """Ask whether the peer's loop turns; unanswered, its zone is unmonitored."""

    number: int


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """End in order."""

    reason: str = ""


# --- replicas (gateway, notifier, archive, uplink) ---------------------------


class Snapshot(msgspec.Struct, frozen=True, tag="snapshot", omit_defaults=True):
    """Hand over the whole state at (epoch, seq), and the armed bundle.

    A large one comes in several frames; `Client` hands it on whole.
    """

    epoch: int
    seq: int
    state: bytes
    bundle: bytes
    more: bool = False
    """True: the bytes go on in the next Snapshot."""


class Events(msgspec.Struct, frozen=True, tag="events"):
    """Stream envelopes in order, as stored bytes; ``durable`` is the synced seq."""

    envelopes: list[bytes]
    durable: int


class Armed(msgspec.Struct, frozen=True, tag="armed", omit_defaults=True):
    """Hand over a newly armed bundle; in several frames when it is large."""

    hash: str
    bundle: bytes
    more: bool = False


class LiveRow(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Current reading of one entity for display: age is judged by the core."""

    entity_id: str
    value: Value
    quality: int
    received_wall_ns: int
    reason: str = ""


class Live(msgspec.Struct, frozen=True, tag="live"):
    """Changed readings since the last frame; at most 4 a second."""

    rows: list[LiveRow]
    full: bool = False


class HostStates(msgspec.Struct, frozen=True, tag="host_states"):
    """Say which processes run and which zones are unmonitored, for display."""

    states: dict[str, str]
    unmonitored: list[str]
    counters: dict[str, int] = {}
    troubles: dict[str, str] = {}
    """Host → code of what its driver as a whole cannot get over."""


class ActRequest(msgspec.Struct, frozen=True, tag="act"):
    """Ask for an act in a person's name; ``body`` is the act's msgpack.

    With a ``proof`` the core reads body, version and time from what was signed.
    """

    id: str
    person_id: str
    verb: str
    body: bytes
    expected_version: int | None = None
    act_ns: int | None = None
    proof: Proof | None = None
    second: Proof | None = None


class ActReply(msgspec.Struct, frozen=True, tag="act_reply"):
    """Answer an act: done (durable when it is permissive), or refused and why."""

    id: str
    ok: bool
    code: str = ""
    params: dict[str, Value] = {}
    result: dict[str, Value] = {}
    seq: int = 0


class NoticeResult(msgspec.Struct, frozen=True, tag="notice_result"):
    """Report what became of a notice on one channel."""

    notice_id: str
    channel: str
    state: str
    detail: str = ""


class BadInput(msgspec.Struct, frozen=True, tag="bad_input"):
    """Hand on what hosts counted of bad input: by device id and name."""

    devices: dict[str, dict[str, tuple[int, str]]]


class HistoryRow(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One kept reading: point number, wall milliseconds, value, quality."""

    point: int
    wall_ms: int
    value: Value
    quality: int


class History(msgspec.Struct, frozen=True, tag="history"):
    """A batch for the archive; ``names`` tells new point numbers' entity ids.

    ``lost`` counts rows shed since the last batch (R21).
    """

    rows: list[HistoryRow]
    names: dict[int, str] = {}
    lost: int = 0


class Query(msgspec.Struct, frozen=True, tag="query", omit_defaults=True):
    """Ask the archive for readings of entities, thinned to ``points``.

    ``declared``: judge also the quality of these entities' past (`core.quality`).
    """

    id: str
    entities: list[str]
    from_ms: int
    to_ms: int
    points: int = 500
    declared: dict[str, Entity] = {}


class QueryReply(msgspec.Struct, frozen=True, tag="query_reply", omit_defaults=True):
    """Answer: per entity rows of wall_ms, min, max, last, worst quality."""

    id: str
    series: dict[str, list[tuple[int, float | None, float | None, Value, int]]]
    error: str = ""
    sifted: bytes = b""
    """What `core.quality.sift` found of the declared ones."""


# --- geometry worker ---------------------------------------------------------


class Plan(msgspec.Struct, frozen=True, tag="plan"):
    """Begin anew: the levels' heights and the lists of distance rules by name."""

    stamp: int
    levels: dict[str, float]
    rules: dict[str, list[Rule]]


class Works(msgspec.Struct, frozen=True, tag="works"):
    """Tell hazards of the plan, works that are new or changed, and ended ones."""

    stamp: int
    hazards: list[Hazard] = []
    changed: list[Work] = []
    gone: list[str] = []


class Checked(msgspec.Struct, frozen=True, tag="checked", omit_defaults=True):
    """Tell whose pairs changed; all that came up to ``stamp`` is in it.

    Empty, once a second: the worker lives. A long answer comes in several frames.
    """

    stamp: int
    found: list[Found] = []
    more: bool = False


Message = (
    Readings
    | Hello
    | Declare
    | Withdraw
    | DeviceEvent
    | Result
    | LinkState
    | Counted
    | Diagnosis
    | Diagnose
    | Alive
    | Welcome
    | Execute
    | EventDurable
    | Credit
    | Ping
    | Stop
    | Snapshot
    | Events
    | Armed
    | Live
    | HostStates
    | ActRequest
    | ActReply
    | NoticeResult
    | BadInput
    | History
    | Query
    | QueryReply
    | Plan
    | Works
    | Checked
    | Findings
    | ScanState
    | Proposals
)
