"""A broker is tried before it is set up, by a real one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.api import AuthError, DeviceError
from integrations.mqtt.flow import probe, schema
from tests.support.broker import OwnBroker, free_port


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[OwnBroker]:
    found = OwnBroker(tmp_path)
    found.start()
    yield found
    found.stop()


def options(port: int) -> dict[str, Any]:
    """Return what a form makes of another broker; its password is a name."""
    place = {"host": "127.0.0.1", "port": port, "username": "hub", "password": "b.pw"}
    checked: dict[str, Any] = schema()({"broker": place})
    return checked


async def test_the_right_password_is_taken(broker: OwnBroker) -> None:
    told = await probe(options(broker.port), {"b.pw": broker.password()})
    assert told == {"broker": f"127.0.0.1:{broker.port}"}


async def test_a_wrong_password_is_told_as_that(broker: OwnBroker) -> None:
    with pytest.raises(AuthError):
        await probe(options(broker.port), {"b.pw": "not this one"})


async def test_nobody_there_is_told() -> None:
    with pytest.raises(DeviceError):
        await probe(options(free_port()), {"b.pw": "x"})
    assert await probe(schema()({}), {}) == {}
