"""How long a site keeps is data with the law's least below it (GB 30871 B.3)."""

from pathlib import Path

import pytest

from automations.compile_site import compile_folder
from core.api.errors import ConfigError
from core.response.retention_policy import RetentionPolicy

SITE = """
site: {id: t, names: {zh: 甲, en: A}}
"""


def policy(folder: Path, text: str) -> RetentionPolicy:
    (folder / "site.yaml").write_text(SITE + text, "utf-8")
    return compile_folder(folder).retention


def test_a_site_that_says_nothing_keeps_the_laws_least(tmp_path: Path) -> None:
    assert policy(tmp_path, "") == RetentionPolicy(
        permit_days=365, film_days=30, task_days=365
    )


def test_a_site_may_keep_longer(tmp_path: Path) -> None:
    told = "retention: {permits: 1095d, films: 2160h, hazards: 730d}\n"
    assert policy(tmp_path, told) == RetentionPolicy(
        permit_days=1095, film_days=90, task_days=730
    )


@pytest.mark.parametrize(
    "told",
    ["permits: 364d", "films: 29d", "hazards: 1d", "permits: 40000d", "permits: soon"],
)
def test_what_the_law_forbids_is_refused_with_its_place(
    tmp_path: Path, told: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        policy(tmp_path, f"retention: {{{told}}}\n")
    said = str(caught.value)
    assert "site.yaml" in said
    assert "30871" in said or "no duration" in said


def test_an_unknown_word_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="photos"):
        policy(tmp_path, "retention: {photos: 400d}\n")
