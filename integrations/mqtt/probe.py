"""Try a broker before it is set up: does it take us, by our name and password."""

import asyncio
import ssl
import threading
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from core.api import AuthError, DeviceError
from integrations.mqtt.session import CONNECT_S, Broker

#: Bad name or password, and not authorised: in MQTT 3.1.1 and 5.
_REFUSED = (4, 5, 134, 135)


async def taken(broker: Broker) -> dict[str, str]:
    """Return that the broker took us; raises AuthError or DeviceError."""
    return await asyncio.to_thread(_connect, broker)


def _connect(broker: Broker) -> dict[str, str]:
    # An id of its own: one that is in use would cut the hub's own session.
    client = Client(CallbackAPIVersion.VERSION2, client_id=f"{broker.client_id}-try")
    if broker.username:
        client.username_pw_set(broker.username, broker.password)
    if broker.tls:
        client.tls_set_context(ssl.create_default_context(cafile=broker.ca_file))
    answered, told = threading.Event(), []

    def on_connect(_c: Any, _u: Any, _f: Any, reason: Any, _p: Any) -> None:
        told.append(reason)
        answered.set()

    client.on_connect = on_connect
    client.connect_timeout = CONNECT_S
    try:
        client.connect(broker.host, broker.port)
    except (OSError, ssl.SSLError) as no:
        raise DeviceError(f"{broker.host}:{broker.port}: {no}") from no
    client.loop_start()
    try:
        if not answered.wait(CONNECT_S):
            raise DeviceError(f"{broker.host}:{broker.port}: no answer")
    finally:
        client.disconnect()
        client.loop_stop()
    reason = told[0]
    if reason.is_failure:
        if reason.value in _REFUSED:
            raise AuthError(str(reason))
        raise DeviceError(str(reason))
    return {"broker": f"{broker.host}:{broker.port}"}
