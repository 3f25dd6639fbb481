"""What the guides of cranes and helmets show is what the program accepts."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.api import documents
from integrations.crane import flow as crane_flow
from integrations.crane import profile as crane_profile
from integrations.helmet import flow as helmet_flow
from integrations.helmet import profile as helmet_profile
from integrations.mqtt import mapping

DOCS = Path(__file__).resolve().parents[3] / "docs"
BLOCK = re.compile(r"```yaml\n(.*?)```", re.DOTALL)
FLOWS = {"crane": crane_flow, "helmet": helmet_flow}
SCHEMAS = {"cranes": crane_profile.SCHEMA, "helmets": helmet_profile.SCHEMA}


def blocks(guide: str) -> list[Any]:
    """Return the examples of a guide; one that is a part of options stands alone."""
    found = BLOCK.findall((DOCS / guide).read_text("utf-8"))
    return [yaml.safe_load(text) for text in found]


@pytest.mark.parametrize("end", [".md", ".zh-CN.md"])
@pytest.mark.parametrize("name", ["cranes", "helmets"])
def test_the_examples_are_accepted(name: str, end: str) -> None:
    seen = 0
    for found in blocks(name + end):
        if "integrations" in found:
            for each in found["integrations"]:
                FLOWS[each["integration"]].schema()(each["options"])
                seen += 1
        elif "gb28181" in found:
            helmet_flow.schema()(found)
            seen += 1
        elif "profile" in found:
            documents.Document("guide", found, {}).check(SCHEMAS[name])
            seen += 1
        elif "map" in found:
            assert mapping.inline(found).topics
            seen += 1
    assert seen == len(blocks(name + end)) == 3
