"""`rulenet predict` : csv, JSON lines and files, also for more texts than fit into memory."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from rulenet import RuleNetClassifier
from rulenet.cli.answers import BLOCK, Answer, answers, most_uncertain
from rulenet.data.intake import Row
from rulenet.data.load import stream
from tests.cli.conftest import ROWS, complaint, run, table

N_BLOCKS = 3


class Counting:
    """Stands for a model; answers the parity of a text's number, and notes each pass."""

    def __init__(self) -> None:
        self.passes: list[int] = []

    def columns(self) -> list[str]:
        return ["label"]

    def answer(self, texts: Any) -> list[Answer]:
        self.passes.append(len(texts))
        return [Answer({"label": ["even", "odd"][int(text) % 2]}, float(text)) for text in texts]


def numbered(n: int) -> Iterator[Row]:
    return (Row(i, str(i), None, {"text": str(i)}) for i in range(n))


def test_texts_are_read_one_block_ahead() -> None:
    model, read = Counting(), 0
    for k, block in enumerate(answers(model, numbered(N_BLOCKS * BLOCK))):
        read += len(block)
        assert model.passes == [BLOCK] * (k + 1)
    assert read == N_BLOCKS * BLOCK


def test_every_text_has_its_own_answer_across_blocks() -> None:
    n = BLOCK + 2
    pairs = list(chain.from_iterable(answers(Counting(), numbered(n))))
    assert [(row.text, answer.cells["label"]) for row, answer in pairs] == [
        (str(i), ["even", "odd"][i % 2]) for i in range(n)
    ]
    assert list(answers(Counting(), iter([]))) == []


def test_the_most_uncertain_texts_come_first_and_once() -> None:
    rows = chain(numbered(3 * BLOCK), numbered(5))
    assert [row.number for row, _ in most_uncertain(answers(Counting(), rows), 4)] == [0, 1, 2, 3]


def test_predict_keeps_every_column_and_adds_the_answer(folder: Path, tmp_path: Path) -> None:
    lines = ["id,text,note,", *(f'{i},"{text}","a ""b"", c",' for i, (text, _) in enumerate(ROWS))]
    (tmp_path / "new.csv").write_text("\n".join(lines))
    shown = run("predict", folder / "model", tmp_path / "new.csv").stdout
    assert "\r" not in shown
    rows = table(shown)
    assert list(rows[0]) == ["id", "text", "note", "label", "probability", "path"]
    assert [(row["id"], row["text"], row["label"]) for row in rows] == [(str(i), *pair) for i, pair in enumerate(ROWS)]
    assert {(row["note"], row["path"]) for row in rows} == {('a "b", c', "rules")}
    clf = RuleNetClassifier.load(folder / "model")
    expected = clf.predict_proba([text for text, _ in ROWS]).max(axis=1)
    assert [float(row["probability"]) for row in rows] == pytest.approx(expected.tolist(), abs=1e-6)


def test_columns_that_are_there_already_are_not_touched(folder: Path, tmp_path: Path) -> None:
    result = run("predict", folder / "model", folder / "mail.csv", "--out", tmp_path / "a.csv")
    assert "note: the data already have a column 'label', so the prediction is in 'predicted_label'\n" in result.stderr
    rows = table((tmp_path / "a.csv").read_text())
    assert list(rows[0]) == ["text", "label", "predicted_label", "probability", "path"]
    assert [(row["text"], row["label"]) for row in rows] == ROWS
    said = complaint("predict", folder / "model", tmp_path / "a.csv")
    assert "already have a column 'predicted_label': name the added ones with --prefix" in said
    again = table(run("predict", folder / "model", tmp_path / "a.csv", "--prefix", "new_").stdout)
    assert list(again[0])[-3:] == ["new_label", "new_probability", "new_path"]


def test_predict_as_json_lines_keeps_values_as_they_are(folder: Path, tmp_path: Path) -> None:
    given = [{"text": "parcel", "n": 1.5, "tags": ["a"], "no": None}, {"text": "money"}]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in given))
    for arguments in ("--json",), ("--out", tmp_path / "o.jsonl"):
        shown = (
            run("predict", folder / "model", tmp_path / "t.jsonl", *arguments).stdout
            or (tmp_path / "o.jsonl").read_text()
        )
        rows = [json.loads(line) for line in shown.splitlines()]
        assert [{key: row[key] for key in before} for row, before in zip(rows, given, strict=True)] == given
        assert [row["label"] for row in rows] == ["delivery", "billing"]
    assert table(run("predict", folder / "model", tmp_path / "t.jsonl").stdout)[0]["tags"] == '["a"]'


