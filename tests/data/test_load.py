"""rulenet.data.load: every format, every way a data set can be wrong, and what the message says about it."""

from __future__ import annotations

import bz2
import csv
import gzip
import importlib
import io
import json
import lzma
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rulenet.data.columns import Reading
from rulenet.data.load import Dataset, load, stream
from rulenet.errors import DataError, MissingExtraError

TEXTS = ["win a prize", 'she said "hi", twice\nand left', "", "  spaced\t", "naïve 中文 😀"]
LABELS = ["spam", "ham", "ham", "spam", "ham"]
ROWS = list(zip(TEXTS, LABELS, strict=True))
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".bz2": bz2.compress,
}


def csv_bytes(delimiter: str = ",", rows: list[tuple[str, str]] = ROWS) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter).writerows([("text", "label"), *rows])
    return buffer.getvalue().encode()


def jsonl_bytes() -> bytes:
    return "".join(json.dumps({"text": t, "label": y}, ensure_ascii=False) + "\n" for t, y in ROWS).encode()


def texts_of(path: Path | str, **how: Any) -> list[str]:
    return [row.text for row in stream(path, Reading(**how))]


WRITERS: dict[str, Callable[[], bytes]] = {
    ".csv": csv_bytes,
    ".tsv": lambda: csv_bytes("\t"),
    ".jsonl": jsonl_bytes,
    ".ndjson": jsonl_bytes,
}


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def parquet(folder: Path, columns: dict[str, list[Any]]) -> Path:
    arrow = pytest.importorskip("pyarrow")
    importlib.import_module("pyarrow.parquet").write_table(arrow.table(columns), folder / "a.parquet", row_group_size=2)
    return folder / "a.parquet"


def message(path: Path | str, **options: Any) -> str:
    """The error that `load` raises, as text."""
    with pytest.raises(DataError, match=re.escape(str(path))) as caught:
        load(path, **options)
    return str(caught.value)


# Formats


@pytest.mark.parametrize("packing", PACKERS)
@pytest.mark.parametrize("suffix", WRITERS)
def test_text_formats_round_trip(tmp_path: Path, suffix: str, packing: str) -> None:
    path = write(tmp_path, f"data.v1{suffix}{packing}", PACKERS[packing](WRITERS[suffix]()))
    data = load(path, quoting=True)
    assert data.texts == TEXTS
    assert data.labels == LABELS
    assert data.source == str(path)
    # The second row of a csv takes two lines, so the third starts on line 5.
    assert data.rows == ([1, 2, 3, 4, 5] if "json" in suffix else [2, 3, 5, 6, 7])
    assert texts_of(str(path), quoting=True) == TEXTS


def test_suffixes_are_read_in_any_case(tmp_path: Path) -> None:
    assert load(write(tmp_path, "A.CSV.GZ", gzip.compress(csv_bytes()))).texts == TEXTS


def test_parquet_round_trip(tmp_path: Path) -> None:
    path = parquet(tmp_path, {"id": [9, 8, 7, 6, 5], "label": LABELS, "text": TEXTS})
    assert load(path) == Dataset(texts=TEXTS, labels=LABELS, source=str(path), rows=[1, 2, 3, 4, 5])
    assert texts_of(path) == TEXTS


