"""What a new bundle loosens: for this two persons are asked (design §5 Security).

Pure: two bundles in, a list out. What cannot be shown to be tighter is looser.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from core.config import Bundle, DeviceRule, Limit
from core.permits.pack_diff import compare
from core.permits.ways import (
    Change,
    Judge,
    Table,
    Way,
    chain,
    fields,
    less,
    loosened,
    more,
    on,
    subset,
    superset,
    words,
)
from core.processes import loosening_days
from core.registry.declared import Rules

#: Everywhere: what is loosened has no one zone.
ANYWHERE: Final = ""


class Loosening(msgspec.Struct, frozen=True, kw_only=True):
    """Say what is looser, and where that counts."""

    part: str
    """pack, kind, rule, quantity, device, zone, integration, chain, site or
    calendar; its text is ``loosening.<part>``."""
    about: str
    """Id of what is looser."""
    path: str
    old: str
    new: str
    zones: tuple[str, ...] = ()
    """Zones that it touches; ANYWHERE is all. Empty: it takes two persons always."""
    calendars: loosening_days.Calendars = (None, None)
    """Of a calendar: the old one and the new one."""
    free: tuple[str, ...] = ()
    """Of a calendar: kinds of permit that ask for no day."""

    @property
    def always(self) -> bool:
        """Say whether it takes two persons even while no work runs."""
        return not self.zones


def loosens(old: Bundle, new: Bundle) -> tuple[Loosening, ...]:
    """Return what ``new`` loosens against ``old``, the gravest first."""
    parts = (
        *(_packs, _kinds, _rules, _quantities, _devices, _zones, _hosts),
        *(_calendar, _rest),
    )
    return tuple(each for part in parts for each in part(old, new))


def joins(old: Bundle, new: Bundle) -> tuple[Loosening, ...]:
    """Return the life-safety rules that join others: tighter, and two persons' too.

    A site's first rules are one person's.
    """
    known = {rule.id for rule in old.rules}
    return tuple(
        _come("rule", rule.id)
        for rule in new.rules
        if known and rule.life_safety and rule.id not in known
    )


# --- packs, kinds, rules: two persons always --------------------------------------

_KIND: Final[Table] = {
    "gases": superset,
    "guardian": on,
    "valid_h": less,
    "reaction_s": less,
    "gas_age_s": less,
    "issuer_roles": subset,
    "clause": words,
}
_RETEST: Final = {"retest": {"gases": superset, "roles": subset}}
_MODES: Final = ("off", "shadow", "advise", "enforce")
_UNKNOWNS: Final = ("fault", "hold", "fire")


def _ranked(order: tuple[str, ...]) -> Judge:
    """Judge by rank; a word that is not in the order is looser."""

    def judge(old: Any, new: Any) -> Way:
        known = old in order and new in order
        up = known and order.index(new) > order.index(old)
        return Way.TIGHTER if up else Way.LOOSER

    return judge


def _modes(old: dict[str, str], new: dict[str, str]) -> Way:
    """Fewer zones with a mode of their own; a new one may be weaker."""
    return Way.TIGHTER if new.items() <= old.items() else Way.LOOSER


_RULE: Final[Table] = {
    **dict.fromkeys(("version", "hash", "blueprint", "blueprint_hash"), words),
    **dict.fromkeys(("given", "made", "signer"), words),
    "life_safety": on,
    "mode": _ranked(_MODES),
    "on_unknown": _ranked(_UNKNOWNS),
    "zone_modes": _modes,
}


def _packs(old: Bundle, new: Bundle) -> Iterator[Loosening]:
    before = {pack.id: pack for pack in old.packs}
    after = {pack.id: pack for pack in new.packs}
    for name in {**before, **after}:
        if name not in after:
            yield _gone("pack", name)
        elif name not in before and (old.packs or old.permit_kinds):
            yield _come("pack", name)
        elif name in before:
            yield from _said("pack", name, compare(before[name], after[name]))


def _kinds(old: Bundle, new: Bundle) -> Iterator[Loosening]:
    lawful = {k.id for bundle in (old, new) for p in bundle.packs for k in p.kinds}
    before = {k.id: k for k in old.permit_kinds if k.id not in lawful}
    after = {k.id: k for k in new.permit_kinds if k.id not in lawful}
    for name in {**before, **after}:
        if name not in after:
            yield _gone("kind", name)
        elif name not in before:
            if old.permit_kinds:
                yield _come("kind", name)
        else:
            changes = fields(name, before[name], after[name], _KIND, _RETEST)
            yield from _said("kind", name, changes)


def _rules(old: Bundle, new: Bundle) -> Iterator[Loosening]:
    after = {rule.id: rule for rule in new.rules}
    for rule in old.rules:
        if not rule.life_safety or rule.mode == "off":
            continue
        other = after.get(rule.id)
        if other is None:
            yield _gone("rule", rule.id)
        else:
            yield from _said("rule", rule.id, fields(rule.id, rule, other, _RULE))


# --- what an open permit may need -------------------------------------------------

_LIMIT: Final[Table] = {
    "above": less,
    "below": more,
    "priority": less,
    "hysteresis": more,
    "sustain_s": less,
    "life_safety": on,
    "latching": on,
    "source": words,
}


def _limits(old: tuple[Limit, ...], new: tuple[Limit, ...]) -> Way:
    after = {limit.condition: limit for limit in new}
    for limit in old:
        other = after.get(limit.condition)
        if other is None or loosened(fields("", limit, other, _LIMIT)):
            return Way.LOOSER
    return Way.TIGHTER


_QUANTITY: Final[Table] = {
    "accept_above": more,
    "accept_below": less,
    "limits": _limits,
}


def _quantities(old: Bundle, new: Bundle) -> Iterator[Loosening]:
    after = {each.id: each for each in new.quantities}
    for each in old.quantities:
        other = after.get(each.id)
        if other is None:
            yield _gone("quantity", each.id, (ANYWHERE,))
        else:
            changes = fields(each.id, each, other, _QUANTITY)
            yield from _said("quantity", each.id, changes, (ANYWHERE,))


def _shorter(old: float | None, new: float | None) -> Way:
    """Shorter than the site's own number; a device's own is not known here."""
    return less(old, new) if old is not None else Way.LOOSER


def _own_limits(
    old: dict[str, tuple[Limit, ...]], new: dict[str, tuple[Limit, ...]]
) -> Way:
    """Limits of entities that replace a quantity's: judged where both have them."""
    same = old.keys() == new.keys()
    fine = same and all(_limits(old[uid], new[uid]) is not Way.LOOSER for uid in old)
    return Way.TIGHTER if fine else Way.LOOSER