def test_all_probabilities_label_sets_and_rejection(folder: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    clf = RuleNetClassifier.load(folder / "model")
    clf.calibrate([text for text, _ in ROWS] * 30, [label for _, label in ROWS] * 30).save(model)
    (tmp_path / "t.txt").write_text("parcel\n\nhello there\nmoney\n")
    shown = table(run("predict", model, tmp_path / "t.txt", "--all-probabilities", "--coverage", 0.9).stdout)
    assert [json.loads(row["label_set"]) for row in shown][::2] == [["delivery"], ["billing"]]
    for row in shown:
        both = [float(row[f"probability_{label}"]) for label in ("billing", "delivery")]
        assert sum(both) == pytest.approx(1, abs=1e-5)
        assert max(both) == float(row["probability"])
    assert [row["label"] for row in table(run("predict", model, tmp_path / "t.txt", "--reject", 0.01).stdout)] == [
        "delivery",
        "",
        "billing",
    ]
    assert [row["text"] for row in table(run("predict", model, tmp_path / "t.txt", "--uncertain", 1).stdout)] == [
        "hello there"
    ]
    assert "with 240 held-out texts no less than 0.0041" in complaint(
        "predict", model, tmp_path / "t.txt", "--reject", 0.001
    )
    for option in ("--reject", "--coverage"):
        assert "rulenet calibrate" in complaint("predict", folder / "model", tmp_path / "t.txt", option, 0.1)
        assert "is not a share between 0 and 1" in complaint("predict", model, tmp_path / "t.txt", option, 1.5)


def test_rules_alone_answer_with_their_weights(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("my parcel\nnothing known\nmoney for a parcel\n")
    rows = table(run("predict", folder / "rules.yaml", tmp_path / "t.txt").stdout)
    assert [(row["label"], row["path"]) for row in rows] == [("delivery", "rules"), ("", "none"), ("billing", "rules")]
    assert "--reject needs a model" in complaint("predict", folder / "rules.yaml", tmp_path / "t.txt", "--reject", 0.1)
    (tmp_path / "tie.yaml").write_text((folder / "rules.yaml").read_text().replace(", weight: 2", ""))
    tie = table(run("predict", tmp_path / "tie.yaml", tmp_path / "t.txt").stdout)[2]
    assert (tie["label"], tie["path"], tie["probability"]) == ("", "tie", "0.5")


def test_predict_reads_standard_input_line_by_line(folder: Path) -> None:
    shown = run("predict", folder / "model", "-", stdin='my "parcel", late\r\n\nmoney\n不好').stdout
    assert [row["text"] for row in table(shown)] == ['my "parcel", late', "", "money", "不好"]
    assert [row["label"] for row in table(shown)][::2] == ["delivery", "billing"]
    assert run("predict", folder / "model", "-", stdin="").stdout == "text,label,probability,path\n"
    shown = run("predict", folder / "model", "-", "--encoding", "gb18030", stdin="不好".encode("gb18030")).stdout
    assert table(shown)[0]["text"] == "不好"
    shown = run("predict", folder / "model", "-", "--encoding", "utf-16", stdin="不好\nc\rd".encode("utf-16")).stdout
    assert [row["text"] for row in table(shown)] == ["不好", "c", "d"]  # a line ends where one of a file does


NASTY = ['a "b"', "c,d", "e\nf", "g\rh", "  i ", "=1+1", "", "\ufeffj", "k;l", "m\u2028n", "'o", '"', "\\"]


def test_nasty_cells_come_back_from_every_format(folder: Path, tmp_path: Path) -> None:
    rows = [{"text": "parcel " + cell, "note": cell} for cell in NASTY]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for chain_of in (["b.csv", "c.jsonl"], ["b.jsonl", "c.csv", "d.csv"]):
        source, prefix = "a.jsonl", "p"
        for name in chain_of:
            run("predict", folder / "model", tmp_path / source, "--out", tmp_path / name, "--prefix", prefix)
            found = [
                {key: row.cells[key] for key in ("text", "note")} for row in stream(tmp_path / name, keeps_all=True)
            ]
            assert found == rows
            source, prefix = name, prefix + "p"
    said = complaint("predict", folder / "model", tmp_path / "a.jsonl", "--out", tmp_path / "x.tsv")
    assert "row 3 has a tab or line break in the column 'text', which a .tsv file cannot hold" in said
    (tmp_path / "t.tsv").write_text('id\ttext\n1\t"parcel\n2\tmoney"\n')
    run("predict", folder / "model", tmp_path / "t.tsv", "--out", tmp_path / "x.tsv")
    assert [row.text for row in stream(tmp_path / "x.tsv")] == ['"parcel', 'money"']


def test_the_name_of_the_output_is_its_format(folder: Path, tmp_path: Path) -> None:
    for name, arguments, message in (
        ("o.txt", (), r"name the output \.csv, \.tsv, \.jsonl, \.ndjson, or add --json"),
        ("o.csv", ("--json",), "--json writes JSON lines, but"),
    ):
        assert re.search(
            message, complaint("predict", folder / "model", folder / "mail.csv", "-o", tmp_path / name, *arguments)
        )


def test_predict_writes_a_file_whole(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out.csv.part").write_text("of somebody else")
    shown = run("predict", folder / "model", folder / "mail.csv").stdout
    assert run("predict", folder / "model", folder / "mail.csv", "--out", tmp_path / "out.csv").stdout == ""
    assert (tmp_path / "out.csv").read_text() == shown
    assert (tmp_path / "out.csv.part").read_text() == "of somebody else"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["out.csv", "out.csv.part"]


def test_an_input_is_never_written_over(folder: Path, tmp_path: Path) -> None:
    for name in ("mail.csv", "rules.yaml"):
        shutil.copy(folder / name, tmp_path / name)
    shutil.copytree(folder / "model", tmp_path / "model")
    (tmp_path / "link.csv").symlink_to("mail.csv")
    os.link(tmp_path / "mail.csv", tmp_path / "hard.csv")
    mail = (tmp_path / "mail.csv").read_bytes()
    for out in ("mail.csv", "link.csv", "hard.csv", "no/../mail.csv", "./mail.csv", "model/../mail.csv"):
        for source in ("mail.csv", "link.csv", "hard.csv"):
            said = complaint("predict", tmp_path / "model", tmp_path / source, "--out", f"{tmp_path}/{out}")
            assert "cannot be written: it is the same file as the input" in said
    said = complaint(
        "predict", tmp_path / "rules.yaml", tmp_path / "mail.csv", "--json", "--out", tmp_path / "rules.yaml"
    )
    assert "rules.yaml cannot be written: it is the same file as the input" in said
    said = complaint(
        "predict", tmp_path / "model", tmp_path / "mail.csv", "--json", "--out", tmp_path / "model/config.json"
    )
    assert "it is a file of the input" in said
    said = complaint("explain", tmp_path / "model", "a parcel", "--html", tmp_path / "model/config.json")
    assert "it is a file of the input" in said
    for name in ("new.csv", "parts/new.csv"):
        said = complaint("predict", tmp_path / "model", tmp_path / "mail.csv", "--out", tmp_path / "model" / name)
        assert "has no other files" in said
    arguments = ("rules", "stats", tmp_path / "rules.yaml", "--data", tmp_path / "mail.csv", "--html")
    for name in ("mail.csv", "rules.yaml"):
        assert "the same file as the input" in complaint(*arguments, tmp_path / name)
    assert (tmp_path / "mail.csv").read_bytes() == mail
    RuleNetClassifier.load(tmp_path / "model")


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
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for call in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, call, fail)
            said = complaint(
                "predict", folder / "model", folder / "mail.csv", "--prefix", "p", "--out", tmp_path / "out.csv"
            )
        assert "out.csv cannot be written: No space left on device" in said
        assert list(tmp_path.iterdir()) == []


def test_bytes_that_are_not_text_on_standard_input(folder: Path) -> None:
    for command in ("predict", "explain"):
        result = run(command, folder / "model", "-", stdin=b"fine\nb\xffd\n", status=2)
        assert "standard input:2: byte 6 of the file is not valid utf-8" in result.stderr
