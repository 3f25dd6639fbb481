"""Drafts made at the page: checked whole, compared, and arming nothing (R25)."""

from pathlib import Path

import msgspec
import pytest

from automations import drafter, pages
from automations.drafting import Desk
from automations.publish import store
from automations.rehearsal import Rehearsal
from automations.stage import Stage
from core import config
from core import state as states
from core.config import Bundle
from core.processes import drafts
from core.processes.drafts import Ask, Draft, Wish
from core.processes.state import Earlier

GAS = next(each for each in pages.blueprints() if each.id == "gas-alarm-response")


class Bench:
    """A hub with a small site, and a desk on it."""

    def __init__(self, tmp: Path) -> None:
        self.data = tmp
        stage = Stage(GAS, GAS.tests[0])
        rehearsal: Rehearsal = stage.rehearsal
        self.state = rehearsal.kernel.hub.state
        self.bundle: Bundle = config.load(config.dump(stage.bundle))
        self.chain = self.bundle.chains[0].id

    def draft(self, wish: Wish) -> Draft:
        data = config.dump(self.bundle)
        desk = Desk(
            self.data, config.digest(data), self.bundle, states.dump(self.state)
        )
        return desk.draft(wish, "sam")

    def arm(self, draft: Draft) -> str:
        """Take a draft as armed; returns the bundle before."""
        was = store(config.dump(self.bundle), self.data)
        file = self.data / "bundles" / f"{draft.hash}.bundle"
        self.bundle = config.load(file.read_bytes())
        return was


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_draft_without_yaml_shows_what_it_would_do(bench: Bench) -> None:
    wish = Wish(
        kind="add", rule="second", blueprint=GAS.id, given={"chain": bench.chain}
    )
    made = bench.draft(wish)
    assert made.problems == ()
    assert (made.two, made.life_safety, made.signer) == (True, True, "safehold")
    assert len(made.tests) == len(GAS.tests)
    assert not any(test.problems for test in made.tests)
    assert {line.sign for line in made.diff} == {"+"}
    assert any("暂停作业票" in line.zh for line in made.diff)
    assert {each.zone_id for each in made.looks} >= {"tank"}
    armed = (bench.data / "bundles" / f"{made.hash}.bundle").read_bytes()
    assert [r.id for r in config.load(armed).rules] == [GAS.id, "second"]


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (Wish(kind="add", rule="No", blueprint=GAS.id), "is no id"),
        (Wish(kind="add", rule=GAS.id, blueprint=GAS.id), "take another id"),
        (Wish(kind="add", rule="x", blueprint="nothing"), "no blueprint 'nothing'"),
        (Wish(kind="add", rule="x", blueprint=GAS.id), "needs the input 'chain'"),
        (Wish(kind="melt", rule="x"), "is none of add, change"),
        (Wish(kind="upgrade", rule="x"), "there is no rule 'x'"),
        (Wish(kind="upgrade", rule=GAS.id), "that is newest"),
        (Wish(kind="rollback", rule=GAS.id), "no earlier version"),
        (Wish(kind="remove", rule=GAS.id), "stands in the site's files"),
        (Wish(kind="upgrade", rule=GAS.id, given={}), "stands in the site's files"),
        (
            Wish(kind="add", rule="x", blueprint=GAS.id, given={"chain": "nobody"}),
            "no notify chain 'nobody'",
        ),
        (
            Wish(
                kind="add",
                rule="x",
                blueprint=GAS.id,
                given={"chain": "c", "zones": ["moon"]},
            ),
            "this site has no",
        ),
        (
            Wish(kind="add", rule="x", blueprint=GAS.id, mode="shadow"),
            "needs the input",
        ),
    ],
)
def test_a_wish_that_cannot_be_is_answered_with_its_mend(
    bench: Bench, wish: Wish, said: str
) -> None:
    made = bench.draft(wish)
    assert said in made.problems[0].en
    assert made.hash == ""


def test_a_selector_that_finds_nothing_on_this_hub_makes_no_bundle(
    bench: Bench,
) -> None:
    """R10: told before review, by the hub's own registry."""
    wish = Wish(
        kind="add", rule="wind", blueprint="height-wind", given={"chain": bench.chain}
    )
    made = bench.draft(wish)
    assert made.hash == ""
    assert "no such device" in made.problems[-1].en
    assert all(not each.devices for each in made.looks if each.en.startswith("read"))


def test_life_safety_never_begins_in_shadow(bench: Bench) -> None:
    wish = Wish(
        kind="add",
        rule="x",
        blueprint=GAS.id,
        given={"chain": bench.chain},
        mode="shadow",
    )
    assert "enforces from arming" in bench.draft(wish).problems[0].en


