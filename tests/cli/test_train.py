"""`rulenet train`: cascade, resuming, figures, and what the report says in words."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from rulenet import RuleNetClassifier
from rulenet.cli.train import calibration_lines, cascade_lines
from rulenet.training.augment import Swap, TokenDropout
from tests.cli.conftest import ROWS, run, table, write_csv


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty texts: enough for nine held-out ones."""
    file = tmp_path_factory.mktemp("data") / "news.csv"
    rows = ["the team won the match,sports", "oil price falls,business", "a late goal,sports", "the bank lost,business"]
    file.write_text("\n".join(["text,label", *(rows * 15)]))
    return file


# What is said


def test_calibration_in_words() -> None:
    report: dict[str, Any] = {
        "texts": 1200,
        "ece": 0.0123,
        "paths": {"hybrid": 700, "rules": 500},
        "temperature": {"hybrid": {"base": 1.08, "growth": 0.1}, "rules": {"base": 0.931, "growth": 0.0}},
    }
    (line,) = calibration_lines(report)
    assert line == (
        "probabilities: off by 1.2% on average (ECE, 1,200 held-out texts); "
        "temperature 1.08 · (1 + lead)^0.10 (φ + ψ), 0.93 · (1 + lead)^0.00 (φ alone)"
    )
    (line,) = calibration_lines({**report, "paths": {"hybrid": 0, "rules": 1200}})
    assert line.endswith("temperature 0.93 · (1 + lead)^0.00 (φ alone)")
    assert calibration_lines({}) == []


CASCADE: dict[str, Any] = {
    "mode": "off", "margin": None, "share_skipped": None, "changed": None, "risk_bound": 0.0, "speed_up": None, "note": ""
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({}, []),
        ({"note": "why"}, ["cascade: why"]),
        ({"mode": "certified"}, ["cascade: certified, changes no prediction"]),
        (
            {"mode": "certified", "share_skipped": 0.344, "speed_up": 1.49},
            [
                "cascade: certified, skips ψ for 34% of the texts, changes no prediction, expected to be 1.5 times as fast"
            ],
        ),
        (
            {"mode": "statistical", "share_skipped": 0.7, "risk_bound": 0.0049, "speed_up": 3.0, "note": "why"},
            [
                "cascade: statistical, skips ψ for 70% of the texts, changes at most 0.49% of the predictions (95 % confidence), "
                "expected to be 3.0 times as fast",
                "cascade: why",
            ],
        ),
    ],
)
def test_the_cascade_in_words(changes: dict[str, Any], lines: list[str]) -> None:
    assert cascade_lines({**CASCADE, **changes}) == lines


# What is done


def test_a_model_without_an_encoder_is_calibrated(data: Path, tmp_path: Path) -> None:
    shown = run("train", data, "--encoder", "none", "--out", tmp_path / "model", "--cascade", "certified").stdout
    assert re.search(
        r"^probabilities: off by \d+\.\d% on average \(ECE, 9 held-out texts\); temperature \d\.\d\d · ", shown, re.M
    )
    assert "cascade: the model has no ψ to skip: every answer is φ's alone\n" in shown
    assert RuleNetClassifier.load(tmp_path / "model").cascade == "certified"


def test_a_cascade_is_chosen_said_and_kept(data: Path, tiny_encoder: str, tmp_path: Path) -> None:
    options = ("--encoder", tiny_encoder, "--epochs", 1, "--out", tmp_path / "model", "--cascade", "statistical")
    shown = run("train", data, *options, "--cascade-risk", 0.3).stdout
    assert "cascade: " in shown
    clf = RuleNetClassifier.load(tmp_path / "model")
    assert (clf.cascade, clf.cascade_risk) == ("statistical", 0.3)
    found = json.loads(run("train", data, *options, "--force", "--json").stdout)["report"]["cascade"]
    if clf.predictor_.hybrid.is_neural:
        n = int(clf.report_["held_out"]["texts"])
        assert f"{n} held-out texts cannot promise a risk of 0.005: that takes 598" in found["note"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model"]  # nothing of the work is left


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--cascade", "sometimes"), r"--cascade sometimes is not 'off', 'certified' or 'statistical'"),
        (("--cascade-risk", "2"), r"--cascade-risk 2\.0 is not a share between 0 and 1"),
    ],
)
def test_an_unknown_cascade_is_refused(data: Path, tmp_path: Path, options: tuple[str, str], message: str) -> None:
    said = run("train", data, "--encoder", "none", "--out", tmp_path / "model", *options, status=2).stderr
    assert re.search(message, said)
    assert list(tmp_path.iterdir()) == []


