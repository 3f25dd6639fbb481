"""The own broker over TLS, and the fallback where mosquitto is not installed."""

import datetime
import ipaddress
import json
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from integrations.mqtt.integration import MqttIntegration
from tests.support.broker import OwnBroker
from tests.support.host import FakeHost, Running
from tests.support.waiting import until


def certificate(folder: Path) -> tuple[Path, Path]:
    """Write a self-signed certificate of 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "site broker")])
    day = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(day)
        .not_valid_after(day + datetime.timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return cert_file, key_file


async def test_tls_carries_more_than_one_record_at_a_time(tmp_path: Path) -> None:
    """What TLS has decrypted already is announced by no selector: read it all."""
    cert, key = certificate(tmp_path)
    broker = OwnBroker(tmp_path / "data", more=("--tls", str(cert), str(key)))
    broker.start()
    try:
        where = {"host": "127.0.0.1", "port": broker.port, "tls": True}
        who = {"username": "hub", "password": broker.password()}
        link = {**where, **who, "ca_file": str(cert)}
        host, other = FakeHost({"broker": link}), FakeHost({"broker": link})
        other.options = {"broker": link, "client_id": "device", "discovery": False}
        hub, device = MqttIntegration(host), MqttIntegration(other)
        async with Running(hub), Running(device):
            await until(lambda: hub.client.connected, "the hub's session")
            await until(lambda: device.client.connected, "the device's session")
            config = {"stat_t": "big", "uniq_id": "u"}
            told = json.dumps(config).encode()
            device.client.publish("homeassistant/sensor/o/config", told)
            await until(lambda: hub.client.hears("big"), "the subscription")
            for number in range(200):
                device.client.publish("big", f"{number:>5} {'x' * 2_000}".encode())
            await until(lambda: len(host.reports.get(("u", "u"), [])) == 200, "all")
        assert [int(str(r.value)[:5]) for r in host.reports["u", "u"]] == list(
            range(200)
        )
        wrong = FakeHost({"broker": {**where, **who}})
        stranger = MqttIntegration(wrong)
        async with Running(stranger):
            error = stranger.client.counters
            await until(lambda: "CERTIFICATE" in error.last_error.upper(), "refusal")
            assert not stranger.client.connected
    finally:
        broker.stop()


async def test_amqtt_serves_where_mosquitto_cannot(tmp_path: Path) -> None:
    pytest.importorskip("amqtt", reason="pip install safehold[broker-fallback]")
    broker = OwnBroker(tmp_path, more=("--fallback",))
    broker.start()
    try:
        host = FakeHost(broker.options())
        hub = MqttIntegration(host)
        async with Running(hub):
            await until(lambda: hub.client.connected, "the session in 3.1.1")
            assert host.counts["mqtt.version_fallback"] == 1
    finally:
        broker.stop()
