"""Lay a site's overlays on a pack: tightening goes through, loosening takes two."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from automations.packs.compile import Overlay, compile_pack, lay, load_source
from automations.packs.source import Source
from core import config
from core.api.documents import together
from core.api.said import Said
from core.permits.pack import Kind, Pack
from core.permits.pack_diff import compare
from core.permits.ways import Change, loosened


class Laid(msgspec.Struct, frozen=True, kw_only=True):
    """Say what one overlay changed, and who answers for what it loosens."""

    overlay: Overlay
    changes: tuple[Change, ...]


class Assembled(msgspec.Struct, frozen=True, kw_only=True):
    """Hold a site's pack: the shipped one with its overlays."""

    pack: Pack
    laid: tuple[Laid, ...]
    source: Source


def assemble(
    folder: Path, overlays: Sequence[Path] = (), people: frozenset[str] | None = None
) -> Assembled:
    """Return the pack with overlays laid on in order; raises ConfigError.

    ``people``: ids that may answer for loosening; None does not look them up.
    """
    source = load_source(folder)
    pack = compile_pack(source)
    laid = []
    for file in overlays:
        # A file that fails leaves nothing behind: the next try reads afresh.
        head = lay(source, file)
        after = compile_pack(source)
        changes = tuple(compare(pack, after))
        _two_persons(source, head, changes, people)
        laid.append(Laid(overlay=head, changes=changes))
        pack = msgspec.structs.replace(
            after, overlays=(*pack.overlays, f"{head.id}@{head.version}")
        )
    return Assembled(pack=pack, laid=tuple(laid), source=source)


def permit_kinds(pack: Pack) -> tuple[config.PermitKind, ...]:
    """Return a pack's kinds as the permit room takes them from a bundle."""
    return tuple(_permit_kind(pack, kind) for kind in pack.kinds)


def _permit_kind(pack: Pack, kind: Kind) -> config.PermitKind:
    # A conditional need is judged by the rules, and so is a test now and then; only
    # what is measured all the time is an interlock. After a hold all are tested.
    need = kind.gas if kind.gas is not None and kind.gas.when is None else None
    owed = need.gases if need else ()
    issuers = {
        name
        for approver in kind.approvers
        for role in pack.roles
        if role.id == approver.role
        for name in role.acts_as
    }
    return config.PermitKind(
        id=kind.id,
        names=kind.names,
        safe_state=kind.safe_state[0].removeprefix("order."),
        gases=owed if need is not None and need.continuous else (),
        guardian=kind.guardian.required,
        valid_h=pack.hours(kind) or 0.0,
        reaction_s=kind.reaction_s,
        gas_age_s=(need.age_start_min if need else 30) * 60,
        retest=config.Retest(gases=owed),
        issuer_roles=tuple(sorted(issuers)),
        clause=kind.clause,
    )


def _two_persons(
    source: Source,
    head: Overlay,
    changes: tuple[Change, ...],
    people: frozenset[str] | None,
) -> None:
    loose = loosened(changes)
    if not loose:
        return
    named = {person.strip() for person in head.loosened_by if person.strip()}
    unknown = sorted(named - people) if people is not None else []
    if len(named) >= 2 and not unknown:
        return
    mend = Said("tighten only, or name two persons in overlay.loosened_by")
    if unknown:
        mend = Said(
            "overlay.loosened_by names nobody of this site: {unknown}", unknown=unknown
        )
    errors = [
        source.error(
            tuple(change.path.split(".")),
            Said(
                "loosens {old} to {new}; {mend}",
                old=change.old,
                new=change.new,
                mend=mend,
            ),
        )
        for change in loose
    ]
    raise together(errors)