def test_figures_are_drawn(data: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    run("train", data, "--encoder", "none", "--out", tmp_path / "model", "--figures", tmp_path / "figures")
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == ["coverage.svg", "reliability.svg"]


def test_figures_in_a_wrong_place_are_refused_before_the_work(data: Path, tmp_path: Path) -> None:
    """In the folder of the model they would make it unreadable."""
    pytest.importorskip("matplotlib")
    (tmp_path / "file").touch()
    for place, message in (("model", "no other files"), ("model/figures", "no other files"), ("file", "is a file")):
        options = ("--encoder", "none", "--out", tmp_path / "model", "--figures", tmp_path / place)
        assert message in run("train", data, *options, status=2).stderr
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_missing_matplotlib_is_said_before_the_work(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    options = ("--encoder", "none", "--out", tmp_path / "model", "--figures", tmp_path / "figures")
    assert "rulenet[plot]" in run("train", data, *options, status=2).stderr.replace("\n", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("rank", "writes"), [("0", True), ("1", False)])
def test_of_several_processes_the_first_alone_writes_the_model(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rank: str, writes: bool
) -> None:
    monkeypatch.setenv("RANK", rank)
    shown = run("train", data, "--encoder", "none", "--out", tmp_path / "model")
    assert (tmp_path / "model").exists() == writes
    assert ("60 texts" in shown.output) == writes


def test_resuming_without_a_transformer_is_refused_in_words_of_the_command_line(data: Path, tmp_path: Path) -> None:
    shown = run("train", data, "--encoder", "none", "--resume", "--out", tmp_path / "model", status=2)
    assert "--resume needs a transformer" in shown.output


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


def test_round_trip_with_an_encoder(tiny_encoder: str, folder: Path, tmp_path: Path) -> None:
    options = ("--encoder", tiny_encoder, "--epochs", 1, "--device", "cpu", "--seed", 3, "--out", tmp_path / "model")
    how = ("--rules", folder / "rules.yaml", "--report", tmp_path / "how.html")
    shown = run("train", folder / "mail.csv", *how, *options)
    assert "8 texts, 2 rules" in shown.stdout
    assert "<title>rulenet: training report</title>" in (tmp_path / "how.html").read_text(encoding="utf-8")
    assert "ψ" in shown.stderr  # progress
    assert (shown.stdout + shown.stderr).count("convex start") == 1
    assert len(table(run("predict", tmp_path / "model", folder / "mail.csv").stdout)) == 8
    assert json.loads(run("evaluate", tmp_path / "model", folder / "mail.csv", "--json").stdout)["accuracy"] > 0.8
    assert "transformer" in run("explain", tmp_path / "model", "my parcel").stdout


def test_an_encoder_that_cannot_be_loaded(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    said = run("train", folder / "mail.csv", "--encoder", tmp_path / "no", "--out", tmp_path / "m", status=2).stderr
    assert re.search(r"error: encoder '.*no' cannot be loaded: .*'scratch'", said, re.DOTALL)
    assert list(tmp_path.iterdir()) == []


def test_rules_alone_label_texts(folder: Path, tmp_path: Path) -> None:
    """A rule file in place of the labelled texts, or as an option; the texts in any form; more texts beside labelled ones."""
    write_csv(tmp_path / "new.csv", [(text, "?") for text, _ in ROWS])
    (tmp_path / "new.txt").write_text("\n".join(text for text, _ in ROWS) + "\n")
    rules, end = folder / "rules.yaml", ("--encoder", "none", "--json", "--force", "--out", tmp_path / "m")
    for given in ([rules, "--unlabeled", tmp_path / "new.csv"], ["-r", rules, "--unlabeled", tmp_path / "new.txt"]):
        report = json.loads(run("train", *given, *end).stdout)["report"]
        assert (report["n_texts"], report["n_unlabeled"], report["n_rules"]) == (0, 8, 2)
        assert RuleNetClassifier.load(tmp_path / "m").predict(["my invoice", "a parcel"]).tolist() == [
            "billing",
            "delivery",
        ]
    report = json.loads(run("train", folder / "mail.csv", "--unlabeled", tmp_path / "new.txt", *end).stdout)["report"]
    assert (report["n_texts"], report["n_unlabeled"]) == (8, 8)
    end = ("--encoder", "none", "--force", "--out", tmp_path / "m")
    assert "\n8 texts without labels, 2 rules, " in "\n" + run("train", *given, *end).stdout
    both = run("train", folder / "mail.csv", "--unlabeled", tmp_path / "new.txt", *end).stdout
    assert "\n8 texts, 8 texts without labels, 0 rules, " in "\n" + both


def test_fields_of_the_recipe(folder: Path, tmp_path: Path) -> None:
    given = {"C": "3", "ngram_range": "(1, 1)", "nb": "false", "tfidf": "true", "long_texts": "chunks", "bound": "none"}
    given["augment"] = "[Swap, TokenDropout(p=0.2)]"
    options = [part for name, value in given.items() for part in ("--set", f"{name}={value}")]
    run("train", folder / "mail.csv", "--encoder", "none", "--recipe", "exits", *options, "--out", tmp_path / "m")
    found = RuleNetClassifier.load(tmp_path / "m").recipe_.leaves()
    expected = {"C": 3.0, "ngram_range": (1, 1), "nb": False, "tfidf": True, "long_texts": "chunks", "bound": None}
    expected |= {"augment": (Swap(), TokenDropout(0.2)), "exit_margin": 4.0}
    assert {name: found[name] for name in expected} == expected
