"""Every row is accepted whole or refused with its reason (rows 1.50, 1.64, 1.68)."""

import tempfile
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import texts
from core.api import documents
from core.api.errors import ConfigError
from frontend_api.ledgers import mapping as mappings
from frontend_api.ledgers import plan as plans
from frontend_api.ledgers.apply import changes
from frontend_api.ledgers.cells import Cell
from frontend_api.ledgers.plan import Fields, Holding, Known, Plan
from frontend_api.ledgers.report import preview, rejects_csv
from frontend_api.ledgers.sheet import LedgerError, Sheet, read
from tests.unit.ledgers.people import (
    HEADS,
    NAMES,
    NUMBERS,
    PHONES,
    TODAY,
    WRITTEN,
    csv_bytes,
    number,
    sound_workbook,
    wide,
    workbook,
    written,
)

CARDS, ROSTER = mappings.load("cn-cards"), mappings.load("cn-roster")
A, B = number(order=11), number(order=23)
ROW = ["1", "张伟", A, "13800138000", "分包甲", "电焊工", "T1101", "2028年3月1日"]


def plan_of(*rows: list[str], known: Known | None = None) -> Plan:
    sheet = Sheet("s", [list[Cell](row) for row in (HEADS, *rows)])
    return plans.make(CARDS, [sheet], known or Known(), TODAY)


def row(**changed: str) -> list[str]:
    """Return the good row with some cells changed, by English names."""
    at = dict(
        zip("no name id phone company trade card end".split(), range(8), strict=True)
    )
    made = list(ROW)
    for field, value in changed.items():
        made[at[field]] = value
    return made


def why(plan: Plan) -> list[tuple[int, str, str]]:
    return [(r.row, r.column, r.code) for r in plan.rejects]


# --- files -------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_is_read_in_its_three_encodings(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "ledger.csv"
    file.write_bytes(csv_bytes([HEADS, ROW], encoding))
    (entry,) = plans.make(CARDS, read(file), Known(), TODAY).entries
    assert entry.fields == Fields(name="张伟", id_number=A, phone="13800138000")
    assert entry.card is not None
    assert (entry.card.trade, entry.card.valid_to) == ("hot_work", "2028-03-01")


def test_a_workbook_with_merged_cells_and_a_title_is_read(tmp_path: Path) -> None:
    """One person, three cards: name and number stand in one merged cell."""
    rows: list[list[object]] = [
        list(HEADS),
        [1, "张伟", A, 13800138000, "分包甲", "电焊工", "T1", date(2028, 3, 1)],
        [None, None, None, None, None, "低压电工", "T2", 46_900],
        [None, None, None, None, None, "架子工", "T3", wide("2028.3.1")],
    ]
    merged = tuple(f"{column}3:{column}5" for column in "ABCDE")
    file = workbook(tmp_path / "ledger.xlsx", rows, merged)
    plan = plans.make(CARDS, read(file), Known(), TODAY)
    assert not plan.rejects
    assert [e.row for e in plan.entries] == [3, 4, 5]
    (change,) = changes(plan.entries, Known(), lambda: "p-new")
    assert [c.trade for c in change.cards] == [
        "hot_work",
        "electric_low",
        "scaffolding",
    ]
    assert change.cards[1].valid_to == "2028-05-27"


def test_a_roster_with_two_lines_of_heads_is_read(tmp_path: Path) -> None:
    upper: list[object] = ["姓名", "身份证号", "工号", "单位", "特种作业证", None, None]
    lower: list[object] = [None, None, None, None, "工种", "证号", "有效期至"]
    rows: list[list[object]] = [
        upper,
        lower,
        ["李护", A, "W-7", "分包甲", "电工", "T9", "2027-01-01"],
        ["王守", B, "W-8", "分包甲", None, None, None],
    ]
    merged = ("A1:A2", "B1:B2", "C1:C2", "D1:D2", "E1:G1")
    file = workbook(tmp_path / "r.xlsx", rows, merged, title=False)
    as_csv = tmp_path / "r.csv"
    plain = [["" if c is None else str(c) for c in row] for row in rows]
    as_csv.write_bytes(csv_bytes(plain, "gb18030"))
    for one in (file, as_csv):
        plan = plans.make(ROSTER, read(one), Known(), TODAY)
        assert not plan.rejects
        assert [e.person_id for e in plan.entries] == ["W-7", "W-8"]
        assert [e.card is None for e in plan.entries] == [False, True]


