"""Tables as people have them: encodings, separators, quoting, line ends, spreadsheets, labels of several types, hostile sizes."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import itertools
import json
import lzma
import os
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rulenet import RuleNetClassifier
from rulenet.data import delimited, formats, lines
from rulenet.data.check import check_answers, check_labels
from rulenet.data.load import load
from rulenet.data.sample import stratified
from rulenet.data.targets import class_indices
from rulenet.errors import DataError, InputError
from rulenet.text.record import Record

TEXTS = ["win a prize", "a, b; c", "x | y", "she said hi", "", "last one"]
LABELS = ["spam", "ham", "ham", "spam", "spam", "ham"]
FOREIGN = {
    "utf-8": "物流太慢了 naïve 😀",
    "utf-8-sig": "物流太慢了 naïve 😀",
    "utf-16": "物流太慢了 naïve 😀",
    "utf-16-le": "物流太慢了",
    "utf-16-be": "物流太慢了",
    "utf-32": "物流太慢了",
    "gb18030": "物流太慢了，不好吃 2024",
    "gbk": "这个餐厅的服务很好",
    "big5": "物流太慢了，不滿意",
    "cp1252": "Käse 2024 für 5 €, “café” déjà; 10:30 böse",
    "cp1250": "Zażółć gęślą jaźń",
    "cp1251": "Привет, как дела",
    "shift_jis": "これはテストです",
    "euc_kr": "안녕하세요 배송이 너무 늦어요",
}


def quiet(path: Path, **how: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return load(path, **how)


def table(texts: list[str], labels: list[str], separator: str, quoting: int, line_end: str) -> str:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=separator, quoting=quoting, lineterminator=line_end)  # type: ignore[arg-type]
    writer.writerows([("text", "label"), *zip(texts, labels, strict=True)])
    return buffer.getvalue()


@pytest.mark.slow
def test_a_table_reads_the_same_in_every_encoding_separator_quoting_and_line_end(tmp_path: Path) -> None:
    shapes = itertools.product(",;\t|", (csv.QUOTE_MINIMAL, csv.QUOTE_ALL), ("\n", "\r\n", "\r"))
    cells = list(itertools.product(FOREIGN.items(), shapes, ("", "sep")))
    for (encoding, foreign), (separator, quoting, line_end), first in cells:
        texts = [f"{text} {foreign}" for text in TEXTS]
        content = table(texts, LABELS, separator, quoting, line_end)
        content = f"sep={separator}{line_end}{content}" if first else content
        path = tmp_path / "a.csv"
        path.write_bytes(content.encode(encoding))
        quoted = True if separator == "\t" and quoting == csv.QUOTE_ALL else None
        data = quiet(path, quoting=quoted)
        assert (data.texts, data.labels) == (texts, LABELS), (encoding, separator, quoting, line_end, first)
        assert data.rows == list(range(2 + bool(first), 8 + bool(first)))
    for encoding, foreign in FOREIGN.items():
        texts = [f"{text} {foreign}" for text in TEXTS]
        for suffix, pack in (("", bytes), (".gz", gzip.compress), (".xz", lzma.compress), (".bz2", bz2.compress)):
            path = tmp_path / f"a.jsonl{suffix}"
            rows = [{"text": text, "label": label} for text, label in zip(texts, LABELS, strict=True)]
            path.write_bytes(pack("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode(encoding)))
            assert (quiet(path).texts, quiet(path).labels) == (texts, LABELS), (encoding, suffix)
            path = tmp_path / f"a.txt{suffix}"
            path.write_bytes(pack("\r\n".join(texts).encode(encoding)))
            assert quiet(path, need_labels=False).texts == texts


def test_what_was_found_is_said_and_options_decide(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("text;label\nKäse;x\nBrot;y\n".encode("cp1252"))
    with pytest.warns(UserWarning, match="names another") as said:
        assert load(path).texts == ["Käse", "Brot"]
    assert [str(w.message).split("a.csv: ")[1] for w in said] == [
        "not UTF-8, read as cp1252; --encoding names another",
        "read as separated by ';'; --separator names another",
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load(path, encoding="cp1250", separator=";").texts == ["Käse", "Brot"]
        assert load(path, encoding="latin-1", separator="semicolon").texts == ["Käse", "Brot"]
    for separator in ("ab", "", '"', "a", "\n"):
        with pytest.raises(DataError, match=r"--separator .*: give one character"):
            load(path, encoding="cp1252", separator=separator)
    path.write_bytes("text;label\nKäse;x\n".encode() * 500 + b"caf\xe9;y\n")
    with pytest.raises(
        DataError, match="is not valid utf-8: convert it to UTF-8, or name its encoding with --encoding"
    ):
        quiet(path)
    path.write_text("text;label\na;x\n")
    with pytest.raises(
        DataError, match=r"Columns found: 'text;label'. If the columns are separated by ';', give --separator"
    ):
        load(path, separator=",")


def test_tabs_have_no_quoting_unless_asked(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    texts = [f'"text {i}' if i % 3 == 0 else f'te"xt" {i}' for i in range(50)]
    path.write_text("text\tlabel\n" + "".join(f"{text}\t{'ab'[i % 2]}\n" for i, text in enumerate(texts)))
    assert load(path).texts == texts
    path.write_text('text\tlabel\n"a ""b"""\tx\nc\ty\n')
    with pytest.warns(
        UserWarning, match="1 row has a field in quotes, which are kept .* give --quoting if they are not"
    ):
        assert load(path).texts == ['"a ""b"""', "c"]
    assert load(path, quoting=True).texts == ['a "b"', "c"]
    path.write_text('"text"\t"label"\n"a"\tx\n')
    with pytest.raises(DataError, match=r"found no text column.*If names and fields are in quotes, give --quoting"):
        load(path)
    path.write_text("text\tlabel\na\tb\tx\n")
    with pytest.raises(DataError, match=r"3 fields, but the header has 2: quote .*, and give --quoting"):
        load(path)


