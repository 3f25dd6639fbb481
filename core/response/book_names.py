"""Names of plans, steps, rounds and checklists for whoever writes a notice out.

Not for the safety process: events and notices carry ids.
"""

from collections.abc import Mapping

import msgspec

from core import config, texts
from core.names import Names
from core.response.books import Plan

_GRADES = {
    "general": Names(zh="一般", en="general"),
    "major": Names(zh="重大", en="major"),
}


def named(
    params: Mapping[str, object],
    bundle: config.Bundle,
    kept: Mapping[str, bytes] | None = None,
) -> dict[str, Names]:
    """Return names for those parameters that are ids of the site's books.

    ``kept``: versions that runs pin, by digest; without them the bundle's answer.
    """
    found: dict[str, Names] = {}
    plan = _plan(params, bundle, kept or {})
    if plan is not None:
        found["plan"] = plan.names
        step = plan.step(str(params.get("plan_step", "")).rpartition("/")[2])
        if step is not None:
            found["plan_step"] = step.names
    for name, books in (("round", bundle.rounds), ("checklist", bundle.checklists)):
        for book in books:
            if params.get(name) == book.id:
                found[name] = book.names
    grade = params.get("grade")
    if isinstance(grade, str) and grade in _GRADES:
        found["grade"] = _GRADES[grade]
    title = params.get("title")
    if isinstance(title, str) and title in texts.catalogue():
        said = {**params, **{name: both.zh for name, both in found.items()}}
        in_english = {**params, **{name: both.en for name, both in found.items()}}
        found["title"] = Names(
            zh=texts.render(title, said, "zh"), en=texts.render(title, in_english, "en")
        )
    return found


def _plan(
    params: Mapping[str, object], bundle: config.Bundle, kept: Mapping[str, bytes]
) -> Plan | None:
    data = kept.get(str(params.get("plan_step", "")).partition("/")[0])
    if data is not None:
        try:
            return msgspec.msgpack.decode(data, type=Plan)
        except msgspec.MsgspecError:
            return None
    return next((p for p in bundle.plans if p.id == params.get("plan")), None)