def test_parquet_reads_dictionary_columns_and_names_with_dots(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    path = parquet(tmp_path, {"mail.text": ["a", "b"], "label": arrow.array(["x", "y"]).dictionary_encode()})
    data = load(path, text="mail.text")
    assert (data.texts, data.labels) == (["a", "b"], ["x", "y"])


def test_folder_has_one_class_per_sub_folder_in_sorted_order(tmp_path: Path) -> None:
    for name, content in {"pos/b.txt": "good\n", "pos/a.txt": "", "neg/c.TXT": "bad\r\n", "neg/notes.md": "no"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write(tmp_path, name, content)
    (tmp_path / ".git").mkdir()
    data = load(tmp_path)
    assert data.texts == ["bad\r\n", "", "good\n"]
    assert data.labels == ["neg", "pos", "pos"]
    assert data.rows == [1, 2, 3]
    assert texts_of(tmp_path) == data.texts


def test_five_megabyte_text_loads_and_the_limit_is_never_lowered(tmp_path: Path) -> None:
    long = "word " * 1_000_000
    path = write(tmp_path, "a.csv", csv_bytes(rows=[(long, "x"), ("b", "y")]))
    before = csv.field_size_limit()
    try:
        csv.field_size_limit(131_072)
        assert load(path).texts == [long, "b"]
        assert csv.field_size_limit() >= 64 * 1024 * 1024
        csv.field_size_limit(2**30)
        load(write(tmp_path, "b.csv", csv_bytes()))
        assert csv.field_size_limit() == 2**30
    finally:
        csv.field_size_limit(before)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="the csv module refuses NUL before Python 3.11")
def test_nul_bytes_are_kept(tmp_path: Path) -> None:
    assert load(write(tmp_path, "a.csv", "text,label\na\0b,x\nc,y\n")).texts == ["a\0b", "c"]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_byte_order_mark_is_tolerated(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, name, b"\xef\xbb\xbf" + WRITERS[Path(name).suffix]())
    assert load(path).texts == TEXTS


@pytest.mark.parametrize("encoding", ["utf-16", "gb18030"])
def test_other_encodings(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path, "a.csv", csv_bytes().decode().encode(encoding))
    assert load(path, encoding=encoding).texts == TEXTS
    assert texts_of(path, encoding=encoding) == TEXTS


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_line_ends_and_blank_lines(tmp_path: Path, newline: str) -> None:
    path = write(tmp_path, "a.csv", newline.join(["", "text,label", "a,x", "", "b,y", "", ""]))
    data = load(path)
    assert (data.texts, data.rows) == (["a", "b"], [3, 5])


def test_jsonl_skips_blank_lines_and_counts_them(tmp_path: Path) -> None:
    data = load(write(tmp_path, "a.jsonl", '\n{"text": "a", "label": 1}\n\n{"text": "b", "label": 0}'))
    assert (data.texts, data.rows) == (["a", "b"], [2, 4])


# Columns, labels, split, limit


@pytest.mark.parametrize(
    ("header", "texts", "labels"),
    [
        ("text,label", ["A"], ["B"]),
        ("Class, Review ", ["B"], ["A"]),
        ("sentiment,sentence", ["B"], ["A"]),
        ("topic,title,description", ["B\n\nC"], ["A"]),
        ("body,title,intent", ["B\n\nA"], ["C"]),
        ("标题,内容,类别", ["A\n\nB"], ["C"]),
        ("標題,內容,類別", ["A\n\nB"], ["C"]),
        ("标签,Text,文章", ["B"], ["A"]),
        ("title,description,text,target", ["C"], ["D"]),
        ("title,category", ["A"], ["B"]),
        ("comment,labels,id", ["A"], ["B"]),
        ("content,title,label,class", ["B\n\nA"], ["C"]),
    ],
)
def test_usual_column_names_are_found(tmp_path: Path, header: str, texts: list[str], labels: list[str]) -> None:
    path = write(tmp_path, "a.csv", f"{header}\n{','.join('ABCD'[: header.count(',') + 1])}\n")
    data = load(path, need_labels=False)
    assert (data.texts, data.labels) == (texts, labels)


def test_named_columns_win(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "text,label,Note,Kind\na,b,c,d\ne,f,g,h\n")
    data = load(path, text="Note", label="Kind")
    assert (data.texts, data.labels) == (["c", "g"], ["d", "h"])
    assert texts_of(path, text="Note") == ["c", "g"]


def test_label_is_never_the_column_named_as_text(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "topic,target\na,x\nb,y\n")
    assert load(path, text="topic").labels == ["x", "y"]


def test_jsonl_columns_are_gathered_from_more_than_the_first_line(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", '{"text": "a"}\n{"text": "b", "label": "x"}\n')
    assert "a.jsonl:1: the label (column 'label') is missing" in message(path)


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([0, 1], ["0", "1"]),
        ([0.0, 1.0], ["0", "1"]),
        ([0.5, 2], ["0.5", "2"]),
        ([True, False], ["True", "False"]),
        ([" a ", "b"], [" a ", "b"]),
    ],
)
def test_labels_come_back_as_strings(tmp_path: Path, values: list[Any], labels: list[str]) -> None:
    lines = [json.dumps({"text": "t", "label": value}) for value in values]
    assert load(write(tmp_path, "a.jsonl", "\n".join(lines))).labels == labels


