"""Start the site's own broker: ``python -m integrations.mqtt.broker --data DIR``.

Writes mosquitto's configuration (no anonymous access, a generated password and
an ACL for each client) and becomes mosquitto by exec, so that its parent watches
the broker itself. Where mosquitto is not installed amqtt serves as a fallback:
MQTT 3.1.1 alone at ten times the CPU, and it says so.
"""

import argparse
import asyncio
import base64
import hashlib
import logging
import os
import pwd
import secrets
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.processes import parent
from core.registry.secrets import Secrets
from integrations.mqtt.flow import OWN_PORT, OWN_SECRET, OWN_USER

LOG = logging.getLogger("safehold.mqtt.broker")
#: Prefix of a device's password in the secret store.
DEVICE_SECRET = "mqtt.device."  # noqa: S105 - a name, not a secret
ITERATIONS = 20_000
MEMORY_LIMIT = 67_108_864
MESSAGE_LIMIT = 262_144
#: What every device may hear of the hub.
_SHARED = ("homeassistant/status", "safehold/hub/+/status")
_PLACES = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")


def find_mosquitto() -> str | None:
    """Return mosquitto's path; Debian keeps it out of a user's PATH."""
    return shutil.which("mosquitto") or shutil.which(
        "mosquitto", path=os.pathsep.join(_PLACES)
    )


def password_line(user: str, password: str) -> str:
    """Return a line of mosquitto's password file (PBKDF2-HMAC-SHA512, its type 7).

    Made here, not by mosquitto_passwd, whose argument list all users can read.
    """
    salt = secrets.token_bytes(12)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS, 64)
    encoded = [base64.b64encode(part).decode() for part in (salt, key)]
    return f"{user}:$7${ITERATIONS}${encoded[0]}${encoded[1]}"


def _own_topics(user: str) -> list[str]:
    """Return the topics that bear a device's own name."""
    return [f"{user}/#", f"+/{user}/#", f"homeassistant/+/{user}/+/config"]


def acl(devices: Mapping[str, Sequence[str]]) -> str:
    """Return the ACL: the hub all, a device what bears its own name and its grants."""
    lines = [f"user {OWN_USER}", "topic readwrite #", "topic read $SYS/#", ""]
    for user, filters in devices.items():
        lines += [
            f"user {user}",
            *(f"topic read {f}" for f in _SHARED),
            *(f"topic readwrite {f}" for f in filters),
            "",
        ]
    # %u is the user's name. The hub's own topics are nobody else's.
    lines += [f"pattern readwrite {f}" for f in _own_topics("%u")]
    return "\n".join(lines) + "\n"


def configuration(folder: Path, address: str, port: int, tls: Sequence[str]) -> str:
    """Return mosquitto.conf; queues and memory are bounded."""
    lines = [
        "per_listener_settings false",
        f"listener {port} {address}",
        "set_tcp_nodelay true",
        "allow_anonymous false",
        f"password_file {folder / 'passwords'}",
        f"acl_file {folder / 'acl'}",
        "persistence true",
        f"persistence_location {folder}/",
        "autosave_interval 60",
        f"memory_limit {MEMORY_LIMIT}",
        f"max_packet_size {MESSAGE_LIMIT}",
        # Unacknowledged events of the safety lane must not stop the telemetry.
        "max_inflight_messages 500",
        "max_queued_messages 10000",
        "max_keepalive 120",
        "persistent_client_expiration 14d",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        "connection_messages false",
        f"user {pwd.getpwuid(os.getuid()).pw_name}",
    ]
    if tls:
        lines += [f"certfile {tls[0]}", f"keyfile {tls[1]}", "tls_version tlsv1.2"]
    return "\n".join(lines) + "\n"


def prepare(
    data: Path,
    port: int = OWN_PORT,
    address: str = "127.0.0.1",
    devices: Mapping[str, Sequence[str]] | None = None,
    tls: Sequence[str] = (),
) -> Path:
    """Write all files below ``data``/mqtt, mode 0600; return mosquitto.conf.

    Secrets are kept in the site's store (`OWN_SECRET`, `DEVICE_SECRET` + name).
    """
    devices = devices or {}
    folder = data / "mqtt"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    store = Secrets(data)
    lines = [password_line(OWN_USER, store.get_or_create(OWN_SECRET))]
    lines += [
        password_line(user, store.get_or_create(DEVICE_SECRET + user))
        for user in devices
    ]
    _write(folder / "passwords", "\n".join(lines) + "\n")
    _write(folder / "acl", acl(devices))
    file = folder / "mosquitto.conf"
    _write(file, configuration(folder, address, port, tls))
    return file


