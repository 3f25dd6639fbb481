"""The own broker's files: nobody anonymous, nobody else reads, secrets kept."""

import base64
import hashlib
import stat
from pathlib import Path

from core.registry.secrets import Secrets
from core.texts import catalogue
from integrations.mqtt import broker
from integrations.mqtt.flow import OWN_SECRET


def test_files_are_private_and_passwords_hashed(tmp_path: Path) -> None:
    conf = broker.prepare(tmp_path, devices={"h07": (), "gate": ("site/gate/#",)})
    folder = conf.parent
    for file in folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = conf.read_text()
    assert "allow_anonymous false" in text
    assert "listener 1883 127.0.0.1" in text
    passwords = (folder / "passwords").read_text()
    secret = Secrets(tmp_path).get_or_create(OWN_SECRET)
    assert secret not in passwords
    assert [line.split(":")[0] for line in passwords.splitlines()] == [
        "hub",
        "h07",
        "gate",
    ]
    acl = (folder / "acl").read_text()
    assert "user gate\ntopic read homeassistant/status" in acl
    assert "topic readwrite site/gate/#" in acl
    assert "pattern readwrite +/%u/#" in acl


def test_a_second_start_keeps_the_password(tmp_path: Path) -> None:
    broker.prepare(tmp_path)
    first = Secrets(tmp_path).get_or_create(OWN_SECRET)
    broker.prepare(tmp_path, port=1999)
    assert Secrets(tmp_path).get_or_create(OWN_SECRET) == first


def test_the_password_line_is_what_mosquitto_checks() -> None:
    user, hashed = broker.password_line("hub", "secret").split(":")
    _, kind, rounds, salt, key = hashed.split("$")
    again = hashlib.pbkdf2_hmac(
        "sha512", b"secret", base64.b64decode(salt), int(rounds), 64
    )
    assert (user, kind) == ("hub", "7")
    assert base64.b64decode(key) == again


def test_every_code_of_the_integration_has_its_sentence() -> None:
    folder = Path(broker.__file__).parent
    said = set()
    for file in folder.glob("*.py"):
        for part in file.read_text(encoding="utf-8").split('"mqtt.')[1:]:
            said.add("mqtt." + part.split('"')[0])
    names = {"mqtt.hub", "mqtt.password", "mqtt.device."}
    assert said - names <= set(catalogue()), sorted(said - names - set(catalogue()))
