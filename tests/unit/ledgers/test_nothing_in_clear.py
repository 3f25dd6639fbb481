"""No name, phone, number, face or secret stands in clear: files, logs, answers.

Design §5 Personal data, Security: sealed at rest, never in logs or diagnostics.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec

from core import config
from core.clock import RealClock
from core.people.acts import RecordTraining
from core.people.keys_acts import ConsentToFace
from core.people.vault import Vault, VaultError
from core.registry.secrets import Secrets
from frontend_api.ledgers.apply import NotDone
from frontend_api.ledgers.site import attached
from tests.support.site import RunningHub, small_site
from tests.unit.ledgers.people import number
from tests.unit.ledgers.test_backup import safehold
from tests.unit.ledgers.test_command import _end, ledger
from tests.unit.ledgers.test_plan import row

NAME, PHONE, CARD = "诸葛孔明", "13987654321", "T44190019870615XX"
IDENTITY = number(born="19870615", order=77)
FACE, PHOTO = b"0.12345,-0.98765,0.5555", b"\xff\xd8\xffa-face-in-a-picture"


def canaries(data: Path) -> dict[str, bytes]:
    """Return what must stand nowhere in clear; the site's secrets as well."""
    texts = {"name": NAME, "phone": PHONE, "card": CARD, "identity": IDENTITY}
    found = {f"{what} {code}": text.encode(code)
             for what, text in texts.items()
             for code in ("utf-8", "gb18030", "utf-16-le")}  # fmt: skip
    found |= {"face": FACE, "photo": PHOTO}
    escaped = json.dumps(NAME).strip('"').encode()
    found |= {"name escaped": escaped}
    secrets = Secrets(data)
    for secret in secrets.names(""):
        found[f"secret {secret}"] = (secrets.get(secret) or "").encode()
    return found


def files(folder: Path) -> Iterator[Path]:
    """Yield every file but the secret store itself."""
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "secrets.json":
            yield path


async def lived(hub: RunningHub, person: str, fields: str) -> list[str]:
    """Do what touches personal data, also what fails; return all that was said."""
    data, said = hub.data, list[str]()
    vault = Vault(data)
    face = vault.put(person, "template", FACE)
    photo = vault.put(person, "photo", PHOTO)
    async with attached(data, RealClock(), "sam", "en") as there:
        training = RecordTraining(person_id=person, topic="gas", document=photo)
        await there.act(training)
        try:  # what is refused names its code, never what was meant to be kept
            await there.act(ConsentToFace(template=face))
        except NotDone as no:
            said.append(str(no))
    said += (await safehold("diagnostics", "--data", data))[1:]
    said += (await safehold("events", "--data", data))[1:]
    said += (await safehold("import", "erase", person, "--data", data))[1:]
    assert NAME.encode() in vault.get(person, "fields", fields)
    (vault.person_folder(person) / fields).write_bytes(b"SHV1" + bytes(40))
    try:
        vault.get(person, "fields", fields)
    except VaultError as error:
        said.append(f"{error} {error!r}")
    return [*said, repr(vault) + repr(Secrets(data))]


async def test_what_is_personal_stands_nowhere_in_clear(tmp_path: Path) -> None:
    officer = config.Person(id="sam", name="赵安", roles=("safety_officer", "owner"))
    site = msgspec.structs.replace(small_site(), people=(officer,))
    data, out = tmp_path / "data", tmp_path / "register"
    whole = row(name=NAME, id=IDENTITY, phone=PHONE, card=CARD, end=_end())
    by = ("--data", data, "--by", "sam")
    async with RunningHub(data, site) as hub:
        book = ledger(tmp_path, whole)
        done = await safehold("import", "people", book, "--mapping", "cn-cards", *by)
        assert done[0] == 0, done[2]
        ((person, facts),) = (await hub.attach()).state.people.cards.persons.items()
        said = await lived(hub, person, facts.fields)
    said += (await safehold("erasures", "--data", data, "--out", out))[1:]
    hidden = canaries(data)
    for path in [*files(data), out, hub.log]:
        stored = path.read_bytes()
        for what, canary in hidden.items():
            assert canary not in stored, f"{what} in {path.name}"
    everything = "\n".join(said).encode()
    for what, canary in hidden.items():
        assert canary not in everything, what
