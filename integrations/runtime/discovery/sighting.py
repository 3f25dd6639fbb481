"""What one listener saw of a device, and how sightings become findings.

Sightings that share a lasting identity are one device. So are those of different
kinds at one address: a box that is heard over mDNS and WS-Discovery is proposed once.
Two things of one kind at one address with different identities, such as cameras
behind a recorder, stay two.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from core.api.identity import key
from core.link.findings import MAX_FACT, MAX_FACTS, MAX_TEXT, Finding, Sign

_MAX_KEYS, _MAX_WHY, _MAX_ALSO = 8, 6, 8
#: Facts that an integration's form is filled with.
_ALWAYS = ("key", "name", "address", "port", "serial", "mac", "device", "unit", "url")
#: A finding is known by the first of these that it has.
_RANK = ("serial", "mac", "uuid", "uri", "usb", "ble")


class Match(NamedTuple):
    """Say which integration may drive a thing, how sure that is, and why."""

    integration: str
    score: int
    sign: Sign


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """Hold what one listener says of one thing.

    ``source`` is unique and lasts: the listener and what it calls the thing.
    ``keys`` are lasting identities. ``hint``: it says no more than that something
    is there.
    """

    source: str
    kind: str
    slot: str
    """Things of one slot at one address are different devices."""
    name: str = ""
    address: str = ""
    port: int = 0
    keys: tuple[str, ...] = ()
    facts: dict[str, str] = {}
    matches: tuple[Match, ...]
    hint: bool = False


def clean(text: str, most: int = MAX_TEXT) -> str:
    """Return a stranger's text without control characters, cut to its bound."""
    return "".join(c if c.isprintable() else " " for c in text[:most]).strip()


def clean_facts(facts: Mapping[str, str]) -> dict[str, str]:
    """Return as many facts as a finding may hold; one that is too long is none."""
    found: dict[str, str] = {}
    for name, value in facts.items():
        fits = len(found) < MAX_FACTS and len(value) <= MAX_FACT
        if fits and (shown := clean(name, 40)):
            found[shown] = clean(value, MAX_FACT)
    return found


def unify(sightings: Iterable[Sighting]) -> list[list[Sighting]]:
    """Return the sightings of each device, in an order that no arrival changes."""
    ordered = sorted(sightings, key=lambda s: (s.hint, s.source))
    parents = list(range(len(ordered)))

    def root(at: int) -> int:
        while parents[at] != at:
            parents[at] = parents[parents[at]]
            at = parents[at]
        return at

    first: dict[str, int] = {}
    for at, sighting in enumerate(ordered):
        for each in sighting.keys:
            parents[root(at)] = root(first.setdefault(each, at))
    groups: dict[int, list[Sighting]] = {}
    for at, sighting in enumerate(ordered):
        groups.setdefault(root(at), []).append(sighting)
    return _at_one_address([groups[at] for at in sorted(groups)])


def _at_one_address(groups: list[list[Sighting]]) -> list[list[Sighting]]:
    """Join groups that share an address, unless they must be different devices."""
    found: list[list[Sighting]] = []
    by_address: dict[str, list[list[Sighting]]] = {}
    # What says more goes first: a bare hint joins whoever is there.
    for group in sorted(groups, key=lambda g: (all(s.hint for s in g), g[0].source)):
        addresses = sorted({s.address for s in group if s.address})
        here = [other for a in addresses for other in by_address.get(a, ())]
        home = next((other for other in here if not _apart(group, other)), None)
        if home is None:
            home = []
            found.append(home)
        home += group
        for address in addresses:
            known = by_address.setdefault(address, [])
            if not any(each is home for each in known):
                known.append(home)
    return found


def _apart(one: Sequence[Sighting], other: Sequence[Sighting]) -> bool:
    """Say whether two groups at one address are different devices."""
    for a in one:
        for b in other:
            if a.slot == b.slot and not (a.kind == "mdns" and a.port == b.port):
                return True
    return False


def finding(group: Sequence[Sighting], seen_ms: int) -> Finding:
    """Return what is proposed of a device's sightings."""
    matches = sorted(
        (m for s in group for m in s.matches),
        key=lambda m: (-m.score, m.integration, m.sign.code),
    )
    best = matches[0]
    told = max(group, key=lambda s: (_score(s, best.integration), s.source))
    keys = sorted({k for s in group for k in s.keys}, key=_rank)
    lasting = keys[0] if keys else key("place", told.source)
    signs = [m.sign for m in matches if m.integration == best.integration]
    integrations = dict.fromkeys(m.integration for m in matches)
    name = next((s.name for s in (told, *group) if s.name), lasting)
    address = next((s.address for s in (told, *group) if s.address), "")
    facts = {"address": address, "port": str(told.port or ""), "name": name}
    for each in keys:
        namespace, _, value = each.partition(":")
        if namespace in ("mac", "serial"):
            facts.setdefault(namespace, value)
    for said in (told, *group):
        facts = {**said.facts, **facts}
    return Finding(
        kind=told.kind,
        key=lasting,
        keys=tuple(keys[:_MAX_KEYS]) or (lasting,),
        name=name,
        address=address,
        port=told.port,
        facts=_kept({"key": lasting, **facts}),
        integration=best.integration,
        also=tuple(list(integrations)[1 : 1 + _MAX_ALSO]),
        why=_distinct(signs)[:_MAX_WHY],
        seen_ms=seen_ms,
    )


def _kept(facts: dict[str, str]) -> dict[str, str]:
    """Keep as many facts as a finding may hold; what every one has comes first."""
    first = [name for name in _ALWAYS if name in facts]
    rest = [name for name in facts if name not in _ALWAYS]
    return {name: facts[name] for name in (*first, *rest)[:MAX_FACTS]}


def _score(sighting: Sighting, integration: str) -> int:
    scores = [m.score for m in sighting.matches if m.integration == integration]
    return max(scores, default=-1)


def _distinct(signs: Sequence[Sign]) -> tuple[Sign, ...]:
    found: list[Sign] = []
    for sign in signs:
        if sign not in found:
            found.append(sign)
    return tuple(found)


def _rank(lasting: str) -> tuple[int, str]:
    namespace = lasting.partition(":")[0]
    return (_RANK.index(namespace) if namespace in _RANK else len(_RANK), lasting)
