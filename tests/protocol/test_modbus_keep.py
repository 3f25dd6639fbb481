"""A word that prolongs never restores what has tripped (design §5 Commands)."""

import msgspec

from core.api import KEEP, CommandState, Quality
from tests.protocol.modbus_site import RELAY, running


async def test_what_has_tripped_stays_tripped() -> None:
    async with running({"tcp": "127.0.0.1:0"}, RELAY) as site:
        await site.shows("relay-1", "ch3", Quality.GOOD)
        kept = msgspec.structs.replace(site.order("ch3", False), priority=KEEP, id="k1")
        await site.driver.command(kept)
        assert site.host.states(kept.id)[-1] is CommandState.CONFIRMED
        await site.driver.command(site.order("ch3", True))
        relay = site.simulator.devices["relay-1"]
        late = msgspec.structs.replace(site.order("ch3", False), priority=KEEP, id="k2")
        await site.driver.command(late)
        assert site.host.states(late.id) == [CommandState.FAILED]
        assert site.host.results[late.id][-1][1] == "modbus.tripped"
        assert relay.on("ch3")
