"""Claim: 5 million lines are matched by `RuleSet.match_stream` in two processes with constant memory, and none is lost.

    RULENET_DATA=… python benchmarks/bench_stream.py                      5 million lines, recorded
    RULENET_DATA=… python benchmarks/bench_stream.py --lines 500000       fewer; nothing is recorded

The lines are repeated AG News texts, each with its number, generated as they are read. Rules: the 2,000 of bench_match.py, one in ten with
`near`, `count`, a gap or negation. Memory is the resident memory of this process and its children, shared pages counted for each; it is
read at every block. Linux only (/proc). Seconds are wall time.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections.abc import Iterator
from itertools import count, cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
from bench_match import N_TEXTS, Corpus, mixed_rules, ruleset_of
from common import finish, read

N_LINES = 5_000_000
JOBS = 2
SHARES = (0.1, 0.5, 1.0)
LIMIT_GROWTH = 1.1


def main() -> None:
    """Read the stream to its end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=N_LINES)
    parser.add_argument("--jobs", type=int, default=JOBS)
    chosen = parser.parse_args()
    if not Path("/proc/self/statm").exists():
        sys.exit("memory is read from /proc, which this system does not have")
    texts, _ = read("ag_news", "train")
    random.Random(0).shuffle(texts)
    corpus = Corpus(texts[:N_TEXTS])
    simple, kinds = mixed_rules(corpus)
    ruleset = ruleset_of(simple + [rule for rules in kinds.values() for rule in rules])
    expected = ruleset.match(corpus.texts).getnnz(axis=1)  # a number at the end of a text is no hit
    figures = stream(ruleset, corpus.texts, expected, chosen.lines, chosen.jobs)
    claims = {
        "every line once, in order": figures["lines_as_expected"] == chosen.lines,
        f"memory at the end <= {LIMIT_GROWTH}x that at 10 %": (
            figures["at"]["100%"]["memory_mb"] <= LIMIT_GROWTH * figures["at"]["10%"]["memory_mb"]
        ),
        f"peak after 10 % <= {LIMIT_GROWTH}x memory at 10 %": (
            figures["peak_mb"] <= LIMIT_GROWTH * figures["at"]["10%"]["memory_mb"]
        ),
    }
    if (chosen.lines, chosen.jobs) == (N_LINES, JOBS):
        finish("stream", figures, claims, seeds=[0, 1])
    print(figures, claims)
    sys.exit(0 if all(claims.values()) else 1)


def lines(texts: list[str], n: int) -> Iterator[str]:
    """Yield the texts again and again, each with its number."""
    return (f"{text} {i}" for i, text in islice(zip(count(), cycle(texts)), n))


def stream(ruleset: Any, texts: list[str], expected: Any, n: int, jobs: int) -> dict[str, Any]:
    """Match all lines, and measure time and memory on the way."""
    at: dict[str, Any] = {}
    done = right = 0
    peak = 0.0
    marks = list(SHARES)
    started = time.perf_counter()
    for R in ruleset.match_stream(lines(texts, n), n_jobs=jobs):
        numbers = np.arange(done, done + R.shape[0]) % len(texts)
        right += int((R.getnnz(axis=1) == expected[numbers]).sum())
        done += R.shape[0]
        own, children = resident_mb()
        if at:
            peak = max(peak, own + children)
        while marks and done >= marks[0] * n:
            seconds = time.perf_counter() - started
            figure = {
                "texts_per_s": round(done / seconds),
                "memory_mb": round(own + children),
                "own_mb": round(own),
                "children_mb": round(children),
            }
            at[f"{marks.pop(0):.0%}"] = figure
            print(f"{done:>9,} lines, {seconds:6.1f} s: {figure}", flush=True)
    return {
        "lines": n,
        "processes": jobs,
        "rules": len(ruleset),
        "at": at,
        "peak_mb": round(peak),
        "lines_as_expected": right,
    }


def resident_mb() -> tuple[float, float]:
    """Return the resident memory of this process and all its descendants, in MB."""
    sizes = {os.getpid(): _resident(os.getpid())}
    todo = [os.getpid()]
    while todo:
        for child in _children(todo.pop()):
            sizes[child] = _resident(child)
            todo.append(child)
    own = sizes.pop(os.getpid())
    return own, sum(sizes.values())


def _children(pid: int) -> list[int]:
    """Return the processes started by a process; none if it has ended."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").glob("*/children"))
        return [int(child) for task in tasks for child in task.read_text().split()]
    except OSError:
        return []


def _resident(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except OSError:
        return 0.0


if __name__ == "__main__":
    main()
