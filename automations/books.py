"""Emergency plans, checklists and rounds: YAML to typed data (design §6).

A plan or checklist is a file of its own, shipped or in the site's ``blueprints``;
the site's files name those in force, and who and where they are for.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import voluptuous as vol

from automations.schema_words import ident, listed, names, number, roles, span
from core import config
from core.api.documents import Document, read
from core.api.said import Said
from core.names import Names
from core.response.books import Checklist, Item, Plan, PlanStep, Round, RoundPoint

_UNANSWERED = "warning: no emergency plan answers {kind!r} everywhere; see 'plans:'"
_NO_REGULATOR = (
    "warning: the hub can send no notice of an accident to an authority; see "
    "'notices: regulators:'"
)
SHIPPED = Path(__file__).parent.parent / "blueprints"
PLANS, CHECKLISTS = "plans", "checklists"
_TYPES = ("tick", "number", "text")
_CHECKLIST_KINDS = ("toolbox", "handover", "inspection")


def _version(value: Any) -> str:
    parts = str(value).split(".")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        raise vol.Invalid(
            Said("{value!r} is no version; write for example 1.0.0", value=value)
        )
    return str(value)


_HEAD = {
    vol.Required("id"): ident,
    vol.Required("version"): _version,
    vol.Required("name"): names,
    "description": names,
    "clauses": [str],
}
_STEP = {
    vol.Required("id"): ident,
    vol.Required("text"): names,
    vol.Required("roles"): vol.All(roles, vol.Length(min=1, msg="name an owner")),
    vol.Required("within"): vol.All(span, vol.Range(min=5, msg="give 5 s at least")),
    "after": [ident],
    "channels": [ident],
    "escalate": vol.All(roles, vol.Length(min=1, msg="name somebody above")),
    "report": bool,
    "clause": str,
}
PLAN = vol.Schema(
    {
        vol.Required("plan"): {
            **_HEAD,
            vol.Required("alarms"): [str],
            "priority": vol.All(int, vol.Range(1, 4)),
            "report_to": names,
        },
        vol.Required("steps"): vol.All(
            listed(_STEP), vol.Length(min=1, max=40, msg="1 to 40 steps")
        ),
        "tests": [dict],
    }
)
_ITEM = {
    vol.Required("id"): ident,
    vol.Required("text"): names,
    "type": vol.In(_TYPES, msg=f"expected one of {', '.join(_TYPES)}"),
    "required": bool,
    "grade": vol.In(("general", "major")),
    "least": number,
    "most": number,
    "unit": str,
    "clause": str,
}
CHECKLIST = vol.Schema(
    {
        vol.Required("checklist"): {
            **_HEAD,
            vol.Required("kind"): vol.In(_CHECKLIST_KINDS),
            "roles": roles,
            "signers": roles,
            "sign_within": span,
        },
        vol.Required("items"): vol.All(
            listed(_ITEM), vol.Length(min=1, max=80, msg="1 to 80 items")
        ),
        "tests": [dict],
    }
)

#: What a site's own files say, beside `automations.schema_site.SITE`.
SITE_PLANS = [
    {
        vol.Required("plan"): ident,
        "id": ident,
        "zones": [ident],
        "alarms": [str],
        "priority": vol.All(int, vol.Range(1, 4)),
        "steps": {
            ident: {
                "roles": roles,
                "within": span,
                "escalate": roles,
                "channels": [ident],
            }
        },
    }
]
SITE_CHECKLISTS = [ident]
SITE_ROUNDS = listed(
    {
        vol.Required("id"): ident,
        vol.Required("names"): names,
        vol.Required("points"): vol.All(
            listed(
                {
                    vol.Required("id"): ident,
                    vol.Required("names"): names,
                    vol.Required("zone"): ident,
                    "label": vol.All(str, vol.Length(min=4, max=100)),
                    "checklist": ident,
                }
            ),
            vol.Length(min=1, max=200, msg="1 to 200 points"),
        ),
        "roles": vol.All(roles, vol.Length(min=1, msg="name who walks it")),
        "ordered": bool,
        "within": vol.All(span, vol.Range(min=60)),
        "every": vol.All(span, vol.Range(min=60)),
    }
)
SITE_KEYS = {"plans": SITE_PLANS, "checklists": SITE_CHECKLISTS, "rounds": SITE_ROUNDS}


# --- files ----------------------------------------------------------------------


def find(kind: str, name: str, folders: tuple[Path, ...] = ()) -> Path | None:
    """Return the file of a plan or checklist: a site's own goes first."""
    for folder in (*(each / kind for each in folders), SHIPPED / kind):
        file = folder / f"{name}.yaml"
        if file.is_file():
            return file
    return None


