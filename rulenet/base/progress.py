"""Progress messages and one bar over all stages of long work, on standard error. Imports rich."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from rulenet.base.console import SafeConsole, printable

Item = TypeVar("Item")
SECONDS = 30.0  # between lines where there is no terminal
BEAT = 5.0  # seconds after which it is seen whether a stage without steps needs a line


def is_main_process() -> bool:
    """Whether this is the only process, or the first of those started by a launcher (torchrun, accelerate).

    Only the main process shows progress, writes checkpoints and saves the model.
    """
    return os.environ.get("RANK", "0") == "0"


@dataclass
class Course:
    """How much of several stages is done; it never goes backwards, however wrong their expected costs are.

    Examples
    --------
    >>> course = Course({"read": 1, "learn": 3}, "read")
    >>> course.begin("learn", now=10.0)
    >>> course.reach(1 / 3, now=20.0)
    >>> course.done, course.left
    (0.5, 20.0)
    """

    costs: Mapping[str, float]
    stage: str
    done: float = 0.0  # share of everything
    left: float | None = None  # seconds, if that can be told
    since: tuple[float, float] = (0.0, 0.0)  # when the speed began to be measured, and what was done then

    def begin(self, stage: str, *, now: float, part: float = 0.0) -> None:
        """Begin a stage, of which earlier work may have done a part."""
        is_new, self.stage = stage != self.stage, stage
        before, self.done = self.done, max(self.done, self._share(part))
        if is_new or self.done > before or self.left is None:  # else an epoch goes on where the last one ended
            self.since, self.left = (now, self.done), None

    def reach(self, part: float, *, now: float) -> None:
        """A part of the present stage is done."""
        self.done = max(self.done, self._share(part))
        began, before = self.since
        if self.done > before:
            self.left = (now - began) / (self.done - before) * (1 - self.done)

    def _share(self, part: float) -> float:
        names = list(self.costs)
        before = sum(self.costs[name] for name in names[: names.index(self.stage)])
        return min(1.0, (before + part * self.costs[self.stage]) / sum(self.costs.values()))


class Progress:
    """Progress messages and a bar, if `verbose`; silent in all processes but the first."""

    def __init__(self, verbose: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self.verbose = verbose if is_main_process() else 0
        self.console = SafeConsole(stderr=True)
        self.clock = clock
        self._course: Course | None = None
        self._show: Callable[[str], None] = lambda label: None

    def say(self, message: str) -> None:
        """Print one line about the stage that begins."""
        if self.verbose:
            self.console.print(printable(message, "dim"), soft_wrap=True)

    @contextlib.contextmanager
    def whole(self, costs: Mapping[str, float]) -> Iterator[None]:
        """Show one bar over all stages, in order with their expected costs, or where there is no terminal a line now and then."""
        if not self.verbose:
            yield
            return
        self._course = course = Course(costs, next(iter(costs)), since=(self.clock(), 0.0))
        with self._bar(course) if self.console.is_terminal else self._lines(course) as show:
            self._show = show
            try:
                yield
            finally:
                self._course = None

    def stage(self, name: str, message: str = "") -> None:
        """Begin a stage of the whole."""
        if message:
            self.say(message)
        if self._course is not None:
            self._course.begin(name, now=self.clock())
            self._show(name)

    def track(self, items: Sequence[Item], label: str, *, done: int = 0, total: int | None = None) -> Iterator[Item]:
        """Iterate through (a part of) the present stage, or of a whole of its own.

        Earlier work has finished `done` items; there are `total` of them in all, default: these.
        """
        course = self._course
        if course is None:
            with self.whole({label: 1.0}) if self.verbose else contextlib.nullcontext():
                yield from self.track(items, label, done=done, total=total) if self.verbose else items
            return
        total = max(total or 0, done + len(items), 1)
        course.begin(course.stage, now=self.clock(), part=done / total)
        self._show(label)
        for n, item in enumerate(items, start=done + 1):
            yield item
            course.reach(n / total, now=self.clock())
            self._show(label)

    @contextlib.contextmanager
    def _bar(self, course: Course) -> Iterator[Callable[[str], None]]:
        """A bar that disappears at the end."""
        # Slow to import.
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        texts = (TextColumn(f"{{task.{name}}}", style="dim", markup=False) for name in ("description", "fields[left]"))
        columns = next(texts), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), next(texts)
        with Bar(*columns, console=self.console, transient=True) as bar:
            task = bar.add_task(course.stage, total=1.0, left="")
            yield lambda label: bar.update(task, completed=course.done, description=label, left=_left(course))

    @contextlib.contextmanager
    def _lines(self, course: Course) -> Iterator[Callable[[str], None]]:
        """A line now and then, also in a stage that has no steps."""
        said, label, ended = self.clock(), course.stage, threading.Event()

        def show(name: str) -> None:
            nonlocal said, label
            label = name
            if (now := self.clock()) - said >= SECONDS:
                said = now
                self.say(", ".join(filter(None, (f"{label}: {course.done:.0%} done", _left(course)))))

        def watch() -> None:
            while not ended.wait(BEAT):
                show(label)

        watching = threading.Thread(target=watch, name="progress", daemon=True)
        watching.start()
        try:
            yield show
        finally:
            ended.set()
            watching.join()


def _left(course: Course) -> str:
    if course.left is None:
        return ""
    return f"about {course.left / 60:.0f} min left" if course.left >= 90 else f"about {course.left:.0f} s left"
