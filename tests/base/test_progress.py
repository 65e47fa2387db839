"""rulenet.base.progress: how much time is left, with and without a terminal."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from rulenet.base import progress
from rulenet.base.progress import Progress


@pytest.mark.parametrize("seconds", [0.0, 1e9])
def test_without_a_terminal_there_is_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    shown, bar = io.StringIO(), Progress(1)
    bar.console = Console(file=shown, force_terminal=False, width=100)
    ticks = iter(range(100, 200, 10))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(ticks))
    monkeypatch.setattr(progress, "SECONDS", seconds)
    assert list(bar.track([1, 2, 3], "ψ epoch 2/3", done=4, total=20)) == [1, 2, 3]
    lines = shown.getvalue().splitlines()
    expected = [
        f"ψ epoch 2/3: {share} of 20, about {left} left"
        for share, left in (("25%", "2 min"), ("30%", "2 min"), ("35%", "2 min"))
    ]
    assert lines == (expected if not seconds else [])


def test_in_a_terminal_there_is_a_bar_of_all() -> None:
    shown, bar = io.StringIO(), Progress(1)
    bar.console = Console(file=shown, force_terminal=True, width=100)
    assert list(bar.track([1, 2], "ψ", done=4, total=20)) == [1, 2]
    assert re.search(r"[456]/20", shown.getvalue())
