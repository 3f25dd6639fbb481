"""A simulated OPC UA server: nodes made from the driver's own map, and their faults."""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any

from asyncua import Server, ua
from asyncua.common.node import Node
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.internal_server import InternalServer
from asyncua.server.user_managers import UserManager

from core.api.clock import NS, RealClock
from integrations.opcua import flow, kept, nodes

# A client that goes away in the middle of a frame is what this is made for.
logging.getLogger("asyncua").setLevel(logging.CRITICAL + 1)

APPLICATION = "urn:safehold:simulated-plc"
_POLICIES = {
    ("none", ""): ua.SecurityPolicyType.NoSecurity,
    ("basic256sha256", "sign"): ua.SecurityPolicyType.Basic256Sha256_Sign,
    (
        "basic256sha256",
        "sign_and_encrypt",
    ): ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt,
    (
        "aes256_sha256_rsapss",
        "sign_and_encrypt",
    ): ua.SecurityPolicyType.Aes256Sha256RsaPss_SignAndEncrypt,
    (
        "aes128_sha256_rsaoaep",
        "sign_and_encrypt",
    ): ua.SecurityPolicyType.Aes128Sha256RsaOaep_SignAndEncrypt,
}
_TYPES = {
    bool: ua.VariantType.Boolean,
    int: ua.VariantType.Int32,
    float: ua.VariantType.Double,
    str: ua.VariantType.String,
}
#: How far back a replayed value says that it was measured.
_REPLAY_S = 60


class Users(UserManager):
    """Let in one user, or anybody where none is named."""

    def __init__(self, name: str | None, password: str) -> None:
        self._name, self._password = name, password

    def get_user(
        self,
        iserver: InternalServer,
        username: str | None = None,
        password: str | None = None,
        certificate: Any = None,
    ) -> User | None:
        """Return the user, or None to refuse."""
        right = (username, password) == (self._name, self._password)
        return User(role=UserRole.User) if self._name is None or right else None


class Variable:
    """One node: its value, status and what it was before."""

    def __init__(self, node: Node, value: Any, follows: Node | None = None) -> None:
        self.node, self.value, self.follows = node, value, follows
        self.before = value
        self.status = 0


class SimulatedDevice:
    """Hold one device's nodes; ``tick`` writes them as a PLC's cycle does."""

    def __init__(
        self,
        said: Mapping[str, Any],
        clock: RealClock,
        say: Callable[[dict[str, Any]], None],
    ) -> None:
        self.uid: str = said["uid"]
        self.faults: dict[str, Any] = {}
        self.variables: dict[str, Variable] = {}
        self._said, self._clock, self._say = said, clock, say
        self._heart: Node | None = None
        self._beats = 0

    async def build(self, server: Server) -> None:
        """Add the device's nodes to the server."""
        place = server.nodes.objects
        space = self._said.get("namespace", "")
        for uid, entity in flow.entities(self._said).items():
            node = await _add(server, place, entity["node"], space, _first(entity))
            follows = None
            if "output" in entity:
                written = entity.get("write", entity["node"])
                target = node
                if written != entity["node"]:
                    target = await _add(server, place, written, space, _first(entity))
                    follows = target
                await target.set_writable()
            self.variables[uid] = Variable(node, _first(entity), follows)
        beat = flow.heartbeat(self._said)
        if beat is not None:
            self._heart = await _add(server, place, beat["node"], space, 0)

    def put(self, uid: str, value: Any) -> None:
        """Let a node have a value from the next cycle on."""
        variable = self.variables[uid]
        if isinstance(variable.value, float) and isinstance(value, int):
            value = float(value)
        variable.before, variable.value = variable.value, value

    def enter(self, state: str) -> None:
        """Let every node carry a status code by its name, or ``normal``."""
        code = 0 if state == "normal" else getattr(ua.StatusCodes, state, None)
        if code is None:
            raise ValueError(f"no status code {state!r}")
        for variable in self.variables.values():
            variable.status = code

    async def tick(self) -> None:
        """Write one cycle: values, their time, the heartbeat."""
        if self.faults.get("frozen"):
            return
        now = self._clock.wall_ns() / NS + float(self.faults.get("clock_s", 0))
        for uid, variable in self.variables.items():
            await self._follow(uid, variable)
            value, at = variable.value, now
            if self.faults.get("replay"):
                value, at = variable.before, now - _REPLAY_S
            data = ua.DataValue(
                ua.Variant(value, _TYPES[type(value)]),
                StatusCode=ua.StatusCode(ua.UInt32(variable.status)),
                SourceTimestamp=ua.DateTime.fromtimestamp(at, UTC),
            )
            await variable.node.write_value(data)
        self._beats += 1
        if self._heart is not None:
            await self._heart.write_value(self._beats, ua.VariantType.Int32)

    async def _follow(self, uid: str, variable: Variable) -> None:
        """Let an output do what its command node, or somebody's write, says."""
        node = variable.follows or variable.node
        if "output" not in flow.entities(self._said)[uid]:
            return
        told = await node.read_value()
        if told != variable.value:
            variable.before = variable.value = told
            self._say(
                {"event": "output", "device": self.uid, "entity": uid, "value": told}
            )


def _first(entity: Mapping[str, Any]) -> Any:
    if entity["kind"] == "output":
        return entity.get("off", False)
    if entity["kind"] == "binary":
        return False
    return "" if entity["kind"] == "location" else 0.0


async def _add(server: Server, place: Node, text: str, space: str, value: Any) -> Node:
    ref = nodes.parse(text, space)
    await server.register_namespace(ref.uri)
    node = nodes.resolve(ref, await server.get_namespace_array())
    name = ua.QualifiedName(ref.id, ua.UInt16(node.NamespaceIndex))
    return await place.add_variable(node, name, value, _TYPES[type(value)])


class SimulatedServer:
    """Run one server of the options behind the simulator's front door."""

    def __init__(
        self, said: Mapping[str, Any], secrets: Mapping[str, str], port: int
    ) -> None:
        self.said, self.port = said, port
        self._server = Server(
            user_manager=Users(
                said.get("username"), secrets.get(said.get("password", ""), "")
            )
        )
        self.identity = kept.identity(APPLICATION, said["id"])

    async def start(self, devices: list[SimulatedDevice]) -> None:
        """Build the address space and listen on loopback."""
        server = self._server
        await server.init()
        server.set_endpoint(f"opc.tcp://127.0.0.1:{self.port}{self.said['path']}")
        await server.set_application_uri(APPLICATION)
        security = self.said["security"]
        policy = security["policy"]
        mode = "" if policy == "none" else security["mode"]
        wanted = [_POLICIES[policy, mode]]
        if policy != "none":
            # Endpoints are told over an open channel; no session is had there.
            await server.load_certificate(self.identity.certificate)
            await server.load_private_key(self.identity.key)
            tokens: list[type] = [ua.AnonymousIdentityToken]
            if "username" in self.said:
                tokens = [ua.UserNameIdentityToken]
            server.set_identity_tokens(tokens)
        server.set_security_policy(wanted)
        # Its first namespace is its own: the map's index differs from any guess.
        await server.register_namespace("urn:safehold:simulated-plc:own")
        for device in devices:
            await device.build(server)
        await server.start()

    async def stop(self) -> None:
        """Stop serving; sessions that their clients left behind end with it."""
        for session in list(self._server.iserver._external_sessions.values()):
            await session.close_session(True)
        await self._server.stop()
