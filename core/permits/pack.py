"""Permit packs: a law or a company's rules as data, checked and compiled outside.

Everything here is typed and inert; ``core/permits/pack_rules.py`` runs the rules.
A pack names the clause behind each thing it demands.
"""

import enum
from typing import Final, Literal

import msgspec

from core.logic.tree import Node
from core.names import Names

#: The alarm codes of AQ 3064.2-2025 table A.4.
ALARM_CODES: Final = (
    *("01", "02", "03", "04", "05", "10", "20", "30", "31"),
    *("40", "41", "42", "43", "50", "51", "52"),
    *("60", "61", "62", "70", "80", "90"),
)

#: H: read in the text. M: well known or from a second source. L: set it per site.
Certainty = Literal["H", "M", "L"]
FieldType = Literal[
    "text",
    "number",
    "choice",
    "photo",
    "video",
    "signature",
    "location",
    "checklist",
    "person",
    "device_reading",
    "time",
]


class Phase(enum.StrEnum):
    """Name the moment at which a rule is asked."""

    SIGN = "sign"
    START = "start"
    RESUME = "resume"
    RUN = "run"
    CLOSE = "close"


class Action(enum.StrEnum):
    """Say what a breach does."""

    DENY = "deny"
    HOLD = "hold"
    EVACUATE = "evacuate"


#: Actions by how much they protect.
SEVERITY: Final = {Action.DENY: 0, Action.HOLD: 1, Action.EVACUATE: 2}


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of a pack's parts: a field that a part does not know is refused."""


class Condition(Part, frozen=True, kw_only=True):
    """Hold an expression as written and as checked."""

    text: str
    node: Node


class Setting(Part, frozen=True, kw_only=True):
    """A number that the site decides, with what is proposed and which way is safer."""

    id: str
    names: Names
    value: float
    unit: str = ""
    tighter: Literal["lower", "higher", ""] = ""
    """Which way the site may go with one person; '' is neither."""
    low: float | None = None
    high: float | None = None
    certainty: Certainty = "L"
    clause: str = ""


class Role(Part, frozen=True, kw_only=True):
    """A role that the law names, and the hub's roles that may act as it."""

    id: str
    names: Names
    acts_as: tuple[str, ...]


class ValidityCase(Part, frozen=True, kw_only=True):
    """Another longest validity where ``when`` is TRUE."""

    when: Condition
    hours: float
    clause: str = ""


class Validity(Part, frozen=True, kw_only=True):
    """The longest validity: hours, or the id of the site's setting in hours."""

    hours: float | None = None
    setting: str = ""
    cases: tuple[ValidityCase, ...] = ()
    cap_by_linked: tuple[str, ...] = ()
    """Families of linked permits whose end is also this permit's."""
    clause: str = ""


class Approver(Part, frozen=True, kw_only=True):
    """One signature of approval, in the order of the chain."""

    role: str
    on_site: bool = True
    delegable: bool = True


class Guardian(Part, frozen=True, kw_only=True):
    """What the person who watches must do."""

    required: bool = True
    outside: bool = False
    duties: tuple[Names, ...] = ()
    clause: str = ""


class GasNeed(Part, frozen=True, kw_only=True):
    """The gas test of a kind (GB 30871 5.3, 6.3, 6.5; AQ 3064.2 5.4.3)."""

    when: Condition | None = None
    """None: always."""
    gases: tuple[str, ...]
    """combustible, oxygen and toxic stand for those that the analysis names."""
    places: tuple[Literal["upper", "middle", "lower", "outside", "inside"], ...] = ()
    within_m: float | None = None
    age_sign_min: float
    age_start_min: float
    retest_gap_min: float
    continuous: bool = False
    record_every_min: float | None = None
    daily: bool = False
    clause: str = ""


class Upgrade(Part, frozen=True, kw_only=True):
    """When a work must be permitted one grade higher."""

    when: Condition
    raise_to: str
    """Kind id of the higher grade."""
    alarm: str = ""
    clause: str = ""
    certainty: Certainty = "H"


class Field(Part, frozen=True, kw_only=True):
    """One field of a form."""

    id: str
    type: FieldType
    names: Names
    unit: str = ""
    choices: tuple[str, ...] = ()
    required: bool = True
    repeats: int = 1
    low: float | None = None
    high: float | None = None
    clause: str = ""


class Signature(Part, frozen=True, kw_only=True):
    """One signature of a form, in the order of the chain."""

    id: str
    names: Names
    role: str
    phase: Phase


class Measure(Part, frozen=True, kw_only=True):
    """One measure that is confirmed or marked as not involved."""

    id: str
    names: Names
    clause: str = ""
    free_text: bool = False


class Form(Part, frozen=True, kw_only=True):
    """A form: fields, measures and who signs in which order."""

    id: str
    names: Names
    clause: str = ""
    fields: tuple[Field, ...] = ()
    measures: tuple[Measure, ...] = ()
    signatures: tuple[Signature, ...] = ()