def _critical(old: tuple[str, ...], new: tuple[str, ...]) -> Way:
    return Way.TIGHTER if "*" in new else superset(old, new)


_DEVICE: Final[Table] = {
    **dict.fromkeys(("integration", "uid", "name"), words),
    "critical": _critical,
    "max_age_s": _shorter,
    "lost_s": _shorter,
    "stuck_s": _shorter,
    "limits": _own_limits,
    # Not taken as evidence any more: what depends on it is held, never permitted.
    "evidence": lambda _old, new: on(True, not new),
    "bump_every_h": less,
    "calibrate_every_d": less,
}


def _devices(old: Bundle, new: Bundle) -> Iterator[Loosening]:
    """Compare the rules that a device of each uid falls under, before and after."""
    rules, newer = Rules(old), Rules(new)
    for host, uid in sorted(_moved(old, new)):
        before, after = rules.find(host, uid), newer.find(host, uid)
        about = f"{host}/{uid}"
        if before is None:
            continue
        if after is None:
            yield _gone("device", about, _where(before))
        else:
            changes = fields(about, before, after, _DEVICE)
            yield from _said("device", about, changes, _where(before, after))


def _moved(old: Bundle, new: Bundle) -> set[tuple[str, str]]:
    """Return hosts and uids whose rule is not the same in both bundles."""
    held: list[dict[tuple[str, str], list[DeviceRule]]] = [{}, {}]
    for rules, bundle in zip(held, (old, new), strict=True):
        for rule in bundle.devices:
            rules.setdefault((rule.integration, rule.uid), []).append(rule)
    before, after = held
    moved = {k for k in {**before, **after} if before.get(k) != after.get(k)}
    # A rule may name the host itself or all hosts of its integration.
    hosts = [*old.integrations, *new.integrations]
    named = {
        (host.id, uid)
        for name, uid in moved
        for host in hosts
        if name in (host.id, host.integration)
    }
    return moved | named


def _where(*rules: DeviceRule) -> tuple[str, ...]:
    zones = {rule.zone or ANYWHERE for rule in rules}
    return tuple(sorted(zones))


