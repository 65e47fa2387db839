"""What the tests of the commands share: running a command in this process, small files, a model without an encoder."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

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
NEWS = [
    ("the team won", "sports"),
    ("oil falls", "business"),
    ("a late goal", "sports"),
    ("the bank lost", "business"),
] * 15
RULES = """
rulenet: 1
language: en
rules:
  - {id: parcel, label: delivery, word: parcel}
  - {id: money, label: billing, word: [money, invoice], weight: 2}
"""


def run(*arguments: object, status: int = 0, stdin: str | bytes | None = None) -> Result:
    """Run a command in this process; a user must never see a traceback."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.output
    return result


def complaint(*arguments: object, status: int = 2, stdin: str | bytes | None = None) -> str:
    """What a failing command prints, on standard error and nowhere else, as one line."""
    result = run(*arguments, status=status, stdin=stdin)
    assert result.stdout == ""
    return " ".join(result.stderr.replace("│", " ").split())


def write_csv(path: Path, rows: Iterable[tuple[str, str]]) -> Path:
    """Write texts and labels."""
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([("text", "label"), *rows])
    return path


def table(text: str) -> list[dict[str, str]]:
    """Rows of csv output."""
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as the working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """mail.csv, rules.yaml, and a model without an encoder trained on them."""
    folder = tmp_path_factory.mktemp("mail")
    write_csv(folder / "mail.csv", ROWS)
    (folder / "rules.yaml").write_text(RULES)
    run("train", folder / "mail.csv", "--rules", folder / "rules.yaml", "--encoder", "none", "--out", folder / "model")
    return folder


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model without an encoder, trained on `NEWS`."""
    data = write_csv(tmp_path / "news.csv", NEWS)
    run("train", data, "--encoder", "none", "--out", tmp_path / "model")
    return tmp_path / "model"
