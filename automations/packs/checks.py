"""Check what types cannot: references, phases, alarm codes, texts, parameters."""

from collections.abc import Iterator

from automations.packs.source import Path_, Source
from core import texts
from core.api.errors import ConfigError
from core.api.said import Said, sentence
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
            found.append(
                (
                    ("distances", each.id, "work"),
                    Said("no family {family!r}", family=each.work),
                )
            )
    return [source.error(path, message) for path, message in found]


def _roles(pack: p.Pack) -> Found:
    for role in pack.roles:
        for name in role.acts_as:
            if name not in ROLES:
                yield (
                    ("roles", role.id, "acts_as"),
                    Said(
                        "{name!r} is no role of the hub; known: {roles}",
                        name=name,
                        roles=list(ROLES),
                    ),
                )


def _settings(pack: p.Pack) -> Found:
    for each in pack.settings:
        low, high = each.low, each.high
        if (low is not None and each.value < low) or (
            high is not None and each.value > high
        ):
            yield (
                ("settings", each.id, "value"),
                Said("lies outside {low} to {high}", low=low, high=high),
            )


def _forms(pack: p.Pack) -> Found:
    roles = {role.id for role in pack.roles}
    for form in pack.forms:
        for sign in form.signatures:
            if sign.role not in roles:
                yield (
                    ("forms", form.id, "signatures", sign.id, "role"),
                    Said("no role {role!r} in this pack", role=sign.role),
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
            yield (
                ("limits", each.id),
                Said(
                    "a {gas_class} gas needs its limit",
                    gas_class=sentence(each.gas_class),
                ),
            )


def _kind(pack: p.Pack, kind: p.Kind) -> Found:
    at = ("kinds", kind.id)
    if pack.form(kind.form) is None:
        yield (*at, "form"), Said("no form {form!r} in this pack", form=kind.form)
    roles = {role.id for role in pack.roles}
    for number, each in enumerate(kind.approvers):
        if each.role not in roles:
            yield (
                (*at, "approvers", number),
                Said("no role {role!r} in this pack", role=each.role),
            )
    if not kind.approvers:
        yield (*at, "approvers"), "at least one person approves"
    hours = pack.hours(kind)
    if (kind.validity.hours is None) == (not kind.validity.setting):
        yield (*at, "validity"), "give either hours or a setting"
    elif hours is None or hours <= 0:
        yield (*at, "validity"), "names no setting with hours above 0"
    for order in kind.safe_state:
        if order not in texts.catalogue():
            yield (
                (*at, "safe_state"),
                Said("there is no text for {order!r}", order=order),
            )
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
                Said(
                    "{raise_to!r} is no higher grade of this work",
                    raise_to=each.raise_to,
                ),
            )
        if each.alarm and each.alarm not in p.ALARM_CODES:
            yield (
                (*at, "alarm"),
                Said("{alarm!r} is no code of AQ 3064.2 A.4", alarm=each.alarm),
            )


def _reminders(kind: p.Kind) -> Found:
    known = (*ROLES, *p.OWN_PEOPLE)
    for each in kind.reminders:
        at = ("kinds", kind.id, "reminders", each.id)
        for name in each.to:
            if name not in known:
                yield (
                    (*at, "to"),
                    Said(
                        "{name!r} is nobody; known: {known}",
                        name=name,
                        known=list(known),
                    ),
                )
        given, other = each.after_min, each.before_min
        side = "after_min"
        if each.of in p.COMING:
            given, other, side = other, given, "before_min"
        if given is None or given < 0 or other is not None or not each.to:
            yield (
                at,
                Said(
                    "a reminder of {of_} needs {side}, and whom to tell (to)",
                    of_=each.of,
                    side=side,
                ),
            )
        if each.every_min is not None and each.every_min < 1:
            yield (*at, "every_min"), "at most once a minute"


def _gas(pack: p.Pack, kind: p.Kind) -> Found:
    gases = kind.gas.gases if kind.gas else ()
    known = {*_GAS_WORDS, *(limit.id for limit in pack.limits)}
    for gas in gases:
        if gas not in known:
            yield (
                ("kinds", kind.id, "gas", "gases"),
                Said("{gas!r} has no limit here", gas=gas),
            )


def _rule(pack: p.Pack, rule: p.Rule) -> Found:
    at = ("rules", rule.id)
    known = {"*", *(k.id for k in pack.kinds), *(k.family for k in pack.kinds)}
    for name in rule.applies:
        if name not in known:
            yield (
                (*at, "applies"),
                Said("{name!r} is no kind or family of this pack", name=name),
            )
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
        yield (
            (*at, "alarm"),
            Said("{alarm!r} is no code of AQ 3064.2 A.4", alarm=rule.alarm),
        )


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
            yield section, Said("{bad}; kind {id}", bad=bad, id=kind.id)
    # No rule means no breach, and no breach is a permission.
    for phase in p.Phase:
        if phase not in asked:
            yield (
                ("kinds", kind.id),
                Said("no rule guards the phase {phase}; give it one", phase=phase),
            )
