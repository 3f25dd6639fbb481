"""Bundles without the names of the erased: what pages, prints and exports read."""

from collections.abc import Iterable

import msgspec

from core.config import Bundle, Person


def nameless(bundle: Bundle, erased: Iterable[str]) -> Bundle:
    """Return a bundle in which the erased are called by their ids alone.

    Pages, prints and exports read names from it; older bundles on disk too.
    """
    gone = set(erased)
    if not any(person.id in gone for person in bundle.people):
        return bundle
    people = tuple(
        Person(id=each.id, name=each.id, roles=each.roles) if each.id in gone else each
        for each in bundle.people
    )
    return msgspec.structs.replace(bundle, people=people)