def shipped(kind: str) -> list[Path]:
    """Return the shipped files of a kind, by name."""
    return sorted((SHIPPED / kind).glob("*.yaml"))


def read_plan(file: Path) -> tuple[Plan, list[dict[str, Any]]]:
    """Return a plan and its test vectors; raises ConfigError with line and column."""
    document = read(file)
    data = document.check(PLAN)
    head, steps = data["plan"], data["steps"]
    _check_steps(document, steps, head)
    made = Plan(
        id=head["id"],
        names=Names(**head["name"]),
        version=head["version"],
        alarms=tuple(head["alarms"]),
        priority=head.get("priority", 2),
        clauses=tuple(head.get("clauses", ())),
        report_to=Names(**head["report_to"]) if "report_to" in head else None,
        steps=tuple(_step(each) for each in steps),
    )
    return made, data.get("tests", [])


def _step(given: dict[str, Any]) -> PlanStep:
    fields = dict(given)
    fields["names"] = Names(**fields.pop("text"))
    fields["within_s"] = fields.pop("within")
    for key in ("after", "channels"):
        if key in fields:
            fields[key] = tuple(fields[key])
    return PlanStep(**fields)


def _check_steps(
    document: Document, steps: list[dict[str, Any]], head: dict[str, Any]
) -> None:
    """Refuse a step that waits for nobody, for itself in a ring, or reports twice."""
    seen: set[str] = set()
    for number_, step in enumerate(steps):
        place = ("steps", number_)
        for before in step.get("after", ()):
            # Only what stands above: so that no ring can be written.
            if before not in seen:
                raise document.error(
                    (*place, "after"),
                    Said("{before!r} is no step above this one", before=before),
                )
        seen.add(step["id"])
        if step.get("report") and "report_to" not in head:
            raise document.error(place, "a report needs 'report_to' in the plan's head")
    reports = [number_ for number_, step in enumerate(steps) if step.get("report")]
    if len(reports) > 1:
        raise document.error(("steps", reports[1]), "a plan has one report at most")


def read_checklist(file: Path) -> tuple[Checklist, list[dict[str, Any]]]:
    """Return a checklist and its test vectors; raises ConfigError."""
    document = read(file)
    data = document.check(CHECKLIST)
    head = data["checklist"]
    items = []
    for number_, given in enumerate(data["items"]):
        fields = dict(given)
        fields["names"] = Names(**fields.pop("text"))
        if fields.get("type", "tick") != "number" and fields.keys() & {"least", "most"}:
            raise document.error(("items", number_), "only a number has bounds")
        items.append(Item(**fields))
    made = Checklist(
        id=head["id"],
        names=Names(**head["name"]),
        version=head["version"],
        kind=head["kind"],
        items=tuple(items),
        roles=head.get("roles", ()),
        signers=head.get("signers", ()),
        within_s=head.get("sign_within", 1800.0),
        clauses=tuple(head.get("clauses", ())),
    )
    return made, data.get("tests", [])


# --- a site's own words ---------------------------------------------------------