def test_change_upgrade_one_step_back_and_removal(bench: Bench) -> None:
    given = {"chain": bench.chain}
    add = bench.draft(Wish(kind="add", rule="own", blueprint=GAS.id, given=given))
    bench.arm(add)
    change = bench.draft(
        Wish(kind="change", rule="own", given={**given, "priority": 1})
    )
    assert {line.sign for line in change.diff} == {"", "+", "-"}
    assert [e.path for e in change.looser]
    was = bench.arm(change)

    text = GAS.file.read_text("utf-8") if GAS.file else ""
    newer = text.replace("version: 1.0.0", "version: 1.1.0").replace(
        "default: 5s", "default: 4s"
    )
    ask = Ask(
        op="import",
        data=str(bench.data),
        base="",
        bundle=config.dump(bench.bundle),
        text=newer,
    )
    answer = drafter.answer(ask)
    assert (answer.problem, answer.cards[0].version) == (None, "1.1.0")
    assert answer.cards[0].signer == ""
    up = bench.draft(Wish(kind="upgrade", rule="own"))
    assert (up.was_version, up.version) == ("1.0.0", "1.1.0")
    assert any("4s" in line.en for line in up.diff if line.sign == "+")
    was = bench.arm(up)
    earlier = config.load((bench.data / "bundles" / f"{was}.bundle").read_bytes())
    digest = next(r.blueprint_hash for r in earlier.rules if r.id == "own")
    bench.state.hub.earlier["own"] = Earlier(bundle=was, version="1.0.0", hash=digest)
    back = bench.draft(Wish(kind="rollback", rule="own"))
    assert (back.problems, back.version) == ((), "1.0.0")
    assert back.given["priority"] == 1
    bench.arm(back)
    assert bench.bundle.rules == earlier.rules
    gone = bench.draft(Wish(kind="remove", rule="own"))
    assert {line.sign for line in gone.diff} == {"-"}
    assert gone.two


def test_the_catalogue_makes_a_form_of_every_blueprint(bench: Bench) -> None:
    ask = Ask(
        op="book",
        data=str(bench.data),
        base="",
        bundle=config.dump(bench.bundle),
    )
    cards = {card.id: card for card in drafter.answer(ask).cards}
    assert set(cards) == {each.id for each in pages.blueprints()}
    chain = next(e for e in cards[GAS.id].inputs if e.id == "chain")
    assert (chain.kind, chain.required) == ("notify_chain", True)
    (told,) = drafter.answer(ask).rules
    assert (told.id, told.newer, len(told.zh)) == (GAS.id, "", len(told.en))
    broken = bench.data / "blueprints" / "odd@1.0.0-x.yaml"
    broken.parent.mkdir()
    broken.write_text("blueprint: [", "utf-8")
    again = drafter.answer(ask)
    assert len(again.cards) == len(cards)
    assert again.problem is not None
    assert "odd@1.0.0" in again.problem.en


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("blueprint: &a [*a, *a]", "blueprint.yaml:1:"),
        ("a: " + "[" * 80 + "]" * 80, "nested more than"),
        ("blueprint: {id: x}", "missing here"),
    ],
)
def test_an_upload_that_is_none_is_refused_with_its_place(
    bench: Bench, text: str, said: str
) -> None:
    ask = Ask(
        op="import",
        data=str(bench.data),
        base="",
        bundle=config.dump(bench.bundle),
        text=text,
    )
    problem = drafter.answer(ask).problem
    assert problem is not None
    assert said in problem.en


def test_drafts_are_kept_listed_and_bounded(tmp_path: Path) -> None:
    for number in range(3):
        made = Draft(
            id=f"{number:016x}", kind="add", rule="x", by="sam", made_ms=number, base=""
        )
        drafts.save(tmp_path, made)
    assert [draft.made_ms for draft in drafts.every(tmp_path)] == [2, 1, 0]
    (tmp_path / "drafts" / "bad.json").write_text("{", "utf-8")
    assert len(drafts.every(tmp_path)) == 3
    assert drafts.remove(tmp_path, f"{1:016x}")
    assert not drafts.remove(tmp_path, "../../etc/passwd")
    assert len(drafts.every(tmp_path)) == 2


def test_the_answer_crosses_the_pipe(bench: Bench) -> None:
    data = config.dump(bench.bundle)
    ask = Ask(
        op="draft",
        data=str(bench.data),
        base=config.digest(data),
        bundle=data,
        state=states.dump(bench.state),
        by="sam",
        wish=Wish(kind="add", rule="x", blueprint=GAS.id, given={"chain": bench.chain}),
    )
    sent = msgspec.msgpack.decode(msgspec.msgpack.encode(ask), type=Ask)
    answer = drafter.answer(sent)
    assert answer.draft is not None
    assert drafts.every(bench.data) == [answer.draft]