class Reminder(Part, frozen=True, kw_only=True):
    """Tell people of a time that comes near, or of one that has passed.

    Its text is ``notice.permit_reminder.<of>``.
    """

    id: str
    of: Literal[
        "expiry", "confirmation", "gas_record", "approval", "start", "acceptance"
    ]
    before_min: float | None = None
    """Minutes before the end of the validity, the confirmation, the gas record."""
    after_min: float | None = None
    """Minutes that a permit has waited for a signature, the start, acceptance."""
    to: tuple[str, ...]
    """Roles of the hub; or the permit's own lead, guardian, workers; or next: who
    may give the next signature."""
    channels: tuple[str, ...] = ("screen",)
    every_min: float | None = None
    """Told again so often while it lasts; None: once."""
    clause: str = ""


#: Whom a reminder may name besides the roles of the hub.
OWN_PEOPLE: Final = ("lead", "guardian", "workers", "next")
#: What comes near; all else is waited for.
COMING: Final = ("expiry", "confirmation", "gas_record")


class Kind(Part, frozen=True, kw_only=True):
    """One kind of permit at one grade."""

    id: str
    names: Names
    family: str
    code: str = ""
    """AQ 3064.2 table A.2; empty where the exchange format has none."""
    grade: str = ""
    rank: int = 1
    """1 is the highest grade of the family."""
    test: Condition | None = None
    """What may be done under this grade; None: everything of the family."""
    test_names: Names | None = None
    validity: Validity
    approvers: tuple[Approver, ...]
    guardian: Guardian = Guardian()
    trades: tuple[str, ...] = ()
    """Trade cards that this work needs: of each, at least one worker holds one;
    ``a|b`` is met by either."""
    gas: GasNeed | None = None
    upgrades: tuple[Upgrade, ...] = ()
    safe_state: tuple[str, ...]
    """Codes order.<word>, the first one sent first."""
    form: str
    reminders: tuple[Reminder, ...] = ()
    video: Literal["none", "optional", "full"] = "optional"
    reaction_s: float = 30.0
    retention_days: int = 365
    video_days: int = 30
    clause: str
    certainty: Certainty = "H"


class Rule(Part, frozen=True, kw_only=True):
    """One condition of the law, when it is asked and what its breach does.

    Permitted only where ``when`` is FALSE or ``require`` is TRUE.
    """

    id: str
    names: Names
    clause: str
    applies: tuple[str, ...]
    """Kind ids, families, or ``*``."""
    phases: tuple[Phase, ...]
    when: Condition | None = None
    require: Condition
    on_breach: Action
    on_unknown: Action = Action.HOLD
    """What UNKNOWN does while work runs; elsewhere it always denies."""
    alarm: str = ""
    certainty: Certainty = "H"


class GasLimit(Part, frozen=True, kw_only=True):
    """What a gas test accepts; toxics in mg/m³, the rest in % by volume."""

    id: str
    names: Names
    gas_class: Literal["combustible", "oxygen", "toxic"]
    lel_vol: float | None = None
    accept_vol: float | None = None
    low_vol: float | None = None
    high_vol: float | None = None
    rich_high_vol: float | None = None
    mac: float | None = None
    twa: float | None = None
    stel: float | None = None
    idlh: float | None = None
    molar_mass: float | None = None
    clause: str
    certainty: Certainty = "H"


class Distance(Part, frozen=True, kw_only=True):
    """A work and what must not be near it, with the shape that decides."""

    id: str
    names: Names
    work: str
    """Family of the permit."""
    other: str
    """Family of another permit, or a hazard of the plan."""
    shape: Literal[
        "disc", "column", "fall_line", "same_area", "same_line", "corridor", "swept"
    ]
    metres: float | None = None
    """Least distance; None: nothing at all inside the shape."""
    vertical: bool = False
    """True: also above and below, whatever the level."""
    unless: str = ""
    """A protection that lifts it: protective_layer, double_layer, isolated."""
    from_height_m: float | None = None
    on_breach: Action = Action.HOLD
    clause: str
    certainty: Certainty = "H"


class Pack(Part, frozen=True, kw_only=True):
    """A whole pack, with the overlays that are laid on it."""

    id: str
    version: str
    names: Names
    source: str
    retention_days: int = 365
    settings: tuple[Setting, ...] = ()
    roles: tuple[Role, ...] = ()
    kinds: tuple[Kind, ...] = ()
    rules: tuple[Rule, ...] = ()
    forms: tuple[Form, ...] = ()
    limits: tuple[GasLimit, ...] = ()
    distances: tuple[Distance, ...] = ()
    overlays: tuple[str, ...] = ()

    def kind(self, kind_id: str) -> Kind | None:
        """Return the kind of an id."""
        return next((each for each in self.kinds if each.id == kind_id), None)

    def form(self, form_id: str) -> Form | None:
        """Return the form of an id."""
        return next((each for each in self.forms if each.id == form_id), None)

    def setting(self, setting_id: str) -> Setting | None:
        """Return the setting of an id."""
        return next((each for each in self.settings if each.id == setting_id), None)

    def limit(self, gas: str) -> GasLimit | None:
        """Return the acceptance of a gas."""
        return next((each for each in self.limits if each.id == gas), None)

    def hours(self, kind: Kind) -> float | None:
        """Return a kind's longest validity in hours; None where nothing says."""
        setting = self.setting(kind.validity.setting)
        return kind.validity.hours if setting is None else setting.value
