"""Run by Home Assistant's own Python: its numeric_state automations a second.

Prints one JSON line: state changes a second that fire nothing, and automations a
second from the change of a state to the end of the service that they call.
"""

import asyncio
import gc
import json
import sys
import tempfile
import time
from typing import Any


def automation(number: int) -> dict[str, Any]:
    """Return one automation: above a limit → call a service."""
    return {
        "id": f"a{number}",
        "alias": f"a{number}",
        "triggers": [
            {
                "trigger": "numeric_state",
                "entity_id": f"sensor.s{number}",
                "above": 10,
            }
        ],
        "actions": [{"action": "bench.tick", "data": {"number": number}}],
    }


async def main(rules: int, rounds: int) -> None:
    """Set up a core with nothing but automations, and drive it."""
    ticks: list[int] = []
    hass = await _core(rules, ticks)
    gc.collect()
    gc.freeze()
    calm = await _calm(hass, rules, rounds)
    fired = 0.0
    for number in range(rounds):
        start = time.process_time()
        for each in range(rules):
            hass.states.async_set(f"sensor.s{each}", str(20 + number))
        await hass.async_block_till_done()
        fired += time.process_time() - start
        for each in range(rules):
            hass.states.async_set(f"sensor.s{each}", "1")
        await hass.async_block_till_done()
    await hass.async_stop(force=True)
    found = {"calm": calm, "fired": len(ticks) / fired}
    found |= {"ran": len(ticks), "of": rules * rounds}
    sys.stdout.write(json.dumps(found) + "\n")


async def _core(rules: int, ticks: list[int]) -> Any:
    """Return a running core with its automations; ``ticks`` counts the calls."""
    from homeassistant import bootstrap, config_entries, core, loader
    from homeassistant.setup import async_setup_component

    hass = core.HomeAssistant(tempfile.mkdtemp())
    loader.async_setup(hass)
    hass.config.components.add("homeassistant")
    hass.config_entries = config_entries.ConfigEntries(hass, {})
    await bootstrap.async_load_base_functionality(hass)

    async def tick(_call: Any) -> None:
        ticks.append(1)

    hass.services.async_register("bench", "tick", tick)
    for number in range(rules):
        hass.states.async_set(f"sensor.s{number}", "1")
    config = {"automation": [automation(number) for number in range(rules)]}
    if not await async_setup_component(hass, "automation", config):
        raise SystemExit("the automations were not set up")
    hass.set_state(core.CoreState.running)
    hass.bus.async_fire("homeassistant_start")
    hass.bus.async_fire("homeassistant_started")
    await hass.async_block_till_done()
    return hass


async def _calm(hass: Any, rules: int, rounds: int) -> float:
    """Return state changes a second that fire nothing."""
    spent = 0.0
    for number in range(rounds):
        start = time.process_time()
        for each in range(rules):
            hass.states.async_set(f"sensor.s{each}", str(2 + number % 7))
        await hass.async_block_till_done()
        spent += time.process_time() - start
    return rules * rounds / spent


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