def test_integer_parquet_labels_come_back_as_strings(tmp_path: Path) -> None:
    assert load(parquet(tmp_path, {"text": ["a", "b"], "label": [3, 1]})).labels == ["3", "1"]


@pytest.mark.parametrize("content", ["text\na\nb\n", "text,label\na,\nb,x\n", "text,label\na,\nb,\n"])
def test_labels_are_none_when_not_needed_and_not_complete(tmp_path: Path, content: str) -> None:
    data = load(write(tmp_path, "a.csv", content), need_labels=False)
    assert (data.texts, data.labels) == (["a", "b"], None)


def test_single_class_is_fine_when_labels_are_not_needed(tmp_path: Path) -> None:
    assert load(write(tmp_path, "a.csv", "text,label\na,x\nb,x\n"), need_labels=False).labels == ["x", "x"]


SPLITS = "text,label,Split\na,x,train\nb,y,test\nc,y,train\nd,,dev\n"


def test_split_keeps_its_rows_and_ignores_faults_of_the_others(tmp_path: Path) -> None:
    data = load(write(tmp_path, "a.csv", SPLITS), split="train")
    assert (data.texts, data.rows) == (["a", "c"], [2, 4])


def test_limit_takes_rows_at_random_and_comes_after_split(tmp_path: Path) -> None:
    assert load(write(tmp_path, "a.csv", SPLITS), split="train", limit=2).texts == ["a", "c"]
    rows = [(str(i), "x" if i < 900 else "y") for i in range(1000)]
    path = write(tmp_path, "a.csv", csv_bytes(rows=rows))
    data = load(path, limit=100)
    assert data.labels == ["x"] * 90 + ["y"] * 10
    assert data.rows == sorted(data.rows)
    assert data == load(path, limit=100) != load(path, limit=100, seed=1)
    assert len(load(path, limit=2, need_labels=False).texts) == 2


# Errors. Each case: file name, content, options of load, what the message must say after the path

