"""rulenet.base.progress: how much is done of all stages and how much time is left, with and without a terminal."""

from __future__ import annotations

import io
import itertools
import re
import threading

import pytest
from rich.console import Console

from rulenet.base import progress
from rulenet.base.progress import Course, Progress

COSTS = {"columns": 1.0, "φ": 1.0, "ψ": 8.0}


def shown_by(*, terminal: bool, tick: float = 10) -> tuple[Progress, io.StringIO]:
    """Progress whose clock is later by a tick each time it is looked at."""
    ticks = itertools.count(100)
    found, written = Progress(1, clock=lambda: tick * next(ticks)), io.StringIO()
    found.console = Console(file=written, force_terminal=terminal, width=100)
    return found, written


def trained(bar: Progress, done: int = 0) -> None:
    """Three stages, of which the last has steps."""
    with bar.whole(COSTS):
        for name in COSTS:
            bar.stage(name, f"{name} begins")
        for epoch in (0, 1):
            todo = range(max(0, done - 4 * epoch), 4)
            assert list(bar.track(todo, f"ψ epoch {epoch + 1}/2", done=4 * epoch + todo.start, total=8)) == list(todo)


@pytest.mark.parametrize("seconds", [0.0, 1e9])
def test_without_a_terminal_there_is_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr(progress, "SECONDS", seconds)
    bar, written = shown_by(terminal=False)
    trained(bar)
    lines = written.getvalue().splitlines()
    assert [line for line in lines if "begins" in line] == [f"{name} begins" for name in COSTS]
    steps = [line for line in lines if line.startswith("ψ epoch")]
    shares = [f"{share}% done" for share in (20, 30, 40, 50, 60, 60, 70, 80, 90, 100)]
    assert [re.search(r"\d+% done", line)[0] for line in steps] == (shares if not seconds else [])  # type: ignore[index]
    assert all(re.search(r", about \d+ (s|min) left$", line) for line in steps[1:])


def test_a_long_stage_without_steps_has_lines_too(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = threading.Event()

    class Written(io.StringIO):
        def write(self, text: str) -> int:
            if "φ: 10% done" in text:
                seen.set()
            return super().write(text)

    monkeypatch.setattr(progress, "BEAT", 0.001)
    bar, _ = shown_by(terminal=False)
    bar.console = Console(file=Written(), force_terminal=False)
    with bar.whole(COSTS):
        bar.stage("φ")
        assert seen.wait(30)
    assert "progress" not in [thread.name for thread in threading.enumerate()]


def test_a_bar_of_its_own_says_how_much_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "SECONDS", 0.0)
    bar, written = shown_by(terminal=False, tick=1)
    assert list(bar.track([1, 2, 3], "model", done=4, total=20)) == [1, 2, 3]
    assert written.getvalue().splitlines()[1] == "model: 25% done, about 30 s left"


def test_it_never_goes_backwards_and_ends_whole() -> None:
    course, done = Course({"a": 1, "b": 9}, "a"), []
    for stage, part in (("a", 0.5), ("b", 0.0), ("b", 0.8), ("b", 0.2), ("a", 0.0), ("b", 1.0), ("b", 3.0)):
        course.begin(stage, now=0.0)
        course.reach(part, now=1.0)
        done.append(course.done)
    assert done == sorted(done)
    assert done[-1] == 1.0


def test_a_resumed_stage_begins_where_it_was_and_measures_from_there() -> None:
    course = Course(COSTS, "ψ")
    course.begin("ψ", now=50.0, part=0.5)
    assert (course.done, course.left) == (0.6, None)
    course.reach(0.75, now=60.0)
    assert course.left == pytest.approx(10.0)


def test_in_a_terminal_there_is_one_bar_of_all() -> None:
    bar, written = shown_by(terminal=True)
    trained(bar, done=3)
    assert {"0%", "100%"} <= set(re.findall(r"\d+%", written.getvalue()))
    assert "ψ epoch 2/2" in written.getvalue()


def test_without_verbose_nothing_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    trained(Progress(0))
    assert capsys.readouterr().err == ""
