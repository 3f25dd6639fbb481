"""The only place that knows asyncua's client: one secured session with one server."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from asyncua import Client, ua
from asyncua.common.subscription import (
    DataChangeEvent,
    StatusChangeEvent,
    Subscription,
)
from asyncua.crypto import security_policies as policies
from asyncua.ua.uaerrors import UaError, UaStatusCodeError

from core.api import AuthError, ConfigError, DeviceError
from integrations.opcua import nodes
from integrations.opcua.identity import Identity, fingerprint, first_of

#: Notifications that may wait for us; beyond it the oldest is dropped.
QUEUE = 10_000
#: Items asked for in one request.
BATCH = 200
CLOSE_S = 2.0
#: The standard's own nodes: namespaces, server state, server time.
_NS0_NAMESPACES = nodes.make(2255)
_NS0_STATE, _NS0_NOW = nodes.make(2259), nodes.make(2258)
_POLICIES: dict[str, Any] = {
    "basic256sha256": policies.SecurityPolicyBasic256Sha256,
    "aes128_sha256_rsaoaep": policies.SecurityPolicyAes128Sha256RsaOaep,
    "aes256_sha256_rsapss": policies.SecurityPolicyAes256Sha256RsaPss,
}
_MODES = {
    "sign": ua.MessageSecurityMode.Sign,
    "sign_and_encrypt": ua.MessageSecurityMode.SignAndEncrypt,
}
_NO_USER = frozenset(
    {
        ua.StatusCodes.BadUserAccessDenied,
        ua.StatusCodes.BadIdentityTokenRejected,
        ua.StatusCodes.BadIdentityTokenInvalid,
    }
)
_NO_TRUST = frozenset(
    {
        ua.StatusCodes.BadSecurityChecksFailed,
        ua.StatusCodes.BadCertificateUntrusted,
        ua.StatusCodes.BadCertificateInvalid,
        ua.StatusCodes.BadCertificateUseNotAllowed,
        ua.StatusCodes.BadCertificateUriInvalid,
    }
)
#: Whatever a broken server makes the library raise.
BROKEN = (
    OSError,
    TimeoutError,
    UaError,
    ValueError,
    TypeError,
    AttributeError,
    KeyError,
    IndexError,
    asyncio.IncompleteReadError,
)

# Of its messages only those about frames that it could not read are heard.
_LOG = logging.getLogger("asyncua")
_LOG.setLevel(logging.ERROR)
_LOG.propagate = False


class Ear(logging.Handler):
    """Hear of frames that the library drops without telling its user."""

    def __init__(self, hear: Callable[[str], None]) -> None:
        super().__init__(logging.ERROR)
        self._hear = hear

    def emit(self, record: logging.LogRecord) -> None:
        """Pass on what was wrong with a frame."""
        if "ua_client" in record.name and record.exc_info:
            self._hear(repr(record.exc_info[1])[:200])

    def __enter__(self) -> "Ear":
        _LOG.addHandler(self)
        return self

    def __exit__(self, *_exc: object) -> None:
        _LOG.removeHandler(self)


class OpcUaError(DeviceError):
    """The server cannot be used now; ``reason`` is the code to report."""

    code = "opcua.link_down"

    def __init__(self, reason: str, message: str = "") -> None:
        super().__init__(message or reason, reason=reason)
        self.reason = reason


class Beat(NamedTuple):
    """Hold one proof of life: the server's state and its clock's time."""

    running: bool
    now: Any


class Session:
    """Hold one connection to a server; raises OpcUaError or AuthError."""

    def __init__(self, said: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
        self._said, self._secrets = said, secrets
        host = said["host"]
        host = f"[{host}]" if ":" in host else host
        self.url = f"opc.tcp://{host}:{said['port']}{said['path']}"
        self.timeout_s: float = max(2 * said["interval_s"], 1.0)
        self.namespaces: list[str] = []
        self._client: Client | None = None
        self._subscription: Subscription | None = None

    async def open(self) -> None:
        """Connect, prove who the server is, then say who we are."""
        client = self._client = Client(
            self.url, timeout=self.timeout_s, watchdog_intervall=self.timeout_s
        )
        client.session_timeout = 30_000
        client.name = client.description = "Safehold"
        try:
            async with asyncio.timeout(4 * self.timeout_s):
                await self._secure(client)
                await client.connect()
                told = await self._read([_NS0_NAMESPACES])
        except UaStatusCodeError as refused:
            raise _refusal(refused) from refused
        except BROKEN as failure:
            raise OpcUaError("opcua.link_down", repr(failure)) from failure
        spaces = told[0].Value.Value if told[0].Value is not None else None
        if not isinstance(spaces, list) or not all(isinstance(s, str) for s in spaces):
            raise OpcUaError("opcua.bad_answer", "no list of namespaces")
        self.namespaces = spaces

    async def _secure(self, client: Client) -> None:
        """Pin the server's certificate before anything of ours is sent."""
        security = self._said["security"]
        wanted = self._said.get("application_uri")
        secure = security["policy"] != "none"
        if not secure and wanted is None:
            return
        found = await client.connect_and_get_server_endpoints()
        if wanted is not None and all(
            each.Server.ApplicationUri != wanted for each in found
        ):
            raise OpcUaError("opcua.other_server", "another application answers")
        if not secure:
            return
        certificate = _offered(found, security)
        if certificate is None:
            raise AuthError("the server offers no such security", reason="opcua.policy")
        if fingerprint(certificate) != security["fingerprint"]:
            raise AuthError(
                "the server's certificate is not the pinned one",
                reason="opcua.certificate",
            )
        try:
            identity = Identity(self._secrets.get(security["identity"], ""))
        except ConfigError as wrong:
            raise AuthError(str(wrong), reason="opcua.no_identity") from wrong
        client.application_uri = identity.application_uri
        if "username" in self._said:
            client.set_user(self._said["username"])
            client.set_password(self._secrets.get(self._said["password"], ""))
        await client.set_security(
            _POLICIES[security["policy"]],
            identity.certificate,
            identity.key,
            server_certificate=certificate,
            mode=_MODES[security["mode"]],
        )

    async def subscribe(self, wanted: Iterable[ua.NodeId]) -> dict[int, ua.StatusCode]:
        """Monitor nodes in order; returns the client handle of each, or its refusal.

        Keys count from 0 in the order of ``wanted``; a good status is monitored.
        """
        client = self._need()
        period_ms = self._said["interval_s"] * 250
        parameters = ua.CreateSubscriptionParameters(
            RequestedPublishingInterval=period_ms,
            RequestedLifetimeCount=120,
            RequestedMaxKeepAliveCount=4,
            MaxNotificationsPerPublish=1000,
            PublishingEnabled=True,
            Priority=0,
        )
        requests = [_item(node, at, period_ms) for at, node in enumerate(wanted)]
        refused: dict[int, ua.StatusCode] = {}
        try:
            async with asyncio.timeout(4 * self.timeout_s):
                subscription = await client.create_subscription(
                    parameters, None, queue_maxsize=QUEUE
                )
                self._subscription = subscription
                for at in range(0, len(requests), BATCH):
                    part = requests[at : at + BATCH]
                    results = await subscription.create_monitored_items(part)
                    for index, result in enumerate(results):
                        if isinstance(result, ua.StatusCode):
                            refused[at + index] = result
        except UaStatusCodeError as failure:
            raise _refusal(failure) from failure
        except BROKEN as failure:
            raise OpcUaError("opcua.link_down", repr(failure)) from failure
        return refused

    async def changes(self) -> tuple[int, ua.DataValue]:
        """Return the next notification: place in ``wanted`` and data value."""
        if self._subscription is None:
            raise OpcUaError("opcua.link_down")
        while True:
            event = await self._subscription.next_event()
            if event is None or isinstance(event, StatusChangeEvent):
                raise OpcUaError("opcua.subscription_lost")
            if isinstance(event, DataChangeEvent):
                item = event.data.monitored_item
                return int(item.ClientHandle), item.Value

    @property
    def published(self) -> float | None:
        """Return a mark that moves with each publish response, keep-alives too."""
        found = self._subscription
        return found.last_publish_at if found is not None else None

    async def beat(self) -> Beat:
        """Ask for the server's state and time; silence is told within an interval."""
        wanted = [_NS0_STATE, _NS0_NOW]
        state, now = await self.read(wanted, max(self._said["interval_s"], 0.3))
        running = (
            state.Value is not None and state.Value.Value == ua.ServerState.Running
        )
        return Beat(running, now.Value.Value if now.Value is not None else None)

    async def read(
        self, wanted: list[ua.NodeId], within_s: float | None = None
    ) -> list[ua.DataValue]:
        """Read values at once."""
        try:
            async with asyncio.timeout(within_s or self.timeout_s):
                return await self._read(wanted)
        except BROKEN as failure:
            raise OpcUaError("opcua.silent", repr(failure)) from failure

    async def _read(self, wanted: list[ua.NodeId]) -> list[ua.DataValue]:
        found = await self._need().uaclient.read_attributes(
            wanted, ua.AttributeIds.Value
        )
        if len(found) != len(wanted):
            raise OpcUaError("opcua.bad_answer", "not as many values as asked for")
        return list(found)

    async def write(self, node: ua.NodeId, value: bool | float | str) -> ua.StatusCode:
        """Write a value in the type that the node already has."""
        held = (await self.read([node]))[0].Value
        if held is None:
            return ua.StatusCode(ua.UInt32(ua.StatusCodes.BadNoData))
        kind = held.VariantType
        try:
            variant = ua.Variant(_typed(value, kind), kind)
            async with asyncio.timeout(self.timeout_s):
                results = await self._need().uaclient.write_attributes(
                    [node], [ua.DataValue(variant)], ua.AttributeIds.Value
                )
            return results[0]
        except UaStatusCodeError as refused:
            return ua.StatusCode(refused.code)
        except BROKEN as failure:
            raise OpcUaError("opcua.silent", repr(failure)) from failure

    def _need(self) -> Client:
        if self._client is None:
            raise OpcUaError("opcua.link_down")
        return self._client

    async def close(self) -> None:
        """End the session politely where the server still answers, then for good."""
        client, self._client = self._client, None
        self._subscription = None
        if client is None:
            return
        try:
            async with asyncio.timeout(min(CLOSE_S, self.timeout_s)):
                await client.disconnect()
        except (*BROKEN, DeviceError):
            pass
        finally:
            client.disconnect_socket()


