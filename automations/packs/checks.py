"""Check what types cannot: references, phases, alarm codes, texts, parameters."""

from collections.abc import Iterator

from automations.packs.source import Path_, Source
from core import texts
from core.api.errors import ConfigError
from core.logic import tree
from core.people.acts import ROLES
from core.permits import pack as p
from core.permits.pack_rules import applies, own_rules, parameters, permits

_GAS_WORDS = ("combustible", "oxygen", "toxic")

Found = Iterator[tuple[Path_, str]]


def problems(pack: p.Pack, source: Source) -> list[ConfigError]:
    """Return every mistake of a typed pack, with its place."""
    found = [*_roles(pack), *_settings(pack), *_forms(pack), *_limits(pack)]
    for kind in pack.kinds:
        found += [*_kind(pack, kind), *_compiled(pack, kind)]
    for rule in pack.rules:
        found += _rule(pack, rule)
    families = {kind.family for kind in pack.kinds}
    for each in pack.distances:
        if each.work not in families:
            found.append((("distances", each.id, "work"), f"no family {each.work!r}"))
    return [source.error(path, message) for path, message in found]


def _roles(pack: p.Pack) -> Found:
    for role in pack.roles:
        for name in role.acts_as:
            if name not in ROLES:
                yield (
                    ("roles", role.id, "acts_as"),
                    f"{name!r} is no role of the hub; known: {', '.join(ROLES)}",
                )


def _settings(pack: p.Pack) -> Found:
    for each in pack.settings:
        low, high = each.low, each.high
        if (low is not None and each.value < low) or (
            high is not None and each.value > high
        ):
            yield ("settings", each.id, "value"), f"lies outside {low} to {high}"


def _forms(pack: p.Pack) -> Found:
    roles = {role.id for role in pack.roles}
    for form in pack.forms:
        for sign in form.signatures:
            if sign.role not in roles:
                yield (
                    ("forms", form.id, "signatures", sign.id, "role"),
                    f"no role {sign.role!r} in this pack",
                )
        if form.measures and not any(each.free_text for each in form.measures):
            yield (
                ("forms", form.id, "measures"),
                "one measure is free text: write free_text: true",
            )
        for field in form.fields:
            if (field.type == "choice") != bool(field.choices):
                yield (
                    ("forms", form.id, "fields", field.id),
                    "choices belong to a field of type choice, and it needs them",
                )


def _limits(pack: p.Pack) -> Found:
    for each in pack.limits:
        given = {
            "combustible": each.accept_vol,
            "oxygen": each.low_vol and each.high_vol,
            "toxic": each.mac or each.twa or each.stel,
        }[each.gas_class]
        if given is None:
            yield ("limits", each.id), f"a {each.gas_class} gas needs its limit"


def _kind(pack: p.Pack, kind: p.Kind) -> Found:
    at = ("kinds", kind.id)
    if pack.form(kind.form) is None:
        yield (*at, "form"), f"no form {kind.form!r} in this pack"
    roles = {role.id for role in pack.roles}
    for number, each in enumerate(kind.approvers):
        if each.role not in roles:
            yield (*at, "approvers", number), f"no role {each.role!r} in this pack"
    if not kind.approvers:
        yield (*at, "approvers"), "at least one person approves"
    hours = pack.hours(kind)
    if (kind.validity.hours is None) == (not kind.validity.setting):
        yield (*at, "validity"), "give either hours or a setting"
    elif hours is None or hours <= 0:
        yield (*at, "validity"), "names no setting with hours above 0"
    for order in kind.safe_state:
        if order not in texts.catalogue():
            yield (*at, "safe_state"), f"there is no text for {order!r}"
    if not kind.safe_state:
        yield (*at, "safe_state"), "say what a hold orders"
    yield from _raising(pack, kind)
    yield from _gas(pack, kind)
    yield from _reminders(kind)


def _raising(pack: p.Pack, kind: p.Kind) -> Found:
    for number, each in enumerate(kind.upgrades):
        at = ("kinds", kind.id, "upgrades", number)
        higher = pack.kind(each.raise_to)
        if higher is None or higher.family != kind.family or higher.rank >= kind.rank:
            yield (
                (*at, "raise_to"),
                f"{each.raise_to!r} is no higher grade of this work",
            )
        if each.alarm and each.alarm not in p.ALARM_CODES:
            yield (*at, "alarm"), f"{each.alarm!r} is no code of AQ 3064.2 A.4"


def _reminders(kind: p.Kind) -> Found:
    known = (*ROLES, *p.OWN_PEOPLE)
    for each in kind.reminders:
        at = ("kinds", kind.id, "reminders", each.id)
        for name in each.to:
            if name not in known:
                yield (*at, "to"), f"{name!r} is nobody; known: {', '.join(known)}"
        given, other = each.after_min, each.before_min
        side = "after_min"
        if each.of in p.COMING:
            given, other, side = other, given, "before_min"
        if given is None or given < 0 or other is not None or not each.to:
            yield at, f"a reminder of {each.of} needs {side}, and whom to tell (to)"
        if each.every_min is not None and each.every_min < 1:
            yield (*at, "every_min"), "at most once a minute"


def _gas(pack: p.Pack, kind: p.Kind) -> Found:
    gases = kind.gas.gases if kind.gas else ()
    known = {*_GAS_WORDS, *(limit.id for limit in pack.limits)}
    for gas in gases:
        if gas not in known:
            yield ("kinds", kind.id, "gas", "gases"), f"{gas!r} has no limit here"


def _rule(pack: p.Pack, rule: p.Rule) -> Found:
    at = ("rules", rule.id)
    known = {"*", *(k.id for k in pack.kinds), *(k.family for k in pack.kinds)}
    for name in rule.applies:
        if name not in known:
            yield (*at, "applies"), f"{name!r} is no kind or family of this pack"
    if not rule.phases or not rule.applies:
        yield at, "a rule needs phases and kinds that it applies to"
    if (p.Phase.RUN in rule.phases) == (rule.on_breach is p.Action.DENY):
        yield (
            (*at, "on_breach"),
            "a rule of phase run holds or evacuates; one of gates alone denies",
        )
    if rule.on_unknown is p.Action.DENY:
        yield (*at, "on_unknown"), "while work runs UNKNOWN holds or evacuates"
    if rule.alarm and rule.alarm not in p.ALARM_CODES:
        yield (*at, "alarm"), f"{rule.alarm!r} is no code of AQ 3064.2 A.4"


def _compiled(pack: p.Pack, kind: p.Kind) -> Found:
    params = parameters(pack, kind)
    own = own_rules(kind)
    asked: set[p.Phase] = set()
    for rule in (*pack.rules, *own):
        if not applies(rule, kind):
            continue
        try:
            if permits(rule, params) != tree.Literal(True):
                asked.update(rule.phases)
        except ConfigError as bad:
            section = ("kinds", kind.id) if rule in own else ("rules", rule.id)
            yield section, f"{bad}; kind {kind.id}"
    # No rule means no breach, and no breach is a permission.
    for phase in p.Phase:
        if phase not in asked:
            yield ("kinds", kind.id), f"no rule guards the phase {phase}; give it one"
