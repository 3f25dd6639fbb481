"""What the page shows of integrations, and of setting one up step by step."""

from typing import Annotated, Any, Literal

import msgspec

from core.people.acts import Id, Line, Word
from core.registry.facts import Possession
from frontend_api.rules_views import DraftView
from frontend_api.views import Text, View

SetupState = Literal["form", "ready", "drafted", "armed"]
Facts = Annotated[dict[Word, Line], msgspec.Meta(max_length=32)]


class InstanceView(View):
    """Show one set-up integration and how its host stands."""

    id: str
    integration: str
    names: Text
    state: str
    """running, starting, failed, stopped … as the keeper tells it; '' is unknown."""
    trouble: str
    """Code of what its driver cannot get over; '' is none."""
    trouble_text: Text | None
    reauthenticate: bool
    """True: its credentials were refused, so a flow asks for new ones."""
    own: bool
    """True: made at the hub, so it may be changed and removed here."""
    devices: int
    waiting: int
    """Devices that it declared and nobody has enrolled."""


class IntegrationCard(View):
    """Show an integration that can be set up."""

    id: str
    names: Text
    version: str
    iot_class: str
    grade: str
    """bronze, silver, gold or platinum."""
    safety_scale: str
    ours: bool
    tests: bool
    """True: a flow tries the connection before anything is set up."""
    proof: list[str]
    """One is asked of who enrols a device: wired, code, button, pairing, key."""
    kinds: list[str]
    instances: list[str]


class IntegrationsView(View):
    """Show what can be set up and what is."""

    items: list[IntegrationCard]
    instances: list[InstanceView]
    drafts: list[DraftView]
    """Drafts that wait for who may put them in force: config.arm, or config.loosen."""
    may_setup: bool
    may_arm: bool
    problem: Text | None
    """What is wrong with a package at hand; it hides no other."""


class StepView(View):
    """Name one step of a flow."""

    id: str
    names: Text


class FieldErrorView(View):
    """Show what is wrong with one field; an empty path is the whole form."""

    path: list[str | int]
    text: Text
    code: str


class SetupView(View):
    """Show where a flow stands."""

    id: str
    kind: Literal["add", "change", "authenticate", "remove"]
    integration: str
    instance: str
    names: Text
    state: SetupState
    """form: fill in `step`. ready: all is checked. drafted: a draft waits to be
    armed. armed: done."""
    steps: list[StepView]
    step: str
    form: dict[str, Any]
    """JSON Schema of this step: title, properties, required, x-secret, x-help, …"""
    values: dict[str, Any]
    """What is known of this step; secrets are left out."""
    stored: list[list[str | int]]
    """Paths of secrets that are stored already: left empty, they stay."""
    errors: list[FieldErrorView]
    finding: dict[str, str]
    """Facts of the finding that it began with."""
    tested: Literal["none", "ok", "failed", "unproven"]
    """none: the integration cannot try. unproven: secrets wait for a proof."""
    facts: dict[str, str]
    """What the test found."""
    draft: str
    hash: str
    refused: Text | None
    """Why it could not be armed at once."""
    refused_code: str
    until_ms: int


class StartSetup(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Begin to set an integration up, or enter a set-up one again."""

    integration: Word = ""
    """Which; may be left out where `instance` names a set-up one."""
    instance: Word = ""
    """Id of the new one, or of the one to change."""
    kind: Literal["add", "change", "authenticate", "remove"] = "add"
    finding: Facts = {}
    """Facts of a finding, with its address, port and name among them."""


class FillStep(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Fill in one step; an earlier one may be filled in again."""

    step: Word
    values: dict[str, Any]


class TestSetup(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Try the connection; what was found, and not typed, first needs a proof."""

    proof: Possession | None = None


class FinishSetup(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Make the draft and, unless told not to, put it in force."""

    arm: bool = True
    untested: bool = False
    """True: although the test of the connection failed."""
    proof: Possession | None = None


class ReadMap(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Read the live registers of one Modbus unit whose map nobody knows."""

    place: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    """``host:port`` or a serial port's path."""
    unit: Annotated[int, msgspec.Meta(ge=0, le=255)]
    table: Literal["holding", "input"] = "holding"
    first: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
    count: Annotated[int, msgspec.Meta(ge=1, le=120)] = 32
    baudrate: Annotated[int, msgspec.Meta(ge=300, le=4_000_000)] = 9600
    parity: Literal["N", "E", "O"] = "N"


class MatchPoint(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Say what the display shows now: at zero, or with span gas."""

    at: Literal["zero", "span"]
    shown: Annotated[float, msgspec.Meta(ge=-1e9, le=1e9)]


class MakeProfile(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Make a profile of the site of one decoding."""

    decoding: Id
    profile: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{1,39}$")]
    names: Text
    quantity: Id
    unit: Annotated[str, msgspec.Meta(max_length=16)]
    full_scale: Annotated[float, msgspec.Meta(gt=0, le=1e9)]
    status: Annotated[int, msgspec.Meta(ge=0, le=65535)] | None = None
    """Address of a register that tells its state; None: it owes daily bump tests."""
    status_good: int = 0


class DecodingView(View):
    """Show one way in which registers may be read."""

    id: str
    address: int
    type: str
    order: str
    """Order of bytes: big, little, byte_swapped, word_swapped; '' for one word."""
    scale: float
    raw: str
    value: float
    zero: float | None
    """What it read at the zero point."""
    span: float | None
    matches: list[str]
    """Points that it agrees with: zero, span."""


class RegisterView(View):
    """Show one live register."""

    address: int
    raw: int


class UnknownMapView(View):
    """Show live registers and every decoding, best matches first."""

    id: str
    place: str
    unit: int
    table: str
    registers: list[RegisterView]
    decodings: list[DecodingView]
    zero: float | None
    span: float | None
    matched: bool
    """True: one decoding agrees with the display at both points."""
    until_ms: int


class ProfileMade(View):
    """Tell which profile was made, and what its devices are worth until then."""

    profile: str
    """Name to give in the options of the Modbus integration."""
    evidence: bool
    """False: its gas is UNCERTAIN until both points were matched."""
    bump_every_h: float | None
