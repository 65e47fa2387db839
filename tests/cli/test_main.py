"""`rulenet train · predict · evaluate · explain`: what they print, write and return, and how they complain."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from rulenet import RuleNetClassifier
from rulenet.cli.main import app
from rulenet.predictor import Predictor
from tests.cli.conftest import complaint, run, write_csv

COMMANDS = [
    *("demo", "train", "predict", "evaluate", "explain", "export", "history", "calibrate", "info", "recipes"),
    *(f"rules {name}" for name in ("lint", "test", "format", "stats", "suggest", "apply", "diff", "schema")),
]


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


# Texts and labels that are hard to print


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
        ("trian x", r"^error: No such command 'trian'\. Did you mean 'train'\? See: rulenet --help$"),
        ("train {f}/mial.csv -o {t}/m", r"^error: .*mial\.csv: not found \(did you mean 'mail\.csv'\?\)$"),
        ("train {f}/mail.csv -o {t}/m --text txt", r"no column 'txt' \(did you mean 'text'\?\)"),
        ("train {f}/mail.csv -o {t}/m --label no", r"no column 'no': correct --label"),
        ("train {f}/mail.csv -o {t}/m --limit 1", r"has only one class, 'delivery'"),
        ("train {f}/mail.csv -o {t}/m --split dev", r"--split dev needs a column 'split'"),
        ("train {f}/rules.yaml -o {t}/m", r"rules\.yaml is a rule file: add labelled texts, .* or texts without labels, --unlabeled FILE"),
        ("train -o {t}/m", r"nothing to learn from: add labelled texts"),
        ("train -o {t}/m --unlabeled {f}/mail.csv", r"--unlabeled alone says nothing of labels: add rules"),
        ("train {f}/rules.yaml -r {f}/rules.yaml -o {t}/m", r"two rule files, .* leave out one"),
        ("train {f}/mail.csv -o {t}/m --set C", r"^error: recipe: 'C' has no value: write NAME=VALUE"),
        ("train {f}/mail.csv -o {t}/m --set learnin_rate=1", r"did you mean 'learning_rate'\?"),
        ("train {f}/mail.csv -o {t}/m --set tune=Lora(r=8)", r"no part of a recipe is called 'Lora' \(did you mean 'LoRA'\?\)"),
        ("train {f}/mail.csv -o {t}/m --recipe C=1", r"--recipe takes a name of .*; fields are changed by --set C=1"),
        ("train {f}/mail.csv -o {t}/m --recipe quikc", r"no recipe is called .quikc. .*\(did you mean 'quick'\?\)"),
        ("train {f}/mail.csv -o {t}/m --report {f}/mail.csv", r"mail\.csv cannot be written: it is the same file as the input"),
        ("recipes quikc", r"did you mean 'quick'\?"),
        ("train {f}/mail.csv -o {t}/m -r {f}/no.yaml", r"^error: 1 fault in .*no\.yaml .*no\.yaml: no such file; working"),
        ("train {f}/mail.csv -o {t}/m -r {f}/bad.yaml", r"bad\.yaml:3: rule 'a': unknown field 'wrod': did you mean 'word'"),
        ("train {f}/mail.csv -o {t}/m -r {f}/other.yaml", r"label 'bills' of .*\(did you mean 'billing'\?\)"),
        ("train {f}/mail.csv -o {f}/mail.csv", r"mail\.csv exists and is not a rulenet model \(it is a file\)"),
        ("train {f}/mail.csv -o {f}", r"exists and is not a rulenet model"),
        ("train {f}/mail.csv -o {f}/mail.csv/m", r"cannot be written"),
        ("train {f}/mail.csv -o {t}/m --language fr", r"--language fr is not 'auto', 'en' or 'zh'"),
        ("train {f}/mail.csv -o {t}/m --device tpu", r"--device tpu is not"),
        ("train {f}/empty.csv -o {t}/m", r"empty\.csv: the file is empty"),
        ("train {f}/blank.csv -o {t}/m", r"all 2 texts are empty"),
        ("predict {t}/m {f}/mail.csv", r"m: no such folder; a model is the folder that it was saved to"),
        ("predict {t} {f}/mail.csv", r"there is no config\.json"),
        ("predict {f}/model {f}/no.csv", r"no\.csv: not found"),
        ("predict {f}/model {f}/empty.csv", r"the file is empty"),
        ("predict {f}/model {f}/mail.csv --text no", r"no column 'no'"),
        ("predict {f}/model {f}/mail.csv -o {t}/no/o.csv", r"o\.csv cannot be written: there is no folder .*no. Create it"),
        ("predict {f}/model {f}/mail.csv -o {t}", r"cannot be written: it is a folder. Name a file"),
        ("evaluate {t}/m {f}/mail.csv", r"no such folder"),
        ("evaluate {f}/model {f}/plain.csv", r"some or all labels are missing: .* --label"),
        ("evaluate {f}/model {f}/strange.csv", r"labels that the model does not know: 'fun'; the model knows 'billing', 'delivery'"),
        ("explain {t}/m text", r"no such folder"),
        ("explain {f}/model text --html {t}/no/p.html", r"p\.html cannot be written: there is no folder"),
        ("explain {f}/model text --html {t}", r"cannot be written: it is a folder"),
        ("demo --report {t}/no/report.html", r"report\.html cannot be written: there is no folder"),
        ("bogus", r"No such command 'bogus'"),
        ("rules bogus", r"No such command 'bogus'"),
        ("predict", r"Missing argument"),
        ("train {f}/mail.csv", r"Missing option '--out'"),
        ("train {f}/mail.csv -o {t}/m --seed -1", r"Invalid value for '--seed'"),
        ("train {f}/mail.csv -o {t}/m --epochs -1", r"Invalid value for '--epochs'"),
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
    assert re.search(message, said), said
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


def test_ctrl_c_ends_in_one_line_and_status_130(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Predictor, "parts", interrupted)
    arguments = ("predict", folder / "model", folder / "mail.csv", "--out", tmp_path / "out.csv", "--prefix", "p")
    assert complaint(*arguments, status=130) == "error: interrupted"
    assert list(tmp_path.iterdir()) == []


def test_schema_is_json_schema() -> None:
    data = json.loads(run("rules", "schema").stdout)
    assert data["$schema"].startswith("https://json-schema.org/")
    assert data["required"] == ["rulenet"]
