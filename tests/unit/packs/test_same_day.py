"""A step added today: work that runs keeps its law, new work asks for it."""

from pathlib import Path

import msgspec

from automations.packs.compile import SHIPPED
from automations.packs.overlay import assemble
from core.permits import life_acts as a
from core.permits.life_events import Given
from core.permits.lifecycle import PermitStatus
from core.permits.pack import Pack
from core.permits.packs import digest_of
from core.processes.events import ConfigArmed
from tests.support.works import Works

STEP = """\
overlay: {id: same-day, pack: cn-hazchem, version: "1", reason: the new tank}
forms:
  hot:
    fields:
      nitrogen: {type: number, unit: "%vol", zh: 氮气, en: Nitrogen}
    signatures:
      tank_owner: {zh: 储罐负责人, en: Tank's owner, role: safety_dept, phase: start}
"""


def stepped(folder: Path) -> Pack:
    file = folder / "step.yaml"
    file.write_text(STEP, "utf-8")
    return assemble(SHIPPED / "cn-hazchem", [file]).pack


def slots(works: Works, permit_id: str) -> set[str]:
    """Return the slots of a permit's form, by the version that it pins."""
    ruled = works.kernel.packs.kind(works.permit(permit_id))
    form = ruled.pack.form(ruled.kind.form) if ruled is not None else None
    assert form is not None
    return {slot.id for slot in form.signatures}


def test_a_step_of_today_is_asked_of_new_permits_only(tmp_path: Path) -> None:
    works = Works()
    running, waiting = works.started(), works.booked(title="weld the lid")
    law = works.permit(running).life.pack
    pack = stepped(tmp_path)
    works._law = msgspec.structs.replace(works._law, packs=(pack,))
    works.hub.load(works._law)
    works.hub.emit(ConfigArmed(hash="0" * 64, by="person:sam"))
    works.settle()
    new = works.booked(title="weld the second flange")
    assert works.permit(new).life.pack == digest_of(pack) != law
    assert "tank_owner" in slots(works, new)
    more: dict[str, Given] = {"method": "arc welding", "nitrogen": 1}
    for old in (running, waiting):
        assert works.permit(old).life.pack == law
        assert "tank_owner" not in slots(works, old)
    act = a.ApplyPermit(
        permit_id=waiting,
        workers=("ann", "bob"),
        guardians=("gil",),
        trades={"ann": "hot_work"},
        fields=more,
    )
    code, told = works.refused("sue", act)
    assert (code, told["fields"]) == ("permit.field_unknown", "nitrogen")
    works.applied(waiting)
    works.applied(new, fields=more)
    works.live(5)
    assert works.permit(running).status is PermitStatus.ACTIVE
    works.restart(clean=True)
    works.live(20)
    assert works.permit(running).life.pack == law
    assert "tank_owner" not in slots(works, running)
    assert str(works.permit(running).status) == PermitStatus.ACTIVE


def test_a_law_that_nobody_can_read_any_more_holds_the_work() -> None:
    """Unknown is never safe: a version of a newer release judges nothing."""
    works = Works()
    running = works.started()
    law = works.permit(running).life.pack
    works._law = msgspec.structs.replace(works._law, packs=())
    works.restart(clean=True)
    works.live(20)
    # Its bundle is gone, its version is not.
    assert works.permit(running).status is PermitStatus.ACTIVE
    works.hub.state.permits.packs.data[law] = b"\xc1"
    works.hub.load(works._law)
    works.live(40)
    assert str(works.permit(running).status) == PermitStatus.HELD
