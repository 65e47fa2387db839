"""rulenet.base.console: whatever is printed, only rich's own sequences reach the terminal; and nothing else prints."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

import rulenet
from rulenet.base.console import SafeConsole, printable
from rulenet.base.progress import Progress

NASTY = "\x1b[31m\x9b2J\u202e\x07[red]:bug:[/x]"


def table() -> Table:
    found = Table(NASTY, title=NASTY, caption=NASTY)
    found.add_row(NASTY)
    return found


@pytest.mark.parametrize(
    "thing",
    [NASTY, Text(NASTY), Panel(NASTY), Rule(NASTY), table(), Tree(NASTY), printable(NASTY, "bold")],
)
@pytest.mark.parametrize("is_terminal", [False, True])
def test_whatever_rich_draws_is_harmless(thing: Any, is_terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR" if is_terminal else "NO_COLOR", "1")
    monkeypatch.setattr("sys.stdout", stream := io.StringIO())
    SafeConsole(width=100).print(thing, style="green")
    shown = re.sub(r"\x1b\[[\d;]*m", "", stream.getvalue().replace("\x1b[31m", "RED"))
    assert "[red]:bug:[/x]" in shown
    assert not {"\x1b", "\x9b", "\u202e", "\x07"} & set(shown)
    assert "RED" not in shown


def test_progress_reads_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    Progress(1).say(f"{NASTY}\nand more")
    assert capsys.readouterr().err == "␛[31m\ufffd2J\ufffd␇[red]:bug:[/x]␊and more\n"


def test_standard_error_that_is_full_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("sys.stderr", Full())
    monkeypatch.setattr("sys.stdout", Full())
    err = SafeConsole(stderr=True)
    err.print("a")
    err.print("b")
    with pytest.raises(OSError, match="No space left"):
        SafeConsole().print("a")


def test_nothing_else_prints() -> None:
    """Who adds a console of rich's or an echo would print past `SafeConsole`; rich reads the title of a panel as markup."""
    pattern = re.compile(
        r"import .*\bConsole\b|\becho\(|rich import print|(?<![.\w])print\(|sys\.__std|from_markup|Panel\(.*title"
    )
    home = Path(rulenet.__file__).parent
    found = {
        path.relative_to(home).as_posix()
        for path in home.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if pattern.search(line) and ">>>" not in line and not line.lstrip().startswith(("#", "..."))
    }
    assert found == {"base/console.py"}