def test_a_number_cell_is_refused_though_it_looks_right(tmp_path: Path) -> None:
    """Excel keeps 15 digits; the cell still shows 18."""
    rows: list[list[object]] = [list(HEADS), [1, "张伟", int(A[:17] + "0"), *ROW[3:]]]
    file = workbook(tmp_path / "ledger.xlsx", rows)
    plan = plans.make(CARDS, read(file), Known(), TODAY)
    assert why(plan) == [(3, "身份证号", "ledger.id_damaged")]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\xd0\xcf\x11\xe0old", "ledger.file_old"),
        (b"PK\x03\x04cut", "ledger.file_broken"),
        (b"\xff\xfea\0", "ledger.csv_encoding"),
        (b"\x81", "ledger.csv_encoding"),
        (b'"open', "ledger.csv_form"),
        (b"", "ledger.no_header"),
        ("甲,乙\n".encode(), "ledger.no_header"),
        (b"x" * 3000, "ledger.cell_long"),
        (b"," * 300 + b"x\n", "ledger.columns_many"),
    ],
)
def test_a_file_that_is_no_ledger_says_so(
    tmp_path: Path, content: bytes, code: str
) -> None:
    file = tmp_path / "ledger.xlsx"
    file.write_bytes(content)
    with pytest.raises(LedgerError) as bad:
        plans.make(CARDS, read(file), Known(), TODAY)
    assert bad.value.reason == code
    assert texts.render(code, bad.value.params, "zh") != code