GOOD = "text,label\na,x\nb,y\n"
CASES: dict[str, tuple[str, str | bytes, dict[str, Any], str]] = {
    "unknown suffix": ("a.docx", "x", {}, r": unknown file type.*\.csv \.tsv \.jsonl.*\.gz \.xz \.bz2.*hub:NAME"),
    "near suffix": ("a.json", "x", {}, r"unknown file type \(did you mean '\.jsonl'\?\)"),
    "packed unknown": ("a.gz", "x", {}, r"unknown file type"),
    "packed parquet": ("a.parquet.gz", "x", {}, r"unknown file type"),
    "empty csv": ("a.csv", "", {}, r": the file is empty: add at least one row"),
    "blank csv": ("a.csv", b"\xef\xbb\xbf\n\n", {}, r": the file is empty"),
    "empty jsonl": ("a.jsonl", "\n \n", {}, r": the file is empty"),
    "empty gz": ("a.csv.gz", "", {}, r": the file is empty"),
    "empty xz": ("a.csv.xz", "", {}, r": the file is empty"),
    "empty packed": ("a.csv.gz", gzip.compress(b""), {}, r": the file is empty"),
    "header only": ("a.csv", "text,label\n", {}, r": no rows below the column names"),
    "wrong text name": ("a.csv", GOOD, {"text": "Txt"}, r"no column 'Txt' \(did you mean 'text'\?\): correct --text"),
    "wrong label name": (
        "a.csv",
        GOOD,
        {"label": "zz"},
        r"no column 'zz': correct --label\. Columns found: 'text', 'l",
    ),
    "both names": ("a.csv", GOOD, {"text": "q", "label": "zz"}, r"no column 'q'.*no column 'zz'"),
    "nothing known": (
        "a.csv",
        "foo,bar\n1,2\n",
        {},
        r"no text column: name it with --text; .* with --label\. Columns found: 'foo', 'bar'",
    ),
    "same column": ("a.csv", GOOD, {"label": "text"}, r"text and label are both 'text'"),
    "twice": ("a.csv", "text,label,text\na,x,b\n", {}, r"column name 'text' appears more than once: rename"),
    "no split column": ("a.csv", GOOD, {"split": "train"}, r"--split train needs a column 'split', which is missing"),
    "unknown split": (
        "a.csv",
        SPLITS,
        {"split": "trian"},
        r"'trian' \(did you mean 'train'\?\).*'dev', 'test', 'train'",
    ),
    "missing label": (
        "a.csv",
        GOOD + 'c,\n"d\nd",\n',
        {},
        r"a\.csv:4: the label \(column 'label'\) is missing.*\n.*csv:5:",
    ),
    "blank label": ("a.csv", GOOD + "c, \n", {}, r":4: the label .* is missing: give one class or delete the row"),
    "one class": ("a.csv", "text,label\na,x\nb,x\n", {}, r"a\.csv has only one class, 'x', but at least two"),
    "one class by limit": ("a.csv", GOOD, {"limit": 1}, r"a\.csv \(limit=1\) has only one class, 'x'"),
    "limit": ("a.csv", GOOD, {"limit": 0}, r"limit=0 leaves no rows"),
    "too many fields": ("a.csv", GOOD + "c,d,x\n", {}, r"a\.csv:4: 3 fields, but the header has 2: quote fields"),
    "too few fields": ("a.tsv", "text\tlabel\na\tx\nb\n", {}, r"a\.tsv:3: 1 field, but the header has 2: add the"),
    "open quote": ("a.csv", GOOD + '"c,x\nd,y\n', {}, r"a\.csv:4: broken quoting \(unexpected end of data\): close"),
    "bare quote": ("a.csv", GOOD + '"c" d,x\n', {}, r"a\.csv:4: broken quoting .*: .*double a quote"),
    "bad header": ("a.csv", '"text" x,label\n1,2\n', {}, r"a\.csv:1: broken quoting"),
    "bad json": ("a.jsonl", '{"text": "a", "label": 1}\n{"text": \n', {}, r"jsonl:2: not valid JSON \(Expecting value"),
    "no json at all": ("a.jsonl", "a\nb\n", {}, r"^2 bad rows in .*jsonl\n.*jsonl:1: not valid JSON.*\n.*jsonl:2: not"),
    "json after the head": (
        "a.jsonl",
        "x\n" * 100 + '{"text": "a", "label": 1}',
        {},
        r"^100 bad rows in .*:1: not valid",
    ),
    "deep json": ("a.jsonl", "[" * 100_000, {}, r"jsonl:1: not valid JSON"),
    "list line": ("a.jsonl", '{"text": "a", "label": 1}\n[1, 2]\n', {}, r"jsonl:2: \[1, 2\] is not a JSON object"),
    "number line": ("a.jsonl", "3\n", {}, r"jsonl:1: 3 is not a JSON object: write \{\"text\""),
    "no columns": ("a.jsonl", "{}\n", {}, r"found no text column"),
    "number text": (
        "a.jsonl",
        '{"text": 3, "label": 1}',
        {},
        r"jsonl:1: the text \(column 'text'\) is 3, not a string",
    ),
    "null text": ("a.jsonl", '{"text": null, "label": 1}', {}, r"jsonl:1: the text \(column 'text'\) is missing"),
    "absent text": ("a.jsonl", '{"text": "a"}\n{"label": 1}', {"need_labels": False}, r":2: the text .* is missing"),
    "null label": ("a.jsonl", '{"text": "a", "label": null}', {}, r":1: the label \(column 'label'\) is missing"),
    "nan label": ("a.jsonl", '{"text": "a", "label": NaN}', {}, r":1: the label .* is missing"),
    "object label": (
        "a.jsonl",
        '{"text": "a", "label": {"x": 1}}',
        {},
        r":1: the label .* is \{'x': 1\}: give one class",
    ),
    "encoding": (
        "a.csv",
        "text,label\né,x\n".encode("latin-1"),
        {"encoding": "utf-8"},
        r"a\.csv:2: byte 11 of the file.*utf-8: .*with --encoding",
    ),
    "encoding gz": ("a.jsonl.gz", gzip.compress(b'{"text": "a\xff"}'), {}, r"jsonl\.gz:1: byte 11 of the file"),
    "utf-16 as utf-8": ("a.csv", GOOD.encode("utf-16"), {"encoding": "utf-8"}, r"a\.csv:1: byte 0 of the file.*utf-16"),
    "utf-8 as utf-16": (
        "a.csv",
        GOOD,
        {"encoding": "utf-16"},
        r"a\.csv:1: not valid utf-16 \(UTF-16 stream.*name its encoding",
    ),
    "half a character": ("a.csv", GOOD.encode() + b"c,\xe4\xb8", {}, r"a\.csv:4: byte 21 of the file"),
    "no encoding": ("a.csv", GOOD, {"encoding": "utf-9"}, r"--encoding utf-9 is not a known text encoding: try utf-8"),
    "no text encoding": ("a.csv", GOOD, {"encoding": "hex"}, r"--encoding hex is not a known text encoding"),
    "damaged parquet": (
        "a.parquet",
        b"PAR1" + bytes(100),
        {},
        r"a\.parquet: damaged, or not a parquet file \(.*download or",
    ),
    "empty parquet": ("a.parquet", b"", {}, r"a\.parquet: damaged, or not a parquet file .*0 bytes"),
}


