"""What the gateway holds of a person goes with their data (design §5 Personal data)."""

from pathlib import Path

import msgspec

from core import config
from core.channels.services import secret_name
from core.clock import SimClock
from core.people.events import PersonErased
from core.registry.secrets import Secrets
from frontend_api.accounts import Accounts
from frontend_api.forgetting import Forgetting
from frontend_api.nameless import nameless
from tests.support.waiting import until
from tests.ui.fixture_server import Fixture
from tests.unit.gateway.conftest import Desk


def test_login_pin_and_addresses_go_and_anothers_stay(tmp_path: Path) -> None:
    """A dot in an id reaches nobody else's address."""
    accounts = Accounts(tmp_path / "gateway.db", SimClock())
    secrets = Secrets(tmp_path)
    for person in ("ann", "ann.b"):
        accounts.enrol(accounts.invite(person), "argon")
        accounts.set_pin(person, "argon")
        accounts.begin(person)
        secrets.put(secret_name(person, "sms"), f"+86138{person}")
    secrets.put("vault.site", "kept")
    forgetting = Forgetting(accounts, secrets)
    assert forgetting.person("ann", ["ann.b", "bob"])
    assert not forgetting.person("ann", ["ann.b", "bob"]), "nothing is left"
    assert [person for person, _, _ in accounts.listed()] == ["ann.b"]
    assert (accounts.pin("ann"), accounts.pin("ann.b")) == ("", "argon")
    assert secrets.get(secret_name("ann", "sms")) is None
    assert secrets.get(secret_name("ann.b", "sms")) == "+86138ann.b"
    assert secrets.get("vault.site") == "kept"
    accounts.close()


def test_an_erased_person_has_no_name_in_a_bundle() -> None:
    people = (
        config.Person(id="ann", name="安娜", roles=("worker",), company="北方"),
        config.Person(id="bob", name="鲍勃", roles=("issuer",)),
    )
    bundle = msgspec.structs.replace(config.EMPTY, people=people)
    shown = nameless(bundle, ["ann"])
    assert [(p.id, p.name, p.company) for p in shown.people] == [
        ("ann", "ann", ""),
        ("bob", "鲍勃", ""),
    ]
    assert nameless(bundle, ["eve"]) is bundle


async def test_an_erased_persons_name_and_login_leave_the_gateway(
    fixture: Fixture, owner: Desk
) -> None:
    """person.erased → no name in any view, no login, no address."""
    gateway = fixture.gateway
    before = {p.id: p.name for p in gateway.replica.bundle.people}
    assert before["p-sun"] != "p-sun"
    gateway.accounts.enrol(gateway.accounts.invite("p-sun"), "argon")
    gateway.notices.secrets.put(secret_name("p-sun", "sms"), "+8613800001111")
    fixture.core.emit(PersonErased(person_id="p-sun", by="p-chen"))
    vault = gateway.attachments.vault
    await until(lambda: vault.erased("p-sun"), "the pass")
    found = {p.id: p.name for p in gateway.replica.bundle.people}
    assert found == before | {"p-sun": "p-sun"}
    assert "p-sun" not in [person for person, _, _ in gateway.accounts.listed()]
    assert gateway.notices.secrets.get(secret_name("p-sun", "sms")) is None
    status, people = await owner.get("/api/v1/people")
    assert status == 200
    assert before["p-sun"] not in str(people)
