"""Diagnostics over REST: asked of a host, for who sets devices up."""

import msgspec

from core.config import IntegrationConfig
from tests.unit.gateway.conftest import Desk

PATH = "/api/v1/integrations/modbus/diagnostics"


def held(desk: Desk) -> None:
    """Let the site have the integration."""
    replica = desk.fixture.gateway.replica
    config = IntegrationConfig(id="modbus", integration="modbus")
    replica.bundle = msgspec.structs.replace(replica.bundle, integrations=(config,))


async def test_an_owner_is_told_what_a_host_tells(owner: Desk) -> None:
    held(owner)
    status, told = await owner.get(PATH)
    assert (status, told["host"], told["facts"]) == (
        200,
        "modbus",
        {"host": {"devices": 2}},
    )


async def test_a_host_that_is_not_configured_is_not_found(owner: Desk) -> None:
    held(owner)
    status, told = await owner.get("/api/v1/integrations/other/diagnostics")
    assert (status, told["code"]) == (404, "gateway.not_found")


async def test_nobody_is_told_without_a_session(anyone: Desk) -> None:
    held(anyone)
    assert (await anyone.get(PATH))[0] == 401