class Books:
    """Compile what a site says of plans, checklists and rounds."""

    def __init__(
        self, document: Document, data: dict[str, Any], folders: tuple[Path, ...]
    ) -> None:
        self._document, self._data, self._folders = document, data, folders
        self._zones = {zone["id"] for zone in data.get("zones", ())}

    def parts(self) -> dict[str, Any]:
        """Return the bundle's plans, checklists and rounds; raises ConfigError."""
        checklists = tuple(self._checklists())
        return {
            "plans": tuple(self._plans()),
            "checklists": checklists,
            "rounds": tuple(self._rounds({each.id for each in checklists})),
        }

    def _file(self, kind: str, name: str, place: tuple[str | int, ...]) -> Path:
        file = find(kind, name, self._folders)
        if file is None:
            known = [each.stem for each in shipped(kind)]
            raise self._document.error(
                place,
                Said("there is no {name!r}; shipped: {known}", name=name, known=known),
            )
        return file

    def _zone(self, zone: str, place: tuple[str | int, ...]) -> None:
        if zone not in self._zones:
            known = sorted(self._zones)
            raise self._document.error(
                place,
                Said("{zone!r} is no zone; known: {known}", zone=zone, known=known),
            )

    def _plans(self) -> Iterator[Plan]:
        seen: set[str] = set()
        for number_, given in enumerate(self._data.get("plans", ())):
            place = ("plans", number_)
            file = self._file(PLANS, given["plan"], (*place, "plan"))
            plan = self._overlaid(read_plan(file)[0], given, place)
            if plan.id in seen:
                said = Said("{id!r} stands twice; give the second an 'id'", id=plan.id)
                raise self._document.error(place, said)
            seen.add(plan.id)
            yield plan

    def _overlaid(
        self, plan: Plan, given: dict[str, Any], place: tuple[str | int, ...]
    ) -> Plan:
        """Return a plan for the site's zones, owners and times."""
        for zone in given.get("zones", ()):
            self._zone(zone, (*place, "zones"))
        unknown = given.get("steps", {}).keys() - {step.id for step in plan.steps}
        if unknown:
            said = Said("the plan has no step {unknown}", unknown=sorted(unknown))
            raise self._document.error((*place, "steps"), said)
        steps = []
        for step in plan.steps:
            own = dict(given.get("steps", {}).get(step.id, {}))
            if "within" in own:
                own["within_s"] = own.pop("within")
            if "channels" in own:
                own["channels"] = tuple(own["channels"])
            steps.append(msgspec.structs.replace(step, **own))
        return msgspec.structs.replace(
            plan,
            id=given.get("id", plan.id),
            zones=tuple(given.get("zones", ())),
            alarms=tuple(given.get("alarms", plan.alarms)),
            priority=given.get("priority", plan.priority),
            steps=tuple(steps),
        )

    def _checklists(self) -> Iterator[Checklist]:
        for number_, name in enumerate(self._data.get("checklists", ())):
            file = self._file(CHECKLISTS, name, ("checklists", number_))
            yield read_checklist(file)[0]

    def _rounds(self, checklists: set[str]) -> Iterator[Round]:
        for number_, given in enumerate(self._data.get("rounds", ())):
            place = ("rounds", number_)
            every, within = given.get("every", 0.0), given.get("within", 7200.0)
            if every and within > every:
                raise self._document.error(
                    (*place, "within"), "longer than 'every': two would be open at once"
                )
            points = tuple(
                self._point(given["id"], point, (*place, "points", at), checklists)
                for at, point in enumerate(given["points"])
            )
            yield Round(
                id=given["id"],
                names=Names(**given["names"]),
                points=points,
                roles=given.get("roles", ("supervisor",)),
                ordered=given.get("ordered", False),
                within_s=within,
                every_s=every,
            )

    def _point(
        self,
        round_id: str,
        given: dict[str, Any],
        place: tuple[str | int, ...],
        checklists: set[str],
    ) -> RoundPoint:
        self._zone(given["zone"], (*place, "zone"))
        checklist = given.get("checklist", "")
        if checklist and checklist not in checklists:
            raise self._document.error(
                (*place, "checklist"),
                Said("{checklist!r} is not among 'checklists:'", checklist=checklist),
            )
        return RoundPoint(
            id=given["id"],
            names=Names(**given["names"]),
            zone=given["zone"],
            label=given.get("label") or label_of(round_id, given["id"]),
            checklist=checklist,
        )


def label_of(round_id: str, point_id: str) -> str:
    """Return what the printed code of a point says, where the site sets no other."""
    said = f"{round_id}\0{point_id}".encode()
    return f"safehold:{hashlib.sha256(said).hexdigest()[:12]}"


def prove(bundle: config.Bundle, folders: tuple[Path, ...]) -> None:
    """Run the vectors of the plans and checklists in force; raises ConfigError."""
    from automations import book_vectors, vectors

    files = {
        file
        for kind, found in ((PLANS, bundle.plans), (CHECKLISTS, bundle.checklists))
        for each in found
        if (file := find(kind, each.id, folders)) is not None
    }
    for file in sorted(files):
        for outcome in book_vectors.run_file(file):
            if outcome.problems:
                raise vectors.failing(file.name, outcome)


def warnings(bundle: config.Bundle) -> list[Said]:
    """Return one line for each grave alarm without a plan, and each unsent notice."""
    from core.response.plans_missing import unanswered

    found = [Said(_UNANSWERED, kind=kind) for kind in unanswered(bundle)]
    reports = any(step.report for plan in bundle.plans for step in plan.steps)
    if reports and not bundle.notices.regulators:
        found.append(Said(_NO_REGULATOR))
    return found
