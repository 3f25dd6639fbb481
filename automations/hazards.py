"""The hazards of the plan: what packs say some works must not come near."""

from collections.abc import Iterable
from typing import Any

import msgspec

from core.api.documents import Document
from core.api.said import Said, sentence
from core.config import Site
from core.geometry.shapes import ENCLOSURES, Disc, Hazard, Line, Polygon, Shape
from core.permits.areas import hazard_problem
from core.permits.pack import Pack

_WORDS = {
    "level_unknown": "is no level of this site",
    "not_finite": "a number must be finite",
    "too_many_points": "at most 200 points",
    "too_few_points": "needs more points that differ",
    "height_order": "high lies below low",
    "off_site": "lies far outside the zones of the plan",
    "no_plan": "hazards need zones: the plan is empty",
}


def with_hazards(
    document: Document, data: dict[str, Any], site: Site, packs: Iterable[Pack]
) -> Site:
    """Return the site with its hazards; raises ConfigError.

    A kind that no distance of the site's packs names would protect nothing.
    """
    kinds = {each.other for pack in packs for each in pack.distances}
    kinds.update(ENCLOSURES)
    made = []
    for number, given in enumerate(data.get("hazards", ())):
        if given["kind"] not in kinds:
            raise document.error(
                ("hazards", number, "kind"),
                Said(
                    "no distance of the site's packs names {kind!r}; known: {kinds}",
                    kind=given["kind"],
                    kinds=sorted(kinds),
                ),
            )
        hazard = Hazard(
            id=given["id"],
            kind=given["kind"],
            level=given["level"],
            shape=_shape(document, number, given),
            z_low_m=given.get("low", 0.0),
            z_high_m=given.get("high"),
        )
        problem = hazard_problem(hazard, site)
        if problem:
            key = "level" if problem == "level_unknown" else "id"
            said = _WORDS.get(problem) or Said(
                "cannot be measured: {problem}", problem=problem
            )
            raise document.error(
                ("hazards", number, key),
                Said("{given!r} {said}", given=given[key], said=sentence(said)),
            )
        made.append(hazard)
    return msgspec.structs.replace(site, hazards=tuple(made))


def _shape(document: Document, number: int, given: dict[str, Any]) -> Shape:
    told = [key for key in ("polygon", "at", "line") if key in given]
    if len(told) != 1:
        raise document.error(
            ("hazards", number, "id"), "give one of polygon, at (a point) or line"
        )
    if "polygon" in given:
        return Polygon(points=given["polygon"])
    if "at" in given:
        return Disc(at=given["at"], radius_m=given.get("radius", 0.0))
    return Line(points=given["line"], width_m=given.get("width", 0.0))
