"""Design §5 Personal data: encrypted per person, erased by the key, never silent."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.people.vault import KINDS, MAX_BYTES, Standing, Vault, VaultError
from core.registry.secrets import Secrets

PERSONS = st.text(min_size=1, max_size=20)
CONTENT = st.binary(max_size=200)


def files(data: Path) -> list[Path]:
    return [p for p in (data / "vault").rglob("*") if p.is_file()]


@settings(max_examples=20)
@given(PERSONS, st.sampled_from(KINDS), CONTENT)
def test_what_is_put_is_found_again_by_a_new_process(
    person: str, kind: str, content: bytes
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        name = Vault(Path(folder)).put(person, kind, content)
        again = Vault(Path(folder))
        assert again.get(person, kind, name) == content
        assert again.put(person, kind, content) == name
        assert all(p.stat().st_mode & 0o777 == 0o600 for p in files(Path(folder)))


@settings(max_examples=20)
@given(PERSONS, CONTENT, CONTENT)
def test_an_erased_person_is_unreadable_everywhere(
    person: str, fields: bytes, photo: bytes
) -> None:
    """Deletion destroys the key: not even kept copies of the blobs can be read."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        vault = Vault(data)
        names = {
            "fields": vault.put(person, "fields", fields),
            "photo": vault.put(person, "photo", photo),
        }
        kept = vault.put("else", "fields", b"another person")
        copies = {p: p.read_bytes() for p in files(data) if p.name in names.values()}
        vault.erase(person)
        vault.erase(person)
        for one in (vault, Vault(data)):
            for kind, name in names.items():
                assert one.verify(person, kind, name) is Standing.ERASED
            with pytest.raises(VaultError):
                one.put(person, "fields", b"again")
            assert one.get("else", "fields", kept) == b"another person"
        for path, stored in copies.items():
            path.write_bytes(stored)
        folder_of = next(iter(copies)).parent
        (folder_of / "erased").unlink()
        for kind, name in names.items():
            assert Vault(data).verify(person, kind, name) is Standing.MISSING
        assert Vault(data).put(person, "fields", fields) != names["fields"]


@settings(max_examples=30)
@given(CONTENT, st.integers(0, 10**6), st.integers(0, 7), st.booleans())
def test_every_flipped_bit_is_seen(
    content: bytes, at: int, bit: int, in_key: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        vault = Vault(Path(folder))
        name = vault.put("ann", "fields", content)
        (path,) = (p for p in files(Path(folder)) if (p.name == "key") == in_key)
        stored = bytearray(path.read_bytes())
        stored[at % len(stored)] ^= 1 << bit
        path.write_bytes(stored)
        assert Vault(Path(folder)).verify("ann", "fields", name) is Standing.DAMAGED


@pytest.mark.parametrize("cut", [0, 3, 16, 20])
def test_a_cut_file_is_damaged(tmp_path: Path, cut: int) -> None:
    vault = Vault(tmp_path)
    name = vault.put("ann", "fields", b"content")
    (path,) = (p for p in files(tmp_path) if p.name == name)
    path.write_bytes(path.read_bytes()[:cut])
    assert vault.verify("ann", "fields", name) is Standing.DAMAGED


def test_another_sites_key_opens_nothing(tmp_path: Path) -> None:
    name = Vault(tmp_path).put("ann", "fields", b"content")
    other = Vault(tmp_path, Secrets(tmp_path / "other"))
    assert other.verify("ann", "fields", name) is Standing.DAMAGED


def test_a_blob_is_of_one_person_and_one_kind(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    name = vault.put("ann", "fields", b"content")
    vault.put("bob", "fields", b"content")
    assert vault.verify("ann", "photo", name) is Standing.DAMAGED
    assert vault.verify("bob", "fields", name) is Standing.MISSING
    source = next(p for p in files(tmp_path) if p.name == name)
    (bobs,) = {p.parent for p in files(tmp_path)} - {source.parent}
    (bobs / name).write_bytes(source.read_bytes())
    assert vault.verify("bob", "fields", name) is Standing.DAMAGED


def test_equal_content_has_another_name_for_each_person(tmp_path: Path) -> None:
    """A salted hash: the journal does not tell who shares a birthday."""
    vault = Vault(tmp_path)
    assert vault.put("ann", "fields", b"x") != vault.put("bob", "fields", b"x")


@pytest.mark.parametrize("name", ["", "../key", "key", "A" * 64, "0" * 63])
def test_a_name_is_never_a_path(tmp_path: Path, name: str) -> None:
    vault = Vault(tmp_path)
    vault.put("ann", "fields", b"content")
    assert vault.verify("ann", "fields", name) is Standing.MISSING


def test_too_large_and_unknown_kinds_are_named(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    with pytest.raises(ValueError, match="at most"):
        vault.put("ann", "photo", bytes(MAX_BYTES + 1))
    with pytest.raises(ValueError, match="one of"):
        vault.put("ann", "video", b"")
    assert not (tmp_path / "vault").exists()


def test_a_damaged_blob_is_mended_by_putting_it_again(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    name = vault.put("ann", "fields", b"content")
    next(p for p in files(tmp_path) if p.name == name).write_bytes(b"SHV1")
    assert vault.put("ann", "fields", b"content") == name
    assert vault.get("ann", "fields", name) == b"content"


def test_nothing_personal_stands_in_clear(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    vault.put("ann", "fields", "张伟 secret-number".encode())
    for path in files(tmp_path):
        assert b"secret-number" not in path.read_bytes()
        assert "ann" not in str(path.relative_to(tmp_path))
    assert "secret" not in repr(vault)


def test_two_processes_make_one_key(tmp_path: Path) -> None:
    """Gateway and import may meet a person at the same moment."""
    first, second = Vault(tmp_path), Vault(tmp_path)
    made = second._key("ann", create=True)
    path = first.person_folder("ann") / "key"
    kept = path.read_bytes()
    path.unlink()

    def late(size: int) -> bytes:
        path.write_bytes(kept)
        return bytes(size)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.people.vault.fresh", late)
        assert first._key("ann", create=True) == made


def test_a_face_goes_alone_when_its_consent_ends(tmp_path: Path) -> None:
    """Design §5: a template's key is its own; without it kept copies say nothing."""
    vault = Vault(tmp_path)
    face = vault.put("ann", "template", b"vector")
    other = vault.put("ann", "template", b"another")
    photo = vault.put("ann", "photo", b"picture")
    copies = {path: path.read_bytes() for path in files(tmp_path) if path.name == face}
    assert copies
    vault.erase_template("ann", face)
    vault.erase_template("ann", face)
    for one in (vault, Vault(tmp_path)):
        assert one.verify("ann", "template", face) is Standing.ERASED
        assert one.get("ann", "template", other) == b"another"
        assert one.get("ann", "photo", photo) == b"picture"
        with pytest.raises(VaultError) as refused:
            one.put("ann", "template", b"vector")
        assert refused.value.standing is Standing.ERASED
    for path, stored in copies.items():
        path.write_bytes(stored)
        path.with_name(f"{face}.erased").unlink()
    assert vault.verify("ann", "template", face) is Standing.MISSING
    with pytest.raises(ValueError, match="no name"):
        vault.erase_template("ann", "../key")