def test_unbalanced_quotes_are_reported_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = [f"text {i},{'xy'[i % 2]}" for i in range(60)]
    rows[10], rows[40] = '"text 10,x', 'text 40",y'
    path.write_text("\n".join(["text,label", *rows]) + "\n")
    with pytest.raises(DataError, match=r"a\.csv:12: a quoted field that contains whole rows, .*--no-quoting"):
        load(path)
    assert len(load(path, quoting=False).texts) == 60
    assert len(quiet(path, quoting=True).texts) == 30
    # All rows of one label are swallowed, so nothing says that it is one; but the lines are too many.
    path.write_text("text,label\n" + "ok,x\n" * 10 + '"text 10,y\n' + "a,x\nb,y\n" * 30 + 'text 71",x\n')
    with pytest.warns(UserWarning, match=r"a\.csv:12: one row takes 62 lines"):
        assert len(load(path, need_labels=False).texts) == 11
    path.write_text("text,label\n" + '"' + "line\n" * 40 + '",x\n' + "b,y\n" * 30)
    with pytest.warns(UserWarning, match=r"a\.csv:2: one row takes 41 lines, far more than the others: a quote may be"):
        load(path)
    path.write_text("text,label\n" + "".join(f'"Dear Sir,\n{i}\nYours, B",{"xy"[i % 2]}\n' for i in range(30)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load(path).texts[3] == "Dear Sir,\n3\nYours, B"


def test_what_spreadsheets_leave_at_the_end_is_dropped_and_said(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id;text;label;;\n1;a;x;;\n;;;;\n2;;y;;\n;;;;\n;;\n")
    with pytest.warns(UserWarning, match="2 empty rows and 2 empty columns at the end of the table left out"):
        data = load(path, need_labels=False)
    assert data.texts == ["a", "", ""]
    path.write_text("text,label,,\na,x,,9\nb,y,,\n")
    with pytest.raises(DataError, match=r"a\.csv:2: 4 fields, but the header has 2"):
        load(path)


def excel(path: Path, *sheets: tuple[str, list[list[Any]]]) -> Path:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_excel(tmp_path: Path) -> None:
    rows = [["标题", "内容", "类别", None], ["a", "b\nc", 1.0, None], ["d", 7, 2, None], [None] * 4, [" "], [None]]
    path = excel(tmp_path / "a.xlsx", ("Data", rows), ("Notes", [["note"], ["text"]]))
    with pytest.warns(UserWarning, match="names another") as said:
        data = load(path)
    assert (data.texts, data.labels, data.rows) == (["a\n\nb\nc", "d\n\n7"], ["1", "2"], [2, 3])
    assert data.texts[0].fields == {"标题": (0, 1), "内容": (3, 6)}  # type: ignore[attr-defined]
    assert "read the sheet 'Data' of 2; --sheet names another" in str(said[0].message)
    assert load(path, sheet="Notes", text="note", need_labels=False).texts == ["text"]
    with pytest.raises(DataError, match="no sheet 'X': --sheet can be 'Data', 'Notes'"):
        load(path, sheet="X")
    for content in (b"", b"PK\x03\x04" + bytes(99), b"text,label\n"):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"a\.xlsx: damaged, or not an Excel workbook .*save it again as \.xlsx"):
            load(path)
    wide = excel(tmp_path / "w.xlsx", ("Data", [["text", "label"], ["a", "x", None, "stray"]]))
    with pytest.raises(DataError, match="row 2: a value to the right of the 2 columns that have names"):
        load(wide)


# Labels


def test_labels_are_the_same_from_every_format(tmp_path: Path) -> None:
    texts = [f"word{i % 2} text {i}" for i in range(8)]
    frame = pd.DataFrame({"text": texts, "label": pd.Series([1, 2] * 4, dtype="float64")})
    frame.to_csv(tmp_path / "float.csv", index=False)
    frame.astype({"label": int}).to_csv(tmp_path / "int.csv", index=False)
    frame.to_json(tmp_path / "float.jsonl", orient="records", lines=True)
    (tmp_path / "text.jsonl").write_text(
        "".join(json.dumps({"text": t, "label": f"{i % 2 + 1}"}) + "\n" for i, t in enumerate(texts))
    )
    frame.to_parquet(tmp_path / "float.parquet")
    excel(tmp_path / "float.xlsx", ("s", [["text", "label"], *frame.to_numpy().tolist()]))
    found = {path.name: load(path).labels for path in sorted(tmp_path.iterdir())}
    assert found == dict.fromkeys(found, ["1", "2"] * 4)
    for labels in (
        frame["label"],
        frame["label"].astype("Int64"),
        np.array([1, 2] * 4, np.uint8),
        ["1", "2"] * 4,
        ["1.0", "2.0"] * 4,
    ):
        clf = RuleNetClassifier(None, None).fit(texts, labels)
        names = clf.classes_.tolist()
        assert class_indices(load(tmp_path / "float.csv").labels or [], names, "a").tolist() == [0, 1] * 4
        assert clf.predictor_.class_indices([1.0, 2.0] * 4, 8).tolist() == [0, 1] * 4
        assert clf.predictor_.class_indices(["1", "2"] * 4, 8).tolist() == [0, 1] * 4
    assert check_labels(pd.Series([1.0, 2.0]), 2)[0].dtype.kind == "i"
    assert class_indices(["TRUE", "false"], ["False", "True"], "a").tolist() == [1, 0]
    assert class_indices(["true", "True"], ["True", "true"], "a").tolist() == [1, 0]


def test_samples_keep_the_shares_of_the_labels() -> None:
    rows = [(label, i) for label, n in (("a", 700), ("b", 290), ("c", 10)) for i in range(n)]
    for n in (3, 10, 57, 100, 999, 1000, 2000):
        found = stratified(rows, n, lambda row: row[0], seed=0)
        counts = [sum(label == name for label, _ in found) for name in "abc"]
        assert sum(counts) == min(n, 1000)
        assert min(counts) >= 1
        assert found == sorted(found)
        if n >= 100:
            assert counts == pytest.approx([0.7 * sum(counts), 0.29 * sum(counts), 0.01 * sum(counts)], abs=1)
    assert len(stratified(rows, 2, lambda row: row[0], seed=0)) == 2


def test_texts_that_carry_the_answer_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("body,queue,label\nlate,Billing,billing\nmoney,returns,returns\n")
    with pytest.raises(
        DataError, match=r"the field 'queue' of the texts is the label in every row.*leave it out of --text"
    ):
        load(path, text="body,queue")
    with pytest.raises(DataError, match="each text is its own label"):
        load(path, text="queue")
    records = [{"body": "late", "code": "1"}, {"body": "money", "code": "2.0"}]
    with pytest.raises(InputError, match="the field 'code' of the texts is the label in every row"):
        RuleNetClassifier(None, None).fit(records, [1, 2])
    check_answers([Record.of({"a": "x"}), Record.of({"a": "z"})], ["x", "y"])
    with pytest.raises(InputError, match="is a pair, perhaps of texts and labels"):
        RuleNetClassifier(None, None).fit((["late", "money"], ["x", "y"]), ["x", "y"])


# Limits


@pytest.mark.slow
def test_sizes_are_refused_before_they_cost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_LINE", 1_000_000)
    monkeypatch.setattr(lines, "MAX_UNPACKED", 2_000_000)
    packers: dict[str, Callable[[bytes], bytes]] = {
        "": bytes,
        ".gz": gzip.compress,
        ".xz": lzma.compress,
        ".bz2": bz2.compress,
    }
    cases = {
        "one line": ("text,label\n" + "a" * 20_000_000, r":2: a line of more than 1,000,000 characters"),
        "many lines": ("text,label\n" + "aaaa,x\n" * 3_000_000, r": unpacks to more than [\d,]+ characters, 50 times"),
    }
    for suffix, pack in packers.items():
        for name, (content, message) in cases.items():
            if suffix or name == "one line":
                path = tmp_path / f"a.csv{suffix}"
                path.write_bytes(pack(content.encode()))
                with pytest.raises(DataError, match=message):
                    load(path)
    tracemalloc.start()
    with pytest.raises(DataError, match="a line of more than"):
        load(tmp_path / "a.csv")
    assert tracemalloc.get_traced_memory()[1] < 12_000_000
    tracemalloc.stop()


def test_columns_values_and_names_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.csv"
    path.write_text(",".join(f"c{i}" for i in range(20_000)) + "\n")
    with pytest.raises(DataError, match="20,000 columns, but at most 10,000 are read"):
        load(path)
    path.write_text(",".join(f"column{i}" * 50 for i in range(5000)) + "\n1\n")
    with pytest.raises(DataError, match=r"found no text column") as caught:
        load(path)
    assert len(str(caught.value)) < 5000
    monkeypatch.setattr(formats, "MAX_NODES", 1000)
    for content in ("[" * 2000, '{"a":' * 2000, '{"text": [' + "1," * 2000 + "1]}"):
        (tmp_path / "a.jsonl").write_text(content + "\n")
        with pytest.raises(DataError, match=r"a\.jsonl:1: (more than 1,000 values|not valid JSON)"):
            load(tmp_path / "a.jsonl")
    assert delimited.MAX_FIELD >= lines.MAX_LINE


@pytest.mark.skipif(os.name != "posix", reason="pipes and links are POSIX")
def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.csv")
    (tmp_path / "b.csv").symlink_to("/dev/zero")
    for name in ("a.csv", "b.csv"):
        with pytest.raises(DataError, match="not a regular file but a device, pipe or socket"):
            load(tmp_path / name)
    data = tmp_path / "data"
    for name in ("x/1.txt", "x/2.txt", "y/1.txt", "z/1.txt"):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text("text")
    (data / "x/3.txt").symlink_to("2.txt")
    assert len(load(data).texts) == 5
    (tmp_path / "secret.txt").write_text("secret")
    os.mkfifo(data / "x/4.txt")
    (data / "y/2.txt").symlink_to("/dev/zero")
    (data / "y/3.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(DataError, match="3 bad rows") as caught:
        load(data)
    assert str(caught.value).count("leads out of") == 2
    assert "4.txt: not a regular file" in str(caught.value)
