"""An evacuation's clear waits for each gas class that the law names."""

import pytest

from core.response.acts import AccountPerson, ClearEvacuation
from tests.support.works import Works


@pytest.mark.parametrize(("gas", "bad"), [("h2s", 40.0), ("lel", 15.0), ("o2", 17.0)])
def test_each_class_holds_the_clear_back(gas: str, bad: float) -> None:
    """GB 30871 6.4: toxic, combustible and oxygen; two good ones prove no third."""
    site = Works()
    site.started()
    good = site.gas[gas]
    number = site.kernel.evacuations.start(["tank"], "notice.evacuate")
    for person in site.hub.state.people.presence:
        site.places[person] = "gate"
    site.live(10)
    for person in site.places:
        site.say("max", AccountPerson(evacuation_id=number, person_id=person))
    site.gas[gas] = bad
    site.live(200)
    assert not site.say("sam", ClearEvacuation(evacuation_id=number)).ok
    assert site.hub.state.response.evacuations[number].cleared_wall_ns == 0
    site.gas[gas] = good
    site.live(400)
    reply = site.say("sam", ClearEvacuation(evacuation_id=number))
    assert reply.ok, (reply.code, reply.params)