def test_a_zip_bomb_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    import zipfile

    file = workbook(tmp_path / "ledger.xlsx", [list(HEADS), list(ROW)])
    for name, content in (
        ("xl/media/more.bin", bytes(32 << 20)),
        ("xl/more.xml", b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a/>"),
    ):
        bomb = tmp_path / "bomb.xlsx"
        bomb.write_bytes(file.read_bytes())
        with zipfile.ZipFile(bomb, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, content)
        with pytest.raises(LedgerError) as bad:
            read(bomb)
        assert bad.value.reason == "ledger.file_bomb"


@settings(max_examples=60)
@given(st.data())
def test_a_damaged_workbook_never_ends_in_another_error(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "l.xlsx"
        stored = bytearray(sound_workbook(tuple(HEADS), tuple(ROW)))
        for _ in range(data.draw(st.integers(1, 4))):
            stored[data.draw(st.integers(0, len(stored) - 1))] ^= 1 << data.draw(
                st.integers(0, 7)
            )
        file.write_bytes(stored[: data.draw(st.integers(2, len(stored)))])
        try:
            plan = plans.make(CARDS, read(file), Known(), TODAY)
        except LedgerError as bad:
            assert bad.reason.startswith("ledger.")
        else:
            assert len(plan.entries) + len(plan.refused_rows()) + plan.blank <= 3


# --- rows --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "column", "code"),
    [
        ({"name": ""}, "姓名", "ledger.empty"),
        ({"id": "1.10101E+17"}, "身份证号", "ledger.id_damaged"),
        ({"phone": "139"}, "联系电话", "ledger.phone_form"),
        ({"trade": "杂工"}, "工种", "ledger.value_unknown"),
        ({"card": ""}, "证书编号", "ledger.empty"),
        ({"card": "1.2E+17"}, "证书编号", "ledger.number_damaged"),
        ({"end": ""}, "有效期至", "ledger.no_end"),
        ({"end": "长期"}, "有效期至", "ledger.no_date"),
        ({"end": "2026.2.28"}, "有效期至", "ledger.card_expired"),
    ],
)
def test_a_bad_cell_is_named_by_row_and_column(
    changed: dict[str, str], column: str, code: str
) -> None:
    plan = plan_of(row(**changed))
    assert not plan.entries
    assert (2, column, code) in why(plan)


def test_every_bad_cell_of_a_row_is_told_at_once() -> None:
    plan = plan_of(row(name="", id="5", end="x"))
    assert {column for _, column, _ in why(plan)} == {"姓名", "身份证号", "有效期至"}


def test_duplicates_and_contradictions_name_the_first_row() -> None:
    plan = plan_of(
        ROW,
        ROW,
        row(name="李四", card="T2"),
        row(card="T1101", id=B, name="李四"),
        row(phone="", card="T3"),
        row(company="分包乙", card="T4"),
    )
    assert why(plan) == [
        (3, "证书编号", "ledger.duplicate"),
        (4, "姓名", "ledger.differs"),
        (5, "证书编号", "ledger.duplicate"),
        (7, "所属单位", "ledger.differs"),
    ]
    assert [e.row for e in plan.entries] == [2, 6]


def test_what_the_site_knows_is_not_doubled_nor_contradicted() -> None:
    held = Holding(
        person_id="p-1",
        fields=Fields(name="张伟", id_number=A, phone="13800138000"),
        company="分包甲",
        cards={
            ("hot_work", "T1101", "2028-03-01"): "",
            ("hot_work", "T0", "2028-03-01"): "lost",
        },
    )
    known = Known(by_number={A: held}, ended=frozenset({"旧单位"}))
    plan = plan_of(
        ROW,
        row(name="张卫", card="T2"),
        row(card="T0"),
        row(id=B, name="李四"),
        row(id=B, name="李四", card="T5", company="旧单位"),
        row(end="2031.1.1"),
        known=known,
    )
    assert [code for _, _, code in why(plan)] == [
        "ledger.card_on_site",
        "ledger.name_on_site",
        "ledger.card_withdrawn",
        "ledger.card_of_another",
        "company.ended",
    ]
    (change,) = changes(plan.entries, known, lambda: "p-new")
    assert (change.person_id, change.record, change.new) == ("p-1", False, False)
    assert [c.valid_to for c in change.cards] == ["2031-01-01"]


def test_a_person_of_the_configuration_is_met_by_name_and_company_only_once() -> None:
    """A name alone is no identity (row 1.66)."""
    known = Known(persons={"zw": ("张伟", "分包甲"), "ls": ("李四", "")})
    plan = plan_of(ROW, row(id=B, card="T2"), known=known)
    assert [c.person_id for c in changes(plan.entries, known, lambda: "new")] == [
        "zw",
        "new",
    ]
    plan = plan_of(
        row(name="李四"), row(id=B, company="分包乙", card="T2"), known=known
    )
    assert [c.new for c in changes(plan.entries, known, lambda: "new")] == [True, True]


def test_the_reject_list_carries_no_formula_and_no_number() -> None:
    plan = plan_of(row(id="5"), row(id=A[:17] + "0", trade="=cmd|' /C calc'!A0"))
    listed = rejects_csv(plan.rejects)
    assert A[:17] not in listed
    assert all(
        not line.startswith("=") for line in listed.replace(",", "\n").splitlines()
    )
    shown = preview(plan_of(ROW), changes(plan_of(ROW).entries, Known(), str), "zh")
    assert A not in shown
    assert A[-4:] in shown


@settings(max_examples=80)
@given(
    st.lists(
        st.tuples(
            NAMES,
            NUMBERS,
            PHONES,
            st.sampled_from(sorted(CARDS.values["trade"])),
            st.from_regex(r"T[0-9]{6}", fullmatch=True),
            st.dates(TODAY, TODAY + timedelta(days=2000)),
            st.sampled_from(WRITTEN),
            st.integers(-2, 7),
            st.booleans(),
        ),
        max_size=12,
    )
)
def test_no_accepted_row_loses_a_field_and_no_row_is_lost(
    people: list[tuple[str, str, str, str, str, date, str, int, bool]],
) -> None:
    """Import property: each row is accepted with all it says, or refused, or blank."""
    rows, meant = [], {}
    for at, person in enumerate(people, 2):
        name, number_, phone, trade, card, end, form, spoil, full = person
        cells = [str(at), name, number_, phone, "甲", trade, card, written(end, form)]
        cells = [wide(cell) if full else cell for cell in cells]
        if spoil == -2:
            cells = [""] * 8
        elif spoil > 0:
            cells[spoil] = {4: "甲", 3: "x"}.get(spoil, "?")
        rows.append(cells)
        meant[at] = (name, number_, phone, CARDS.values["trade"][trade], card, end)
    plan = plan_of(*rows)
    refused = plan.refused_rows()
    accepted = [entry.row for entry in plan.entries]
    assert len(accepted) == len(set(accepted))
    assert not set(accepted) & set(refused)
    assert len(accepted) + len(refused) + plan.blank == len(rows)
    for entry in plan.entries:
        assert entry.card is not None
        assert meant[entry.row] == (
            entry.fields.name,
            entry.fields.id_number,
            entry.fields.phone,
            entry.card.trade,
            entry.card.card_no,
            date.fromisoformat(entry.card.valid_to),
        )
    joined = changes(plan.entries, Known(), iter(map(str, range(99))).__next__)
    assert sum(len(change.cards) for change in joined) == len(plan.entries)
    assert sorted(r for change in joined for r in change.rows) == accepted
    for reject in plan.rejects:
        for language in ("zh", "en"):
            assert "{" not in texts.render(reject.code, reject.params, language)


# --- mapping files -----------------------------------------------------------

GOOD = """\
ledger: {id: mine, names: {zh: 台账, en: Ledger}}
columns:
  name: [姓名]
  id_number: [证件]
"""


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (GOOD + "  tel: [电话]\n", "m.yaml:5:"),
        (GOOD.replace("  id_number: [证件]\n", ""), "m.yaml:2:1: columns"),
        (GOOD + "  phone: [姓名]\n", "m.yaml:5:3: columns.phone"),
        (GOOD + "  trade: [工种]\n", "m.yaml:2:1: columns"),
        (GOOD + "values: {trade: {焊工: Hot Work}}\n", "m.yaml:5:"),
        (GOOD + "header: {rows: 9}\n", "m.yaml:5:"),
    ],
)
def test_a_wrong_mapping_names_its_line(text: str, place: str) -> None:
    with pytest.raises(ConfigError) as bad:
        mappings.build(documents.parse(text, "m.yaml"))
    assert str(bad.value).startswith(place), str(bad.value)


def test_a_mapping_of_ones_own_serves_a_roster_without_cards() -> None:
    mapping = mappings.build(documents.parse(GOOD, "m.yaml"))
    sheet = Sheet("s", [["姓名", "证件"], ["张伟", A]])
    (entry,) = plans.make(mapping, [sheet], Known(), TODAY).entries
    assert entry.card is None


def test_the_documents_own_mapping_serves() -> None:
    """docs/people.md: its example is a mapping that works, dates in one column."""
    docs = Path(__file__).resolve().parents[3] / "docs"
    sheet = Sheet("s", [["姓名", "身份证号", "工种", "证号", "有效期"]])
    sheet.rows.append(["张伟", A, "电焊工", "T1", "2023.3.1-2029.2.28"])
    for name in ("people.md", "people.zh-CN.md"):
        example = (docs / name).read_text("utf-8").split("```yaml\n")[1].split("```")[0]
        mapping = mappings.build(documents.parse(example, name))
        (entry,) = plans.make(mapping, [sheet], Known(), TODAY).entries
        assert entry.card is not None
        assert (entry.card.valid_from, entry.card.valid_to) == (
            "2023-03-01",
            "2029-02-28",
        )
