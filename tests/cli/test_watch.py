"""`rulenet rules test --watch`: runs again after a save, whatever the file looks like by then."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from rulenet.cli.main import app

RULES = "rulenet: 1\nrules:\n- {id: win, label: Sports, word: win, examples: {match: [They win]}}\n"


def saves(monkeypatch: pytest.MonkeyPatch, *steps: Callable[[], object]) -> list[set[Path]]:
    """Lets the watcher see these saves, one after the other, then Ctrl-C; the folders it was asked to watch."""
    todo = list(steps)
    watched: list[set[Path]] = []

    def watch(*folders: Path, watch_filter: Callable[[Any, str], bool], **_: object) -> Iterator[set[Any]]:
        watched.append(set(folders))
        while todo:
            path = todo.pop(0)()
            if watch_filter(None, str(path)):
                yield {(1, str(path))}
        raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "watchfiles", SimpleNamespace(watch=watch))
    return watched


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def results(*arguments: object, status: int = 0) -> list[str]:
    """The last line of each round, and faults."""
    result = CliRunner().invoke(app, ["rules", "test", *map(str, arguments), "--watch"])
    assert result.exit_code == status, result.output
    return [
        line for line in result.output.splitlines() if line.startswith(("✓", "✗", "error")) or "rule 'win':" in line
    ]


def test_every_save_runs_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path / "rules.yaml", RULES)
    saves(
        monkeypatch,
        lambda: write(file, RULES.replace("They win", "They won")),
        lambda: write(file, RULES.replace("word: win", "wrod: win")),
        lambda: write(tmp_path / "notes.txt", "something else"),
        lambda: write(file, RULES),
    )
    assert results(file) == [
        "✓ 1 rule, 1 of 1 example passed; 0 rules have no examples",
        "✗ 1 rule, 0 of 1 example passed; 0 rules have no examples",
        f"{file}:3: rule 'win': unknown field 'wrod': did you mean 'word'? [RN012 unknown-field]",
        f"✗ {file} cannot be loaded: 1 fault",
        "✓ 1 rule, 1 of 1 example passed; 0 rules have no examples",
    ]


def test_included_files_and_lists_are_watched_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lists").mkdir()
    words = write(tmp_path / "lists" / "words.csv", "term\nwin\n")
    file = write(tmp_path / "rules.yaml", RULES)
    listed = RULES.replace("rules:", "lexicons: {l: [{file: lists/words.csv}]}\nrules:").replace(
        "word: win", "lexicon: l"
    )
    watched = saves(
        monkeypatch,
        lambda: write(words, "term\nlose\n"),  # not read yet
        lambda: write(file, listed),
        lambda: write(words, "term\nwin\n"),
    )
    assert [line[0] for line in results(file)] == ["✓", "✗", "✓"]
    assert watched == [{tmp_path.resolve()}, {tmp_path.resolve(), words.parent.resolve()}]


def test_a_rule_that_is_gone_is_no_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path / "rules.yaml", RULES)
    saves(monkeypatch, lambda: write(file, RULES.replace("id: win", "id: won")), lambda: write(file, RULES))
    assert [line[:5] for line in results(file, "--rule", "win")] == ["✓ 1 r", "error", "✓ 1 r"]


def test_watching_is_for_the_eye(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["rules", "test", str(tmp_path / "rules.yaml"), "--watch", "--json"])
    assert result.exit_code == 2
    assert "leave out one of them" in result.output


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    result = CliRunner().invoke(app, ["rules", "test", str(write(tmp_path / "rules.yaml", RULES)), "--watch"])
    assert result.exit_code == 2
    assert "pip install 'rulenet[watch]'" in result.output


@pytest.mark.slow
def test_a_real_editor_that_replaces_the_file(tmp_path: Path) -> None:
    pytest.importorskip("watchfiles")
    file = write(tmp_path / "rules.yaml", RULES)
    log = tmp_path / "log.txt"
    with log.open("w") as handle:
        process = subprocess.Popen(
            [sys.executable, "-m", "rulenet", "rules", "test", str(file), "--watch"],
            stdout=handle,
            stderr=handle,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a job in the background ignores it
        )

    def wait_for(text: str, times: int) -> None:
        for _ in range(300):
            if log.read_text().count(text) >= times:
                return
            time.sleep(0.1)
        raise AssertionError(log.read_text())

    try:
        wait_for("watching 1 file", 1)
        time.sleep(0.5)  # the watcher starts after the line is printed
        os.replace(write(tmp_path / "rules.yaml~", RULES.replace("They win", "They won")), file)
        wait_for("watching 1 file", 2)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
    assert "✗ 1 rule, 0 of 1 example passed" in log.read_text()