_LEAVE: Final[Table] = {"neighbours": on, "zones": superset}
_ZONE: Final[Table] = {"neighbours": superset}


def _zones(old: Bundle, new: Bundle) -> Iterator[Loosening]:
    after = {zone.id: zone for zone in new.site.zones}
    for zone in old.site.zones:
        other = after.get(zone.id)
        if other is None:
            yield _gone("zone", zone.id, (zone.id,))
        else:
            changes = fields(zone.id, zone, other, _ZONE, {"leave": _LEAVE})
            yield from _said("zone", zone.id, changes, (zone.id,))


#: A contract only refuses; whose code it binds is in ``code``.
_HOST: Final[Table] = {"secrets": words, "contract": words, "made": words}


def _hosts(old: Bundle, new: Bundle) -> Iterator[Loosening]:
    """A host's options hold registers, scales and topics: any change may re-scale."""
    after = {each.id: each for each in new.integrations}
    for each in old.integrations:
        names = (each.id, each.integration)
        rules = [rule for rule in old.devices if rule.integration in names]
        zones = _where(*rules) if rules else (ANYWHERE,)
        other = after.get(each.id)
        if other is None:
            yield _gone("integration", each.id, zones)
        else:
            # Options may hold passwords by mistake: the change is named, not shown.
            for change in loosened(fields(each.id, each, other, _HOST)):
                yield _loose("integration", each.id, change.path, "…", "…", zones)


_SITE: Final[Table] = {
    "evacuate_s": less,
    "clear_s": more,
    "drills": words,
    **dict.fromkeys(("id", "language", "zones"), words),
    **dict.fromkeys(("levels", "muster_points"), superset),
    "calendar": words,  # see `_calendar`
}
_CHAIN: Final[Table] = {"steps": chain}


def _stays(_old: Any, new: Any) -> Way:
    """Judge what may come or change, and must not go."""
    return Way.LOOSER if new is None else Way.TIGHTER


#: Quiet hours touch only what may wait.
_NOTICES: Final[Table] = {
    **dict.fromkeys(("link", "quiet"), words),
    "may_wait": subset,
    "channels": superset,
    "modem": _stays,
}


def _rest(old: Bundle, new: Bundle) -> Iterator[Loosening]:
    everywhere = (ANYWHERE,)
    after = {each.id: each for each in new.chains}
    for each in old.chains:
        if each.id not in after:
            yield _gone("chain", each.id, everywhere)
        else:
            changes = fields(each.id, each, after[each.id], _CHAIN)
            yield from _said("chain", each.id, changes, everywhere)
    changes = fields("site", old.site, new.site, _SITE, {"leave": _LEAVE})
    yield from _said("site", new.site.id, changes, everywhere)
    changes = fields("notices", old.notices, new.notices, _NOTICES)
    yield from _said("site", new.site.id, changes, everywhere)


def _calendar(old: Bundle, new: Bundle) -> Iterator[Loosening]:
    """A day less that asks for a raised grade; nobody else minds which days are so.

    While no permit needs them, one person keeps the days up to date, year by year.
    """
    both = old.site.calendar, new.site.calendar
    if both[0] == both[1]:
        return
    found = sorted(loosening_days.looser(both, loosening_days.telling(both)))
    if found:
        day, name = found[0]
        yield Loosening(
            part="calendar",
            about=new.site.id,
            path=name,
            old=day.isoformat(),
            new="no more",
            zones=(ANYWHERE,),
            calendars=both,
            free=loosening_days.free(old, new),
        )


# --- words ------------------------------------------------------------------------


def _said(
    part: str, about: str, changes: Iterable[Change], zones: tuple[str, ...] = ()
) -> Iterator[Loosening]:
    for each in loosened(changes):
        yield _loose(part, about, each.path, each.old, each.new, zones)


def _gone(part: str, about: str, zones: tuple[str, ...] = ()) -> Loosening:
    return _loose(part, about, about, "present", "removed", zones)


def _come(part: str, about: str) -> Loosening:
    return _loose(part, about, about, "absent", "added", ())


def _loose(
    part: str, about: str, path: str, old: str, new: str, zones: tuple[str, ...]
) -> Loosening:
    return Loosening(
        part=part, about=about, path=path, old=old[:200], new=new[:200], zones=zones
    )
