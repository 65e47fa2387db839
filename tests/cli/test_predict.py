"""`rulenet predict` : csv, JSON lines and files, also for more texts than fit into memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rulenet import RuleNetClassifier
from rulenet.cli import predict as module
from tests.cli.conftest import ROWS, complaint, run, table

N_BLOCKS = 3


class Counting:
    """Stands for a classifier; answers the parity of a text's number, and notes each pass."""

    classes_ = np.array(["even", "odd"])

    def __init__(self) -> None:
        self.passes: list[int] = []

    def predict_proba(self, texts: list[str]) -> Any:
        self.passes.append(len(texts))
        return np.eye(2)[[int(text) % 2 for text in texts]]


def test_texts_are_read_one_block_ahead() -> None:
    read = 0

    def texts() -> Iterator[str]:
        nonlocal read
        for i in range(N_BLOCKS * module.BLOCK):
            read += 1
            yield str(i)

    clf: Any = Counting()
    answers = module._predictions(clf, texts())
    ahead = []
    for done, _ in enumerate(answers):
        ahead.append(read - done)
    assert max(ahead) == module.BLOCK
    assert clf.passes == [module.BLOCK] * N_BLOCKS


def test_every_text_has_its_own_answer_across_blocks() -> None:
    clf: Any = Counting()
    n = module.BLOCK + 2
    rows = list(module._predictions(clf, (str(i) for i in range(n))))
    assert rows == [(str(i), ["even", "odd"][i % 2], 1.0) for i in range(n)]
    assert clf.passes == [module.BLOCK, 2]
    assert list(islice(module._predictions(clf, iter([])), 1)) == []


def test_predict_writes_csv_with_label_and_probability(folder: Path) -> None:
    shown = run("predict", folder / "model", folder / "mail.csv").stdout
    assert "\r" not in shown
    rows = table(shown)
    assert [(row["text"], row["label"]) for row in rows] == ROWS
    clf = RuleNetClassifier.load(folder / "model")
    expected = clf.predict_proba([text for text, _ in ROWS]).max(axis=1)
    assert [float(row["proba"]) for row in rows] == pytest.approx(expected.tolist(), abs=5e-5)


def test_predict_as_json_lines(folder: Path) -> None:
    lines = run("predict", folder / "model", folder / "mail.csv", "--json").stdout.splitlines()
    rows = [json.loads(line) for line in lines]
    assert [(row["text"], row["label"]) for row in rows] == ROWS
    assert all(0.5 < row["proba"] <= 1 for row in rows)


def test_predict_reads_standard_input_line_by_line(folder: Path) -> None:
    shown = run("predict", folder / "model", "-", stdin='my "parcel", late\r\n\nmoney\n不好').stdout
    assert [row["text"] for row in table(shown)] == ['my "parcel", late', "", "money", "不好"]
    assert [row["label"] for row in table(shown)][::2] == ["delivery", "billing"]
    assert run("predict", folder / "model", "-", stdin="").stdout == "text,label,proba\n"


def test_predict_writes_a_file_whole(folder: Path, tmp_path: Path) -> None:
    shown = run("predict", folder / "model", folder / "mail.csv").stdout
    assert run("predict", folder / "model", folder / "mail.csv", "--out", tmp_path / "out.csv").stdout == ""
    assert (tmp_path / "out.csv").read_text() == shown
    assert [file.name for file in tmp_path.iterdir()] == ["out.csv"]


def test_half_an_emoji_survives_every_output(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"text": "parcel \\ud83d"}\n')
    line = run("predict", folder / "model", tmp_path / "t.jsonl", "--json").stdout
    assert json.loads(line)["text"] == "parcel \ud83d"
    assert table(run("predict", folder / "model", tmp_path / "t.jsonl").stdout)[0]["text"] == r"parcel \ud83d"
    run("predict", folder / "model", tmp_path / "t.jsonl", "--out", tmp_path / "o.jsonl", "--json")
    assert (tmp_path / "o.jsonl").read_text(encoding="utf-8") == line
    run("explain", folder / "model", "parcel \ud83d", "--html", tmp_path / "page.html")
    assert json.loads(run("explain", folder / "model", "parcel \ud83d", "--json").stdout)["text"] == "parcel \ud83d"


def test_a_bad_row_leaves_no_partial_file(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"text": "parcel"}\n' * 1500 + "3\n")
    said = complaint("predict", folder / "model", tmp_path / "t.jsonl", "--out", tmp_path / "out.csv")
    assert "t.jsonl:1501: 3 is not a JSON object" in said
    assert [file.name for file in tmp_path.iterdir()] == ["t.jsonl"]
    (tmp_path / "out.csv").write_text("older")
    complaint("predict", folder / "model", tmp_path / "t.jsonl", "--out", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == "older"


def test_a_full_disk_is_said_and_leaves_no_partial_file(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replace(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", replace)
    said = complaint("predict", folder / "model", folder / "mail.csv", "--out", tmp_path / "out.csv")
    assert "out.csv cannot be written: No space left on device" in said.replace("\n", "")
    assert list(tmp_path.iterdir()) == []


def test_bytes_that_are_not_text_on_standard_input(folder: Path) -> None:
    for command in ("predict", "explain"):
        result = run(command, folder / "model", "-", stdin=b"fine\nb\xffd\n", status=2)
        assert "standard input, line 2: byte 1 of the line is not valid UTF-8" in result.stderr