def _offered(
    found: Iterable[ua.EndpointDescription], security: Mapping[str, Any]
) -> bytes | None:
    """Return the certificate of the way that the options want, None without one."""
    uri, mode = _POLICIES[security["policy"]].URI, _MODES[security["mode"]]
    for each in found:
        if (each.SecurityPolicyUri, each.SecurityMode) == (uri, mode):
            if each.ServerCertificate:
                return first_of(each.ServerCertificate)
    return None


def _typed(value: bool | float | str, kind: ua.VariantType) -> Any:
    floats = (ua.VariantType.Float, ua.VariantType.Double)
    if isinstance(value, float) and kind not in floats:
        return int(value)
    return value


def _item(
    node: ua.NodeId, handle: int, sampling_ms: float
) -> ua.MonitoredItemCreateRequest:
    # A change of source time alone is news too: it proves that the source lives.
    trigger = ua.DataChangeFilter(Trigger=ua.DataChangeTrigger.StatusValueTimestamp)
    return ua.MonitoredItemCreateRequest(
        ItemToMonitor=ua.ReadValueId(NodeId=node, AttributeId=ua.AttributeIds.Value),
        MonitoringMode=ua.MonitoringMode.Reporting,
        RequestedParameters=ua.MonitoringParameters(
            ClientHandle=handle,
            SamplingInterval=sampling_ms,
            Filter=trigger,
            QueueSize=10,
            DiscardOldest=True,
        ),
    )


def _refusal(refused: UaStatusCodeError) -> DeviceError | AuthError:
    if refused.code in _NO_USER:
        return AuthError("the server refuses the user", reason="opcua.user")
    if refused.code in _NO_TRUST:
        # Somebody may be about to trust us there: worth trying again.
        return OpcUaError("opcua.not_trusted", str(refused))
    return OpcUaError("opcua.link_down", str(refused))
