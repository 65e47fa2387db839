"""What the benchmark scripts share: the data, and the record of a run. Each script states a claim and exits 1 if it falls short."""

from __future__ import annotations

import csv
import json
import lzma
import os
import platform
import random
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

import report

HERE = Path(__file__).parent
RULES = HERE.parent / "rules"
PACKAGES = (
    "rulenet",
    "numpy",
    "scipy",
    "scikit-learn",
    "torch",
    "transformers",
    "ahocorasick_rs",
    "google-re2",
    "jieba",
)
csv.field_size_limit(1 << 27)


def git(*words: str) -> str:
    """Return the output of git, or nothing."""
    return subprocess.run(["git", *words], cwd=HERE, capture_output=True, text=True, check=False).stdout.strip()


# Read at the start: a long run must not be booked on a commit made while it ran.
COMMIT = git("rev-parse", "--short", "HEAD") + (
    "+changes" if git("status", "--porcelain", "--", "../rulenet", "../rules") else ""
)


def read(name: str, split: str) -> tuple[list[str], list[str]]:
    """Read texts and labels of a split of a real data set, e.g. ``read("ag_news", "train")``."""
    folder = os.environ.get("RULENET_DATA")
    if not folder:
        sys.exit("RULENET_DATA is not set: it names the folder of the real data sets (see benchmarks/REPORT.md)")
    with lzma.open(Path(folder) / name / f"{split}.csv.xz", "rt", encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    return [row["text"] for row in rows], [row["label"] for row in rows]


def resumed(
    cells: Iterable[tuple[Any, ...]], names: Sequence[str], run: Callable[..., dict[str, Any]], file: Path | None
) -> list[dict[str, Any]]:
    """The rows of a file, and those of the cells that it lacks: `run` makes each, and it is kept there at once.

    Arguments of a cell are told by their `names`, which rows have too.
    """
    rows: list[dict[str, Any]] = []
    if file and file.exists():
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    done = {tuple(row[name] for name in names) for row in rows}
    for cell in cells:
        if cell in done:
            continue
        rows.append(run(*cell))
        print({name: value for name, value in rows[-1].items() if not isinstance(value, list)}, flush=True)
        if file:
            with file.open("a", encoding="utf-8") as handle:
                handle.write(json.dumps(rows[-1]) + "\n")
    return rows


def sample(texts: list[str], labels: list[str], n: int, seed: int) -> tuple[list[str], list[str]]:
    """Select rows at random, because rows are often ordered by source or class."""
    chosen = random.Random(seed).sample(range(len(texts)), n)
    return [texts[i] for i in chosen], [labels[i] for i in chosen]


def accuracy(predicted: Any, labels: list[str]) -> float:
    """Return the share of correct labels."""
    return sum(str(p) == label for p, label in zip(predicted, labels, strict=True)) / len(labels)


def record_of(
    name: str, figures: dict[str, Any], claims: dict[str, bool], *, device: str = "cpu", seeds: list[int] | None = None
) -> dict[str, Any]:
    """Return the results of a run, with what they were measured on."""
    return {
        "benchmark": name,
        "claims": claims,
        "figures": figures,
        "commit": COMMIT,
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "device": device,
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "versions": {package: version(package) for package in PACKAGES},
        "seeds": seeds or [],
    }


def finish(
    name: str, figures: dict[str, Any], claims: dict[str, bool], *, device: str = "cpu", seeds: list[int] | None = None
) -> None:
    """Print the results, store them as JSON with what they were measured on and in the tables, and exit 1 if a claim failed."""
    record = record_of(name, figures, claims, device=device, seeds=seeds)
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / f"{name}.json").write_text(
        json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    report.main()
    print(json.dumps(figures, indent=1, ensure_ascii=False))
    for claim, held in claims.items():
        print(("✓ " if held else "✗ MISSED: ") + claim)
    sys.exit(0 if all(claims.values()) else 1)