def _write(path: Path, text: str) -> None:
    """Replace a file whole; nobody else may read it."""
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(text)
    part.replace(path)


def _device(text: str) -> tuple[str, list[str]]:
    """Read ``NAME`` or ``NAME=FILTER,FILTER``; the name is a user and a topic level."""
    name, _, filters = text.partition("=")
    if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
        raise argparse.ArgumentTypeError("a name has letters, digits, - and _")
    if name == OWN_USER:
        raise argparse.ArgumentTypeError(f"{OWN_USER!r} is the hub itself")
    return name, [f for f in filters.split(",") if f and not set(f) & set("\r\n\0")]


def _amqtt_configuration(
    passwords: Path, bind: str, devices: Mapping[str, Sequence[str]]
) -> dict[str, object]:
    own = {u: [*grants, *_own_topics(u)] for u, grants in devices.items()}
    writes = {OWN_USER: ["#"], **own}
    reads = {user: [*topics, *_SHARED] for user, topics in writes.items()}
    plugins = "amqtt.plugins"
    return {
        "listeners": {"default": {"type": "tcp", "bind": bind, "max_connections": 500}},
        "plugins": {
            f"{plugins}.authentication.FileAuthPlugin": {
                "password_file": str(passwords)
            },
            f"{plugins}.topic_checking.TopicAccessControlListPlugin": {
                "publish_acl": writes,
                "acl": reads,
            },
        },
    }


async def _serve_amqtt(
    data: Path, port: int, address: str, devices: Mapping[str, Sequence[str]]
) -> None:
    """Serve by amqtt: passwords and ACL, but no MQTT 5 and no lasting sessions."""
    from amqtt.broker import Broker
    from argon2 import PasswordHasher

    store = Secrets(data)
    names = {OWN_USER: OWN_SECRET, **{u: DEVICE_SECRET + u for u in devices}}
    hasher = PasswordHasher()
    lines = [f"{u}:{hasher.hash(store.get_or_create(n))}" for u, n in names.items()]
    file = data / "mqtt" / "passwords.amqtt"
    _write(file, "\n".join(lines) + "\n")
    broker = Broker(_amqtt_configuration(file, f"{address}:{port}", devices))
    await broker.start()
    try:
        await asyncio.Event().wait()
    finally:
        await broker.shutdown()


def main(arguments: Sequence[str] | None = None) -> int:
    """Become the broker; returns only when none could be started."""
    parser = argparse.ArgumentParser(prog="integrations.mqtt.broker")
    parser.add_argument(
        "--data", type=Path, required=True, help="the hub's data folder"
    )
    parser.add_argument("--port", type=int, default=OWN_PORT)
    parser.add_argument(
        "--listen", action="store_true", help="serve the site's network"
    )
    parser.add_argument("--device", type=_device, action="append", default=[])
    parser.add_argument("--fallback", action="store_true", help="use amqtt")
    parser.add_argument("--tls", nargs=2, default=(), metavar=("CERT", "KEY"))
    asked = parser.parse_args(arguments)
    logging.basicConfig(
        level=logging.WARNING, format="%(name)s %(levelname)s %(message)s"
    )
    address = "0.0.0.0" if asked.listen else "127.0.0.1"  # noqa: S104 - asked for
    data = asked.data.resolve()
    devices = dict(asked.device)
    conf = prepare(data, asked.port, address, devices, asked.tls)
    mosquitto = None if asked.fallback else find_mosquitto()
    if mosquitto is not None:
        parent.die_with()  # it stays tied to its parent through the exec
        os.execv(mosquitto, [mosquitto, "-c", str(conf)])  # noqa: S606 - no shell
    LOG.warning(
        "no mosquitto here (apt install mosquitto): amqtt serves as a "
        "fallback, MQTT 3.1.1 only, queues lost on a restart, ten times the CPU"
    )
    try:
        asyncio.run(_serve_amqtt(data, asked.port, address, devices))
    except ImportError:
        LOG.error(
            "no broker: apt install mosquitto, or pip install safehold[broker-fallback]"
        )
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
