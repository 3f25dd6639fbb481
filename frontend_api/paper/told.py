"""A permit's sheet from the journal's story: its own pack's form, holds and names."""

from core.clock import RealClock
from core.permits.state import PermitRecord
from frontend_api.names import Names
from frontend_api.paper import form
from frontend_api.paper.history import Papers
from frontend_api.paper.permit import Facts, Place
from frontend_api.replica import Replica
from frontend_api.sentences import hold_text


def facts_of(
    story: tuple[Replica, Papers],
    permit: PermitRecord,
    place: Place,
    language: str,
    named: str = "",
) -> Facts:
    """Return a permit's sheet as the story stands; ``named``: another form for it.

    Raises ConfigError when a shipped form is wrong.
    """
    replica, papers = story
    names = Names(replica)

    def why(code: str, params: dict[str, object]) -> str:
        said = hold_text(names, code, dict(params))
        return said.zh if language == "zh" else said.en

    lies = [why(h.hold.code, dict(h.hold.params)) for h in permit.holds.values()]
    return Facts(
        bundle=replica.bundle,
        form=_form(story, permit, language, named),
        permit=permit,
        holds=tuple(dict.fromkeys(lies)),
        number=permit.id,
        place=place,
        printed_ns=RealClock().wall_ns(),
        lain=papers.holds(permit.id),
        why=why,
    )


def _form(
    story: tuple[Replica, Papers], permit: PermitRecord, language: str, named: str
) -> form.Form:
    """Return the form that a permit pins; else the shipped one of its kind."""
    replica, papers = story
    pinned = form.of_site(replica.bundle, named) if named else papers.form(permit)
    if pinned is not None:
        return form.of_pack(pinned, language)
    kinds = {kind.id: kind.names for kind in replica.bundle.permit_kinds}
    names = kinds.get(permit.kind)
    title = permit.kind
    if names is not None:
        title = names.zh if language == "zh" else names.en
    return form.load(named or form.of_kind(permit.kind), title, language)
