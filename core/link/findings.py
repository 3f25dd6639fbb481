"""What discovery finds, as the gateway is told: live data, never journalled.

Discovery hands it to the gateway directly: the safety process holds none of it.
Of its own it tells which devices the hosts have declared and nobody has enrolled.
"""

import msgspec

from core.api.reading import Value

#: Findings in one list, and what each may hold: all fit into one frame.
MAX_FINDINGS = 250
MAX_FACTS = 16
MAX_TEXT = 120
#: The longest lasting name of a port (255) and its folder. A fact fills a form: one
#: that is longer is left out, never cut, since half a path is another path.
MAX_FACT = 300


class Sign(msgspec.Struct, frozen=True):
    """Say what was seen: a code of the texts and its facts."""

    code: str
    params: dict[str, str] = {}


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Hold one device that was heard of; only a proposal, nothing of it is proved.

    ``key`` and ``keys`` are lasting identities such as ``mac:aabbccddeeff``;
    ``why`` says what was seen and why it matched; ``also`` are other integrations
    that could drive it. Times are wall milliseconds.
    """

    kind: str
    key: str
    keys: tuple[str, ...] = ()
    name: str
    address: str = ""
    port: int = 0
    facts: dict[str, str] = {}
    integration: str
    also: tuple[str, ...] = ()
    why: tuple[Sign, ...] = ()
    seen_ms: int = 0
    ignored: bool = False


class Findings(msgspec.Struct, frozen=True, tag="findings"):
    """Tell the whole list; ``shed`` counts what did not fit since the start.

    ``listeners`` says of each whether it listens: on, off, absent or its error.
    """

    items: list[Finding]
    shed: int = 0
    listeners: dict[str, str] = {}


class ScanState(msgspec.Struct, frozen=True, tag="scan_state", omit_defaults=True):
    """Tell how a scan stands: running, done, stopped, refused or failed.

    ``step`` is what it does (listening, asking); ``done`` of ``total`` places;
    ``code`` and ``params`` say why it was refused or failed, ``notes`` what else
    a person must know.
    """

    id: str
    kind: str
    target: str
    state: str
    step: str = ""
    done: int = 0
    total: int = 0
    found: int = 0
    code: str = ""
    params: dict[str, Value] = {}
    notes: tuple[Sign, ...] = ()


class ProposedEntity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Hold one entity of a declared device, as its enrolment needs it."""

    uid: str
    name: str
    kind: str
    quantity: str = ""
    unit: str = ""
    output: str = ""
    """Kind of output; '' for what is none."""
    max_age_s: float = 0.0
    critical: bool = False


class Proposed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Hold one device that a host has declared and nobody has enrolled."""

    host: str
    uid: str
    name: str
    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    zone_id: str = ""
    kinds: tuple[str, ...] = ()
    """Kind and quantity of each entity, as in ``gas:h2s``."""
    seen_ms: int = 0
    entities: tuple[ProposedEntity, ...] = ()
    """The first of them; who enrols states what the site knows of each."""
    keyed: bool = False
    """True: its driver knows it by a key."""
    bump_every_h: float | None = None


class Proposals(msgspec.Struct, frozen=True, tag="proposals"):
    """Tell all devices that wait for enrolment, whenever the list changes."""

    items: list[Proposed]
    shed: int = 0
