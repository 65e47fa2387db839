"""`rulenet history`: what was done, when, and how to get back."""

from __future__ import annotations

import json
import re
from pathlib import Path

from rulenet.store import history
from rulenet.store.manifest import read_config
from tests.cli.conftest import complaint, run, write_csv


def test_each_state_is_listed_with_the_way_back(folder: Path, tmp_path: Path) -> None:
    model, train = tmp_path / "m", ("train", folder / "mail.csv", "--encoder", "none", "--out", tmp_path / "m")
    run(*train)
    assert "there is nothing to go back to" in run("history", model).stdout
    run(*train, "--rules", folder / "rules.yaml", "--force")
    (tmp_path / "edited.yaml").write_text(
        (folder / "rules.yaml").read_text() + "  - {id: x, label: billing, word: tax}\n"
    )
    run("rules", "apply", model, tmp_path / "edited.yaml")
    run("history", model, "--undo")
    time = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"
    assert re.fullmatch(
        rf"{time}  trained and saved  8 texts, \d+ terms, no transformer: --undo, 1 time, leads here\n"
        rf"{time}  trained and saved  8 texts, 2 rules, \d+ terms, no transformer: the present state\n"
        rf"{time}  rules edited       8 texts, 3 rules, \d+ terms, no transformer: --redo, 1 time, leads here\n",
        run("history", model).stdout,
    )
    states = json.loads(run("history", model, "--json").stdout)["states"]
    assert [(state["at"], state["made_by"], state["n_rules"]) for state in states] == [
        (-1, "save", 0),
        (0, "save", 2),
        (1, "rules", 3),
    ]
    assert "has 0 steps to undo and 2 steps to redo" in run("history", model, "--undo").stdout
    run("history", model, "--redo")
    found = json.loads(run("history", model, "--redo", "--json").stdout)
    assert (found["undo_left"], found["redo_left"]) == (2, 0)
    assert "there is nothing to redo" in complaint("history", model, "--redo")
    assert "give one of the two" in complaint("history", model, "--undo", "--redo")


def test_a_full_history_says_so(tmp_path: Path) -> None:
    """Ten earlier states are kept, whatever happens, and all of them lead back."""
    for number in range(history.KEPT + 2):
        data = write_csv(tmp_path / "d.csv", [(f"word{number} x", "a"), (f"other{number} y", "b")] * 2)
        shown = run("train", data, "--encoder", "none", "--out", tmp_path / "m", "--force").stdout
        kept = min(number, history.KEPT)
        assert ("goes back to it" in shown) == bool(kept)
        assert (f"{kept} earlier states; the 10 latest are kept)" in shown) == (kept == history.KEPT)
    assert len(read_config(tmp_path / "m").undo) == history.KEPT
