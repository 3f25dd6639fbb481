"""Secrets: made once, kept in one 0600 file, never shown (design §5 Security)."""

import threading
from pathlib import Path

import pytest

from core.registry.secrets import Secrets


def test_secret_is_made_once_and_lasts(tmp_path: Path) -> None:
    made = Secrets(tmp_path).get_or_create("mqtt.hub")
    assert len(made) >= 32
    again = Secrets(tmp_path)
    assert again.get_or_create("mqtt.hub") == made
    assert again.get_or_create("other") != made
    assert again.get("nobody") is None
    again.put("given", "value")
    assert Secrets(tmp_path).get("given") == "value"
    assert Secrets(tmp_path).get("mqtt.hub") == made
    assert made not in repr(again)


def test_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    Secrets(tmp_path).get_or_create("a")
    file = tmp_path / "keys" / "secrets.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_all_who_ask_at_once_get_the_same(tmp_path: Path) -> None:
    got: list[str] = []
    threads = [
        threading.Thread(
            target=lambda: got.append(Secrets(tmp_path).get_or_create("x"))
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 8
    assert len(set(got)) == 1


def test_damaged_file_is_named_with_its_mend(tmp_path: Path) -> None:
    Secrets(tmp_path).get_or_create("a")
    (tmp_path / "keys" / "secrets.json").write_text("{")
    with pytest.raises(OSError, match=r"secrets\.json is damaged: restore"):
        Secrets(tmp_path).get_or_create("a")
