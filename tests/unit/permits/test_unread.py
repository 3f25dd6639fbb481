"""Rules that nobody can read: told, for what they govern stays unjudged."""

import pytest

from core.permits.lifecycle import PermitStatus
from core.permits.unread import KIND
from tests.support.works import Works

S = PermitStatus


@pytest.fixture
def site() -> Works:
    return Works()


def spoilt(site: Works, permit_id: str) -> bytes:
    """Let a permit's version of its pack be what this release cannot read."""
    version = site.permit(permit_id).life.pack
    held = site.hub.state.permits.packs.data
    was, held[version] = held[version], b"\xc1"
    unreadable(site, version, None)
    return was


def unreadable(site: Works, version: str, pack: object) -> None:
    """Forget what was read of a version: the next look reads the journal's."""
    packs = site.kernel.packs
    packs._packs[version] = pack  # type: ignore[assignment]
    packs._ruled.clear()


def faults(site: Works) -> list[dict[str, object]]:
    return [dict(alarm.params) for alarm in site.kernel.alarms.active(kind_prefix=KIND)]


def test_a_pack_that_is_read_is_no_fault(site: Works) -> None:
    site.started()
    site.live(61)
    assert faults(site) == []


@pytest.mark.parametrize("over", [True, False])
def test_a_permit_without_rules_is_a_fault_until_they_are_back(
    site: Works, over: bool
) -> None:
    """Design §5 Personal data: what is kept past its time is kept in nobody's sleep."""
    permit_id = site.started()
    if over:
        site.ended(permit_id)
    version = site.permit(permit_id).life.pack
    read = site.kernel.packs.pack(version)
    spoilt(site, permit_id)
    site.live(61)
    assert faults(site) == [{"version": version[:12], "permits": 1, "blobs": 0}]
    if not over:
        assert site.permit(permit_id).status is S.HELD
    unreadable(site, version, read)
    site.live(61)
    assert faults(site) == []
