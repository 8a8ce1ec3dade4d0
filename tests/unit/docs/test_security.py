"""What SECURITY.md points to is there."""

from __future__ import annotations

import re
from pathlib import Path

from task_engine.config import Limits

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def test_every_boundary_names_tests_that_exist() -> None:
    # Given the numbered boundaries
    section = TEXT.partition("## Trust boundaries")[2].partition("\n## ")[0]
    boundaries = re.split(r"\n\d+\. ", section)
    assert len(boundaries) > 8
    # Then each names files with tests
    for boundary in boundaries[1:]:
        named = re.findall(r"`(tests/[\w/]+\.py)`", boundary)
        assert named, boundary
        assert all("def test_" in (ROOT / name).read_text() for name in named)


def test_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (ROOT / link).exists(), link


def test_the_longest_life_of_a_token_is_the_engines() -> None:
    assert f"at most {Limits().max_token_hours} hours" in TEXT


def test_what_is_unaudited_is_called_so() -> None:
    contract = (ROOT / "contracts" / "SessionAccount.sol").read_text()
    assert "UNAUDITED" in contract
    assert TEXT.count("unaudited") >= 2
