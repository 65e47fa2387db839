"""`rulenet suggest-labels`: the loop of suggesting, filling in and training, and what it says about data it cannot use."""

from __future__ import annotations

import csv
import json
from functools import partial
from pathlib import Path

import pytest

from tests.cli import conftest as cli
from tests.cli.conftest import ROWS, table, write_csv

TEXTS = [
    "my parcel has not come",
    "My parcel has not come!",
    "no money for the parcel",
    "a wrong invoice again",
    "hello there",
    "where did the mail go",
    "the mail again",
]
run, complaint = partial(cli.run, "suggest-labels"), partial(cli.complaint, "suggest-labels")


@pytest.fixture
def pool(here: Path) -> Path:
    """Texts with a number and no label."""
    with (here / "pool.csv").open("w", newline="") as handle:
        csv.writer(handle).writerows([("id", "text"), *enumerate(TEXTS)])
    return here / "pool.csv"


def fill(path: Path) -> None:
    """Do what a person does with the output."""
    rows = table(path.read_text())
    for row in rows:
        row["label"] = row["label"] or ("delivery" if "parcel" in row["text"] or "mail" in row["text"] else "billing")
    with path.open("w", newline="") as handle:
        writer = csv.DictWriter(handle, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def test_suggest_fill_in_train_and_again(folder: Path, pool: Path) -> None:
    shown = run(folder / "rules.yaml", pool, "--n", 3, "-o", "first.csv")
    assert shown.stdout == ""
    assert "note: 3 texts to label → first.csv; fill in the column 'label' and train with them" in shown.stderr
    first = table(Path("first.csv").read_text())
    assert list(first[0]) == ["id", "text", "label", "suggested_label", "why"]
    assert [TEXTS[int(row["id"])] for row in first] == [row["text"] for row in first]
    assert {row["label"] for row in first} == {""}
    both = next(row for row in first if row["text"] == "no money for the parcel")
    assert both["why"].startswith("rules disagree: money says billing, parcel says delivery")
    fill(Path("first.csv"))
    cli.run("train", "first.csv", "--rules", folder / "rules.yaml", "--encoder", "none", "--out", "model")

    shown = run("model", pool, "--labeled", "first.csv", "--n", 2, "-o", "second.csv")
    assert "note: 2 texts to label, then 3 rows with labels → second.csv" in shown.stderr
    second = table(Path("second.csv").read_text())
    assert [row["label"] == "" for row in second] == [True, True, False, False, False]
    assert second[2:] == table(Path("first.csv").read_text())
    assert not {row["text"] for row in second[:2]} & {row["text"] for row in first}
    fill(Path("second.csv"))
    cli.run("train", "second.csv", "--encoder", "none", "--out", "model", "--force")


def test_rows_with_a_label_are_left_out_and_their_column_is_filled_in(folder: Path, here: Path) -> None:
    Path("some.csv").write_text("category,text\n,parcel here\nbilling,money there\n,something else\n")
    shown = run(folder / "model", "some.csv", "--n", 2)
    assert "note: 1 row has a label already in the column 'category': left out" in shown.stderr
    rows = table(shown.stdout)
    assert list(rows[0]) == ["category", "text", "suggested_label", "why"]
    assert {(row["category"], row["text"]) for row in rows} == {("", "parcel here"), ("", "something else")}


def test_a_list_of_labels_is_a_label_even_an_empty_one(folder: Path, here: Path) -> None:
    rows = [
        {"text": "a parcel", "label": ["delivery"]},
        {"text": "a bill", "label": []},
        {"text": "money", "label": None},
    ]
    (here / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with pytest.warns(UserWarning, match="only 1 different text"):
        shown = run(folder / "rules.yaml", "a.jsonl", "--n", 2)
    assert [row["text"] for row in table(shown.stdout)] == ["money"]
    assert "2 rows have a label already in the column 'label': left out" in " ".join(shown.stderr.split())


def test_json_lines_say_more(folder: Path, pool: Path) -> None:
    (row, *_) = map(json.loads, run(folder / "model", pool, "--n", 2, "--json").stdout.splitlines())
    assert row["label"] is None
    assert {row["suggested_label"], row["runner_up"]} == {"billing", "delivery"}
    assert row["probability"] + row["runner_up_probability"] == pytest.approx(1)
    assert isinstance(row["rules"], list)


def test_texts_from_standard_input(folder: Path) -> None:
    rows = table(run(folder / "rules.yaml", "-", "--n", 1, stdin="a parcel\nparcel and money\n").stdout)
    assert [row["text"] for row in rows] == ["parcel and money"]


def test_data_that_cannot_be_used(folder: Path, pool: Path) -> None:
    model = folder / "model"
    assert "mail.csv: all 8 texts have a label in the column 'label'" in complaint(model, folder / "mail.csv")
    assert "give 1 to 2,000" in complaint(model, pool, "--n", 0)
    assert "no such folder" in complaint("nowhere", pool)
    assert "is no model folder" in complaint(folder, pool) or "config.json" in complaint(folder, pool)
    Path("empty.csv").write_text("")
    assert "the file is empty" in complaint(model, "empty.csv")
    assert "found no label column" in complaint(model, pool, "--labeled", pool)
    Path("why.csv").write_text("text,why\na b,c\n")
    assert "why.csv already has a column 'why', which is to be added: rename it" in complaint(model, "why.csv")
    Path("other.csv").write_text("text,category\na b,\n")
    write_csv(Path("some.csv"), ROWS[:2])
    said = complaint(model, "other.csv", "--labeled", "some.csv")
    assert "the labels are in the column 'label' of some.csv, but 'category' of other.csv: rename one" in said
    assert "it is the same file as the input" in complaint(model, pool, "-o", pool)


def test_what_is_said_of_few_texts_and_of_rows_that_stayed_empty(folder: Path, pool: Path) -> None:
    write_csv(Path("some.csv"), [("hello there", ""), ("the mail again", "delivery")])
    with pytest.warns(UserWarning, match="only 4 different texts without a label, all are given"):
        shown = run(folder / "model", pool, "--labeled", "some.csv")
    assert "note: 1 row has no label in some.csv: left out, and not suggested again" in shown.stderr
    assert [row["text"] for row in table(shown.stdout)[4:]] == ["the mail again"]