@pytest.mark.parametrize("case", CASES)
def test_error_says_what_where_and_what_to_do(tmp_path: Path, case: str) -> None:
    name, content, options, expected = CASES[case]
    if ".parquet" in expected:
        pytest.importorskip("pyarrow")
    path = write(tmp_path, name, content)
    with pytest.raises(DataError, match=f"(?s){expected}"):
        load(path, **options)


@pytest.mark.parametrize("packing", [".gz", ".xz", ".bz2"])
def test_packed_files_that_are_damaged(tmp_path: Path, packing: str) -> None:
    packed = PACKERS[packing](csv_bytes(rows=[(str(i), f"{i % 7}") for i in range(5000)]))
    for content in (packed[: len(packed) // 2], csv_bytes(), packed[:20] + bytes(30) + packed[50:]):
        path = write(tmp_path, f"a.csv{packing}", content)
        with pytest.raises(
            DataError, match=r"a\.csv\.\w+: damaged, incomplete or not readable \(.+\): download or write"
        ):
            load(path)


@pytest.mark.parametrize("packing", PACKERS)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_undecodable_byte_is_located_in_any_chunk(tmp_path: Path, packing: str, mark: bytes) -> None:
    for before in (0, 1, 4095, 8191, 8192, 30_000):  # text streams read 8,192 bytes at a time
        start = mark + b"text,label\r\n" + "é\n".encode() * (before // 3) + b"a" * (before % 3)
        path = write(tmp_path, f"a.csv{packing}", PACKERS[packing](start + b"\xff,x\n" + b"b,y\n" * 5000))
        place = f"a.csv{packing}:{2 + before // 3}: byte {len(start)} of the file is not valid utf-8"
        with pytest.raises(DataError, match=re.escape(place)):
            load(path)


@pytest.mark.parametrize("encoding", ["gb18030", "ascii"])
def test_undecodable_byte_is_located_in_other_encodings(tmp_path: Path, encoding: str) -> None:
    start = ("text,label\n" + ("中" if encoding == "gb18030" else "a") * 9000 + ",x\nbb").encode(encoding)
    path = write(tmp_path, "a.csv", start + b"\xff\xff,x\n")
    with pytest.raises(DataError, match=rf"a\.csv:3: byte {len(start)} of the file is not valid {encoding}"):
        load(path, encoding=encoding)


def test_bad_rows_are_collected_first_five_and_total(tmp_path: Path) -> None:
    text = message(write(tmp_path, "a.csv", GOOD + "only\n" * 3 + "c,\n" * 4))
    assert text.startswith(f"7 bad rows in {tmp_path / 'a.csv'} (the first 5 are shown)\n")
    assert [int(line.split(".csv:")[1].split(":")[0]) for line in text.splitlines()[1:]] == [4, 5, 6, 7, 8]


def test_file_not_found_suggests_a_close_name(tmp_path: Path) -> None:
    write(tmp_path, "Reviews.csv", GOOD)
    assert message(tmp_path / "review.csv").endswith("not found (did you mean 'Reviews.csv'?)")
    assert message(tmp_path / "zzz.tsv").endswith("zzz.tsv: not found")
    assert message(tmp_path / "no" / "a.csv").endswith("no either)")
    assert "'hub:ag_news'" in message("ag_news")
    assert "not found" in message("a whole text, not a name " * 500)


def test_folder_errors(tmp_path: Path) -> None:
    write(tmp_path, "a.txt", "text")
    assert "no sub-folders: create one sub-folder per class" in message(tmp_path)
    for name in ("neg", "pos", "pos/deeper"):
        (tmp_path / name).mkdir()
    write(tmp_path, "pos/deeper/a.txt", "text")
    assert "no .txt files in the sub-folders neg, pos" in message(tmp_path)
    write(tmp_path, "pos/a.txt", "fine")
    write(tmp_path, "neg/a.txt", b"one\ntw\xff")
    assert re.search(r"file 1: .*a\.txt:2: byte 6 of the file is not valid utf-8", message(tmp_path))
    assert load(tmp_path, encoding="latin-1").texts == ["one\ntwÿ", "fine"]
    assert "needs a column 'split'" in message(tmp_path, split="train")
    (tmp_path / "neg/a.txt").unlink()
    (tmp_path / "neg").rmdir()
    assert "only one class, 'pos'" in message(tmp_path)


def test_parquet_errors_name_the_row(tmp_path: Path) -> None:
    path = parquet(tmp_path, {"text": ["a", None, "c"], "label": ["x", "y", None]})
    text = message(path)
    assert "a.parquet: row 2: the text (column 'text') is missing" in text
    assert "a.parquet: row 3: the label (column 'label') is missing" in text
    assert "no column 'txt' (did you mean 'text'?)" in message(path, text="txt")
    assert "is 1, not a string" in message(parquet(tmp_path, {"text": [1, 2], "label": ["x", "y"]}))
    assert "no rows below the column names" in message(parquet(tmp_path, {"text": [], "label": []}))


def test_stream_yields_nothing_after_a_bad_row_and_reports_them_all(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", '{"text": "a"}\n3\n{"text": "b"}\n4\n')
    rows = stream(path)
    assert next(rows).text == "a"
    with pytest.raises(DataError, match=r"^2 bad rows in .*\n.*jsonl:2: 3 is not.*\n.*jsonl:4: 4 is not"):
        next(rows)


def test_stream_does_not_read_ahead(tmp_path: Path) -> None:
    lines = b"".join(b'{"text": "%d"}\n' % i for i in range(20_000))
    rows = stream(write(tmp_path, "a.jsonl", lines + b"\xff\n"))
    assert [next(rows).text for _ in range(3)] == ["0", "1", "2"]
    with pytest.raises(DataError, match=r"a\.jsonl:20001: byte"):
        list(rows)


# Optional parts


def hide(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    real = importlib.import_module

    def import_module(name: str, *args: Any) -> ModuleType:
        if name.split(".")[0] == package:
            raise ModuleNotFoundError(f"No module named {package!r}", name=package)
        return real(name, *args)

    monkeypatch.setattr(importlib, "import_module", import_module)


@pytest.mark.parametrize(("package", "source"), [("pyarrow", "a.parquet"), ("datasets", "hub:ag_news")])
def test_missing_extra_names_the_pip_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, source: str
) -> None:
    write(tmp_path, "a.parquet", b"PAR1")
    hide(monkeypatch, package)
    monkeypatch.chdir(tmp_path)
    extra = {"pyarrow": "parquet", "datasets": "hub"}[package]
    with pytest.raises(MissingExtraError, match=rf"{source} needs the package '{package}'.*rulenet\[{extra}\]"):
        load(source)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """A hub that holds org/name, name with the configuration small, and ag_news; returns the calls made."""
    datasets = pytest.importorskip("datasets")
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["World", "Sports"])}
    )
    calls: list[tuple[Any, ...]] = []

    def load_dataset(*names: str, split: str) -> Any:
        calls.append((*names, split))
        if names not in (("org/name",), ("name", "small"), ("org/name", "small"), ("ag_news",)):
            raise datasets.exceptions.DatasetNotFoundError(f"Dataset {names[0]!r} doesn't exist on the Hub")
        if split not in ("train", "test"):
            raise ValueError(f"Unknown split {split!r}")
        labels = [1, 0, 1] if split == "train" else [-1, -1, -1]
        return datasets.Dataset.from_dict({"text": ["a", "", "c"], "label": labels}, features=features)

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    return calls


@pytest.mark.parametrize(
    ("source", "call"),
    [
        ("hub:ag_news", ("ag_news", "train")),
        ("hub:org/name", ("org/name", "train")),
        ("hub:name/small", ("name", "small", "train")),
        ("hub:org/name/small", ("org/name", "small", "train")),
    ],
)
def test_hub_names(hub: list[tuple[Any, ...]], source: str, call: tuple[str, ...]) -> None:
    data = load(source)
    assert data == Dataset(texts=["a", "", "c"], labels=["Sports", "World", "Sports"], source=source, rows=[1, 2, 3])
    assert hub[-1] == call


def test_hub_split_without_labels(hub: list[tuple[Any, ...]]) -> None:
    assert load("hub:ag_news", split="test", need_labels=False).labels is None
    assert "hub:ag_news: row 1: the label (column 'label') is missing" in message("hub:ag_news", split="test")
    assert texts_of("hub:ag_news") == ["a", "", "c"]


def test_hub_errors_say_what_failed_and_keep_the_cause(hub: list[tuple[Any, ...]]) -> None:
    with pytest.raises(
        DataError, match=r"hub:no/such: .*DatasetNotFoundError: Dataset 'no/such' .*pass a file"
    ) as caught:
        load("hub:no/such")
    assert "no/such" in str(caught.value.__cause__)
    assert hub == [("no/such", "train"), ("no", "such", "train")]
    with pytest.raises(DataError, match=r"cannot load split 'dev' \(ValueError: Unknown split 'dev'\)") as caught:
        load("hub:org/name", split="dev")
    assert isinstance(caught.value.__cause__, ValueError)
    assert len(hub) == 3  # the name was right, so it is not tried as name/config
