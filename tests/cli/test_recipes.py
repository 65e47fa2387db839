"""`rulenet recipes`."""

from __future__ import annotations

import json

from rulenet.training.recipes import NAMED
from tests.cli.conftest import run


def test_what_is_there_and_what_one_changes() -> None:
    shown = " ".join(run("recipes").stdout.split())
    assert all(f" {one.name} " in f" {shown} " for one in NAMED)
    shown = " ".join(run("recipes", "word-dropout").stdout.split())
    for said in ("word-dropout: words are left out", "TokenDropout()", "Leave out words", "keep_rule_spans False True"):
        assert said in shown, said
    assert "--all shows them all" in run("recipes", "default").stdout
    assert "head_learning_rate" in run("recipes", "default", "--all").stdout


def test_json() -> None:
    found = {one["name"]: one["fields"] for one in json.loads(run("recipes", "--json").stdout)}
    assert found["word-dropout"] == {"augment": ["TokenDropout()"], "keep_rule_spans": True}
    (field,) = json.loads(run("recipes", "quick", "--json").stdout)["fields"]
    assert (field["field"], field["default"], field["value"]) == ("epochs", None, 0)
