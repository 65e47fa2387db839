"""Cells with several labels: what each format means by them, and every way they can be wrong, with its file and line."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest

from rulenet.data.columns import Reading
from rulenet.data.label_cells import LabelCells
from rulenet.data.load import load, stream
from rulenet.errors import DataError


def csv_of(folder: Path, cells: list[str], name: str = "a.csv") -> Path:
    separator = "\t" if name.endswith(".tsv") else ","
    lines = [f"text {i}{separator}{cell}" for i, cell in enumerate(cells)]
    (folder / name).write_text("\n".join([f"text{separator}label", *lines]) + "\n")
    return folder / name


def jsonl_of(folder: Path, cells: list[Any]) -> Path:
    rows = [{"text": f"text {i}", "label": cell} for i, cell in enumerate(cells)]
    (folder / "a.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    return folder / "a.jsonl"


def test_every_format_has_several_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sets, cells = [("joy", "love"), ("joy",), (), ("1", "joy")], ["joy|love", "joy", " ", " 1.0 | joy "]
    for name in ("a.csv", "a.tsv"):
        with pytest.warns(UserWarning, match=f"{name}: 1 text has a blank cell of labels, read as texts with none"):
            found = load(csv_of(tmp_path, cells, name), several=True)
        assert (found.labels, found.several) == (sets, True)
    lists = [["joy", "love"], ["joy"], [], [1, "joy"]]
    assert load(jsonl_of(tmp_path, lists)).labels == sets
    assert load(jsonl_of(tmp_path, ["joy|love", *lists[1:]]), several=True).labels == sets
    arrow = pytest.importorskip("pyarrow")
    table = arrow.table({"text": list("abc"), "label": [["joy", "love"], ["joy"], []]})
    __import__("pyarrow.parquet").parquet.write_table(table, tmp_path / "a.parquet")
    assert load(tmp_path / "a.parquet").labels == sets[:3]
    datasets = pytest.importorskip("datasets")
    kinds = datasets.Features({"text": datasets.Value("string"), "label": [datasets.ClassLabel(names=["joy", "love"])]})
    data = datasets.Dataset.from_dict({"text": list("abc"), "label": [[0, 1], [0], []]}, features=kinds)
    monkeypatch.setattr(datasets, "load_dataset", lambda *_, **__: data)
    assert load("hub:moods").labels == sets[:3]
    assert not load(csv_of(tmp_path, ["joy|love", "joy"]), several=False).several
    assert [row.label for row in stream(jsonl_of(tmp_path, lists), Reading(several=False))] == [None] * 4


FAULTS: list[tuple[str, list[Any], dict[str, Any], str]] = [
    ("csv", ["a|b", "a|"], {"several": True}, r"a.csv:3: the label \(column 'label'\) is 'a\|', where one of the labels has no name"),
    ("csv", ["a||b", "b"], {"several": True}, r"a.csv:2: .* is 'a\|\|b', where one of the labels has no name"),
    ("csv", ["a", "a|b| a"], {"several": True}, r"a.csv:3: .* where 'a' stands twice: name each label once"),
    ("csv", ["a", "['b']"], {"several": True}, r"a.csv:3: .* a list in a string: separate labels by \|"),
    ("csv", ["a|b", "", "b"], {}, r"a.csv: 1 label looks like several, such as 'a\|b': give --several, or --no-several if"),
    ("csv", ["", ""], {"several": True}, "a.csv: no text has a label, so there is nothing to learn from"),
    ("csv", ["a", "a"], {"several": True}, "a.csv has only one class, 'a'"),
    ("csv", ["a;b", "a"], {"several": True}, r"no cell has more than one label, but 'a;b' looks like several: separate"),
    ("jsonl", [["a"], "b"], {}, "a.jsonl:2: .* is 'b', one label, but the rows before have lists: give lists in all rows"),
    ("jsonl", ["b", ["a"]], {}, "a.jsonl:2: .* a list, but the rows before have one label each"),
    ("jsonl", [["a", "b"], None], {}, r"a.jsonl:2: .* is missing: give its labels in a list, \[\] for none, or delete the row"),
    ("jsonl", [["a", " "], ["b"]], {}, "a.jsonl:1: .* one of the labels has no name"),
    ("jsonl", [["a", ["b"]], ["b"]], {}, "a.jsonl:1: .* one of the labels has no name"),
    ("jsonl", [[1, 0, 1], ["b"]], {}, "a.jsonl:1: .* '1' stands twice"),
    ("jsonl", [["a"], ["b"]], {"several": False}, r"a.jsonl:1: .* is \['a'\]: give one class or delete the row"),
]  # fmt: skip


def test_a_faulty_cell_is_named_with_its_line(tmp_path: Path) -> None:
    for form, cells, how, match in FAULTS:
        path = csv_of(tmp_path, cells) if form == "csv" else jsonl_of(tmp_path, cells)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of blank cells
            with pytest.raises(DataError, match=match):
                load(path, **how)


def test_one_label_with_a_bar_in_its_name_stays_one(tmp_path: Path) -> None:
    assert load(csv_of(tmp_path, ["World", "Sci|Tech"])).labels == ["World", "Sci|Tech"]
    assert load(csv_of(tmp_path, ["Tech", "Sci|Tech"]), several=False).labels == ["Tech", "Sci|Tech"]
    assert LabelCells(None).read("a|b") == "a|b"


def test_a_sample_has_as_many_labels_per_text_as_all_texts(tmp_path: Path) -> None:
    names = [f"l{i:02}" for i in range(40)]
    sets = [
        [names[i % 40], names[(i // 40 + i) % 40]] if i % 10 == 0 and i % 1600 >= 40 else [names[i % 4]]
        for i in range(2000)
    ]
    found = load(jsonl_of(tmp_path, sets), limit=200).labels
    assert found is not None
    assert sum(map(len, found)) / 200 == pytest.approx(sum(map(len, sets)) / 2000, abs=0.1)
