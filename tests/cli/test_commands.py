"""`rulenet train · predict · evaluate · explain`: what they print, write and return, and how they complain."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from rulenet import RuleNetClassifier
from rulenet.cli.main import app

ROWS = [
    ("where is my parcel", "delivery"),
    ("the parcel is late", "delivery"),
    ("parcel lost in the mail", "delivery"),
    ("late again, no parcel", "delivery"),
    ("refund my money", "billing"),
    ("money was charged twice", "billing"),
    ("the invoice is wrong", "billing"),
    ("charged too much money", "billing"),
]
RULES = """
rulenet: 1
language: en
rules:
  - {id: parcel, label: delivery, word: parcel}
  - {id: money, label: billing, word: [money, invoice], weight: 2}
"""
COMMANDS = [
    *("demo", "train", "predict", "evaluate", "explain", "export"),
    *(f"rules {name}" for name in ("lint", "test", "format", "stats", "suggest", "apply", "diff", "schema")),
]


def run(*arguments: object, status: int = 0, stdin: str | bytes | None = None) -> Result:
    """Run a command in this process; a traceback is never what a user gets."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.output
    return result


def complaint(*arguments: object, status: int = 2, stdin: str | bytes | None = None) -> str:
    """What a failing command says, on standard error and nowhere else."""
    result = run(*arguments, status=status, stdin=stdin)
    assert result.stdout == ""
    return result.stderr


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def write_csv(path: Path, rows: list[tuple[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([("text", "label"), *rows])
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """mail.csv, rules.yaml, and a model without an encoder trained on them."""
    folder = tmp_path_factory.mktemp("mail")
    write_csv(folder / "mail.csv", ROWS)
    (folder / "rules.yaml").write_text(RULES)
    run("train", folder / "mail.csv", "--rules", folder / "rules.yaml", "--encoder", "none", "--out", folder / "model")
    return folder


# Help


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str) -> None:
    shown = " ".join(run(*command.split(), "--help").stdout.split())
    assert f"Example: rulenet {command}" in shown
    if command != "rules schema":  # it prints JSON anyway
        assert "--json" in shown


@pytest.mark.parametrize("arguments", [[], ["rules"]])
def test_without_a_command_help_is_shown(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, arguments)
    assert "Usage: " in result.output
    for command in COMMANDS:
        if command.startswith("rules ") == bool(arguments):
            assert command.split()[-1] in result.output


# Round trip


def test_train_says_what_it_learned_from(folder: Path, tmp_path: Path) -> None:
    arguments = (
        "train",
        folder / "mail.csv",
        "-r",
        folder / "rules.yaml",
        "--encoder",
        "none",
        "-o",
        tmp_path / "model",
    )
    shown = run(*arguments).stdout
    assert re.search(rf"8 texts, 2 rules, \d+ terms, 0 s → {tmp_path}/model/\n", shown)
    assert RuleNetClassifier.load(tmp_path / "model").classes_.tolist() == ["billing", "delivery"]


def test_train_as_json(folder: Path, tmp_path: Path) -> None:
    result = run("train", folder / "mail.csv", "--encoder", "none", "--out", tmp_path / "model", "--json")
    data = json.loads(result.stdout)
    assert (data["model"], data["classes"]) == (str(tmp_path / "model"), ["billing", "delivery"])
    assert (data["report"]["n_texts"], data["report"]["n_rules"]) == (8, 0)
    assert result.stderr == ""


def test_train_reads_the_columns_the_split_and_the_limit(tmp_path: Path) -> None:
    lines = [
        "body,kind,split",
        *(f"{text.replace(',', '')},{label},train" for text, label in ROWS),
        "extra,billing,test",
    ]
    (tmp_path / "mail.csv").write_text("\n".join(lines))
    options = ("--text", "body", "--label", "kind", "--split", "train", "--limit", 5, "--json")
    data = json.loads(run("train", tmp_path / "mail.csv", "--encoder", "none", "-o", tmp_path / "m", *options).stdout)
    assert data["report"]["n_texts"] == 5


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


def test_predict_goes_block_by_block(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rulenet.cli.predict.BLOCK", 3)
    assert [
        (row["text"], row["label"]) for row in table(run("predict", folder / "model", folder / "mail.csv").stdout)
    ] == ROWS


def test_evaluate_counts_right_ones(folder: Path, tmp_path: Path) -> None:
    # Three of four right: one billing text is called delivery.
    rows = [("parcel", "delivery"), ("money", "billing"), ("money", "billing"), ("parcel", "billing")]
    data = json.loads(run("evaluate", folder / "model", write_csv(tmp_path / "t.csv", rows), "--json").stdout)
    assert (data["texts"], data["accuracy"]) == (4, 0.75)
    assert data["labels"]["billing"] == {"precision": 1.0, "recall": 2 / 3, "f1": 0.8, "texts": 3}
    assert data["labels"]["delivery"] == {"precision": 0.5, "recall": 1.0, "f1": pytest.approx(2 / 3), "texts": 1}
    assert data["macro_f1"] == pytest.approx((0.8 + 2 / 3) / 2)
    shown = run("evaluate", folder / "model", tmp_path / "t.csv").stdout
    assert re.search(r"billing +1\.000 +0\.667 +0\.800 +3", shown)
    assert "accuracy 0.7500, macro F1 0.7333, 4 texts" in shown


def test_evaluate_on_a_file_of_one_class(folder: Path, tmp_path: Path) -> None:
    data = json.loads(
        run("evaluate", folder / "model", write_csv(tmp_path / "t.csv", [("parcel", "delivery")]), "--json").stdout
    )
    assert (data["accuracy"], data["labels"]["billing"]["texts"]) == (1.0, 0)


def test_explain_shows_what_added_up(folder: Path) -> None:
    shown = run("explain", folder / "model", "Where is my parcel?", "money").stdout
    assert re.search(r"^delivery 0\.\d\d \(rules\) over billing by \d\.\d\d$", shown, re.MULTILINE)
    assert re.search(r"^ *rule +parcel +parcel +\+1\.\d\d +\+0\.00", shown, re.MULTILINE)
    assert re.search(r"^billing 0\.\d\d", shown, re.MULTILINE)


def test_explain_as_json_lines_adds_up(folder: Path) -> None:
    lines = run("explain", folder / "model", "-", "--json", stdin="my parcel\nno money\n").stdout.splitlines()
    explanations = [json.loads(line) for line in lines]
    assert [e["text"] for e in explanations] == ["my parcel", "no money"]
    for e in explanations:
        for label, logit in e["logits"].items():
            terms = sum(term["contributions"][label] for term in e["terms"])
            assert e["bias"][label] + terms + e["neural"][label] == pytest.approx(logit, abs=1e-4)


def test_explain_writes_a_page(folder: Path, tmp_path: Path) -> None:
    run("explain", folder / "model", "my <b>parcel</b>", "--html", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert '<mark class="for" title="parcel">parcel</mark>' in page
    assert "my &lt;b&gt;" in page


def test_round_trip_with_an_encoder(tiny_encoder: str, folder: Path, tmp_path: Path) -> None:
    options = ("--encoder", tiny_encoder, "--epochs", 1, "--device", "cpu", "--seed", 3, "--out", tmp_path / "model")
    shown = run("train", folder / "mail.csv", "--rules", folder / "rules.yaml", *options)
    assert "8 texts, 2 rules" in shown.stdout
    assert "ψ" in shown.stderr  # progress
    assert len(table(run("predict", tmp_path / "model", folder / "mail.csv").stdout)) == 8
    assert json.loads(run("evaluate", tmp_path / "model", folder / "mail.csv", "--json").stdout)["accuracy"] > 0.8
    assert "transformer" in run("explain", tmp_path / "model", "my parcel").stdout


# Texts and labels that are hard to print


def test_half_an_emoji_survives_every_output(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"text": "parcel \\ud83d"}\n')
    line = run("predict", folder / "model", tmp_path / "t.jsonl", "--json").stdout
    assert json.loads(line)["text"] == "parcel \ud83d"
    assert table(run("predict", folder / "model", tmp_path / "t.jsonl").stdout)[0]["text"] == r"parcel \ud83d"
    run("predict", folder / "model", tmp_path / "t.jsonl", "--out", tmp_path / "o.jsonl", "--json")
    assert (tmp_path / "o.jsonl").read_text(encoding="utf-8") == line
    run("explain", folder / "model", "parcel \ud83d", "--html", tmp_path / "page.html")
    assert json.loads(run("explain", folder / "model", "parcel \ud83d", "--json").stdout)["text"] == "parcel \ud83d"


def test_labels_are_not_read_as_markup(tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", [("good", "[/b]"), ("bad", "[red]x")] * 3)
    run("train", tmp_path / "t.csv", "--encoder", "none", "--out", tmp_path / "[b]odel")
    for command in (("evaluate", tmp_path / "[b]odel", tmp_path / "t.csv"), ("explain", tmp_path / "[b]odel", "good")):
        shown = run(*command).stdout
        assert "[/b]" in shown
        assert "[red]x" in shown


# Complaints. Each case: arguments ({f} is the folder, {t} an empty one), what is said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("train {f}/mial.csv -o {t}/m", r"^error: .*mial\.csv: not found \(did you mean 'mail\.csv'\?\)\n$"),
        ("train {f}/mail.csv -o {t}/m --text txt", r"no column 'txt' \(did you mean 'text'\?\)"),
        ("train {f}/mail.csv -o {t}/m --label no", r"no column 'no': correct label="),
        ("train {f}/mail.csv -o {t}/m --limit 1", r"only one class 'delivery'"),
        ("train {f}/mail.csv -o {t}/m --split dev", r"split='dev' needs a column 'split'"),
        ("train {f}/rules.yaml -o {t}/m", r"unknown kind of file"),
        ("train {f}/mail.csv -o {t}/m -r {f}/no.yaml", r"^error: 1 fault in .*no\.yaml\n.*no\.yaml: no such file; working"),
        ("train {f}/mail.csv -o {t}/m -r {f}/bad.yaml", r"bad\.yaml:3: rule 'a': unknown field 'wrod': did you mean 'word'"),
        ("train {f}/mail.csv -o {t}/m -r {f}/other.yaml", r"label 'bills' of .*\(did you mean 'billing'\?\)"),
        ("train {f}/mail.csv -o {f}/mail.csv", r"mail\.csv exists and is not a rulenet model \(it is a file\)"),
        ("train {f}/mail.csv -o {f}", r"exists and is not a rulenet model"),
        ("train {f}/mail.csv -o {f}/mail.csv/m", r"cannot be written"),
        ("train {f}/mail.csv -o {t}/m --language fr", r"language='fr' is not 'auto', 'en' or 'zh'"),
        ("train {f}/mail.csv -o {t}/m --device tpu", r"device='tpu' is not"),
        ("train {f}/empty.csv -o {t}/m", r"empty\.csv: the file is empty"),
        ("train {f}/blank.csv -o {t}/m", r"all 2 texts are empty"),
        ("predict {t}/m {f}/mail.csv", r"m: no such folder; a model is the folder that save\(\) wrote"),
        ("predict {t} {f}/mail.csv", r"there is no config\.json"),
        ("predict {f}/model {f}/no.csv", r"no\.csv: not found"),
        ("predict {f}/model {f}/empty.csv", r"the file is empty"),
        ("predict {f}/model {f}/mail.csv --text no", r"no column 'no'"),
        ("predict {f}/model {f}/mail.csv -o {t}/no/o.csv", r"o\.csv cannot be written: there is no folder .*no; make it"),
        ("predict {f}/model {f}/mail.csv -o {t}", r"cannot be written: it is a folder; name a file"),
        ("evaluate {t}/m {f}/mail.csv", r"no such folder"),
        ("evaluate {f}/model {f}/plain.csv", r"has no labels to compare with, or some are missing; name .* --label"),
        ("evaluate {f}/model {f}/strange.csv", r"labels that the model does not know: 'fun'; it knows 'billing', 'delivery'"),
        ("explain {t}/m text", r"no such folder"),
        ("explain {f}/model text --html {t}/no/p.html", r"p\.html cannot be written: there is no folder"),
        ("explain {f}/model text --html {t}", r"cannot be written: it is a folder"),
        ("demo --report {t}/no/report.html", r"report\.html cannot be written: there is no folder"),
        ("bogus", r"No such command 'bogus'"),
        ("rules bogus", r"No such command 'bogus'"),
        ("predict", r"Missing argument"),
        ("train {f}/mail.csv", r"Missing option '--out'"),
        ("train {f}/mail.csv -o {t}/m --seed -1", r"Invalid value for '--seed'"),
        ("train {f}/mail.csv -o {t}/m --epochs 0", r"Invalid value for '--epochs'"),
        ("train {f}/mail.csv -o {t}/m --wrong", r"No such option: --wrong"),
    ],
)  # fmt: skip
def test_mistakes_end_in_a_message_and_status_2(folder: Path, tmp_path: Path, arguments: str, message: str) -> None:
    files = {
        "bad.yaml": "rulenet: 1\nrules:\n  - {id: a, label: billing, wrod: b}\n",
        "other.yaml": "{rulenet: 1, rules: [{id: a, label: bills, word: b}]}",
        "empty.csv": "",
        "blank.csv": 'text,label\n" ",billing\n"",delivery\n',
        "plain.csv": "text\na\n",
        "strange.csv": "text,label\na,fun\nb,billing\n",
    }
    for name, content in files.items():
        (folder / name).write_text(content)
    parts = [part.format(f=folder, t=tmp_path) for part in arguments.split()]
    if parts[0] == "train" and "--encoder" not in parts:
        parts += ["--encoder", "none"]
    said = complaint(*parts)
    assert re.search(message, re.sub(r"\s*\n│ |│\n", " ", said)), said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        "train {f}/mail.csv -o {f}/rules.yaml",
        "predict {f}/model {f}/mail.csv -o {f}/no/out.csv",
        "explain {f}/model text --html {f}/no/page.html",
    ],
)
def test_a_place_that_cannot_be_written_is_refused_before_the_work(
    folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: str
) -> None:
    def work(*_: Any) -> None:
        raise NotImplementedError("this comes too early")

    monkeypatch.setattr(RuleNetClassifier, "fit", work)
    monkeypatch.setattr(RuleNetClassifier, "load", work)
    said = complaint(*(part.format(f=folder) for part in arguments.split()))
    assert "is not a rulenet model" in said or "there is no folder" in said


def test_an_encoder_that_cannot_be_loaded(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    said = run("train", folder / "mail.csv", "--encoder", tmp_path / "no", "--out", tmp_path / "m", status=2).stderr
    assert re.search(r"error: encoder '.*no' cannot be loaded: .*'scratch'", said, re.DOTALL)
    assert list(tmp_path.iterdir()) == []


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


def test_bytes_that_are_no_text_on_standard_input(folder: Path) -> None:
    for command in ("predict", "explain"):
        result = run(command, folder / "model", "-", stdin=b"fine\nb\xffd\n", status=2)
        assert "standard input, line 2: byte 1 of the line is not valid utf-8" in result.stderr


def test_ctrl_c_ends_in_one_line_and_status_130(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(RuleNetClassifier, "predict_proba", interrupted)
    arguments = ("predict", folder / "model", folder / "mail.csv", "--out", tmp_path / "out.csv")
    assert complaint(*arguments, status=130) == "error: interrupted\n"
    assert list(tmp_path.iterdir()) == []
