"""The blueprints' pages are in step with the blueprints, and the command counts."""

import pytest

from automations import blueprint_command, pages


def test_pages_are_in_step_with_what_is_shipped() -> None:
    """A page of documentation is generated from each blueprint."""
    wanted = pages.pages()
    found = {f.name: f.read_text("utf-8") for f in pages.FOLDER.glob("*.md")}
    stale = [name for name in wanted if found.get(name) != wanted[name]]
    assert not stale, f"run 'safehold blueprint pages': {stale}"
    assert set(found) == set(wanted)


def test_every_blueprint_is_shipped_in_both_languages_with_sources() -> None:
    """At least 24, each with tests, two languages, clause references."""
    shipped = pages.blueprints()
    assert len(shipped) >= 24
    for each in shipped:
        assert each.clauses, each.id
        assert each.names.zh != each.names.en, each.id
        assert each.description.zh != each.description.en, each.id
        for spec in each.inputs.values():
            assert spec["name"]["zh"] != spec["name"]["en"], each.id


def test_the_command_counts_tests(capsys: pytest.CaptureFixture[str]) -> None:
    """`blueprint test` prints the counts."""
    assert blueprint_command.main(["test", "oxygen-guard", "lone-worker"]) == 0
    said = capsys.readouterr().out
    assert "oxygen-guard" in said
    assert "2 blueprints, 7 tests passed, 0 failed" in said


def test_a_blueprint_that_is_not_there_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Errors name the place and the mend."""
    assert blueprint_command.main(["show", "nothing"]) == 2
    assert "'nothing'" in capsys.readouterr().err


def test_a_page_can_be_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """A safety lead reads what a blueprint does before taking it."""
    assert blueprint_command.main(["show", "several-gases"]) == 0
    assert "h2s / h2s_limit" in capsys.readouterr().out
