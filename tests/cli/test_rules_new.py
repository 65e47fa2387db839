"""`rulenet rules new`."""

from __future__ import annotations

from pathlib import Path

import pytest

from rulenet.rules.ruleset import RuleSet
from tests.cli.conftest import complaint, run


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_starter_lints_clean_and_passes_its_tests(here: Path, lang: str) -> None:
    out = run("rules", "new", "my rules.yaml", "--lang", lang).stdout
    assert "rulenet rules test 'my rules.yaml'" in out
    assert run("rules", "lint", "my rules.yaml", "--hints").stdout == "✓ 1 file, 0 errors, 0 warnings\n"
    assert "✓" in run("rules", "test", "my rules.yaml").stdout
    assert run("rules", "format", "my rules.yaml", "--check").stdout.startswith("✓")
    ruleset = RuleSet.load("my rules.yaml")
    assert ruleset.language == lang
    assert all(rule.examples.match and rule.examples.reject for rule in ruleset.rules)
    assert "rulenet rules lint 'my rules.yaml'" in Path("my rules.yaml").read_text(encoding="utf-8")


def test_nothing_is_overwritten(here: Path) -> None:
    run("rules", "new")
    Path("rules.yaml").write_text("mine")
    assert "rules.yaml exists, and nothing is overwritten: give another name" in complaint("rules", "new")
    Path("link.yaml").symlink_to("nowhere.yaml")
    assert "nothing is overwritten" in complaint("rules", "new", "link.yaml")
    assert "no-folder/x.yaml cannot be written: No such file or directory" in complaint(
        "rules", "new", "no-folder/x.yaml"
    )
    assert Path("rules.yaml").read_text() == "mine"
    assert not Path("nowhere.yaml").exists()
