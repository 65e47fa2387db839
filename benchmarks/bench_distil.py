"""Distillation: a hybrid teaches φ alone on texts without labels. Test rows; teacher and student of a sample in one run.

Claims, means of the seeds: φ keeps 97 % of the hybrid's accuracy on AG News and IMDB, at 50 times its speed on a CPU. Beside the student
the φ of the teacher, and φ fitted to the labelled rows alone.

    python benchmarks/bench_distil.py --runs FILE      an hour on two cores; finished runs are kept in FILE and not run again
    python benchmarks/bench_distil.py --sets imdb --rows 1000 --seeds 0 --runs FILE
"""

from __future__ import annotations

import argparse
import random
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from common import RULES, accuracy, finish, read, resumed

from rulenet import RuleNetClassifier

SETS = {  # data, rule pack, labelled rows, texts without labels, test rows
    "ag_news": ("ag_news", "ag_news.yaml", 2_000, 10_000, 2_000),
    "imdb": ("imdb", None, 1_000, 5_000, 1_000),
    "imdb, pack": ("imdb", "imdb.yaml", 1_000, 5_000, 1_000),
}
SEEDS = [0, 1, 2]
KEPT, FASTER = 0.97, 50.0
TIMED = 200  # texts that speed is measured on, for ψ; ten times as many for φ


def run(name: str, n: int, seed: int) -> dict[str, Any]:
    """Accuracies and speeds of one sample."""
    data, pack, _, n_more, n_test = SETS[name]
    rules = pack and RULES / pack
    texts, labels = read(data, "train")
    order = random.Random(seed).sample(range(len(texts)), n + n_more)
    known, more = order[:n], [texts[i] for i in order[n:]]
    test = random.Random(0).sample(list(zip(*read(data, "test"), strict=True)), n_test)
    new, right = [text for text, _ in test], [label for _, label in test]
    found: dict[str, Any] = {"set": name, "rows": n, "seed": seed, "texts": len(more), "test_rows": n_test}
    given = [texts[i] for i in known], [labels[i] for i in known]
    clf = RuleNetClassifier(rules, "minilm", random_state=seed).fit(*given)
    found["φ of the rows alone"] = accuracy(
        RuleNetClassifier(rules, None, random_state=seed).fit(*given).predict(new), right
    )
    parts = clf.predictor_.parts(new)
    for part, logits in (("teacher", parts.logits), ("φ of the teacher", parts.phi)):
        found[part] = accuracy(clf.classes_[logits.argmax(axis=1)], right)
    started = time.perf_counter()
    student = clf.distill(more)
    found["seconds"] = round(time.perf_counter() - started)
    found["student"] = accuracy(student.predict(new), right)
    found["agreement"] = float(np.mean(student.predict(new) == clf.predict(new)))
    found["held out"] = student.report_["distillation"]["agreement"]
    found["faster"] = seconds(clf, new[:TIMED]) / seconds(student, new[: 10 * TIMED])
    return found


def seconds(clf: RuleNetClassifier, texts: list[str]) -> float:
    """Seconds of a CPU for a text, the least of three runs."""
    times = []
    for _ in range(3):
        started = time.process_time()
        clf.predict(texts)
        times.append((time.process_time() - started) / len(texts))
    return min(times)


def main() -> None:
    """Run what is missing, and judge all."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--rows", type=int, help="labelled rows; default: 2,000 of AG News, 1,000 of IMDB")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--runs", type=Path, help="a file that keeps finished runs; those it holds are not run again")
    parser.add_argument("--no-report", action="store_true")
    options = parser.parse_args()
    cells = [(name, options.rows or SETS[name][2], seed) for name in options.sets for seed in options.seeds]
    rows = resumed(cells, ("set", "rows", "seed"), run, options.runs)
    if options.no_report:
        return
    figures: dict[str, Any] = {"runs": rows}
    claims = {}
    for name, n in sorted({(row["set"], row["rows"]) for row in rows}):
        own = [row for row in rows if (row["set"], row["rows"]) == (name, n)]
        keys = ("teacher", "student", "φ of the teacher", "φ of the rows alone", "agreement")
        mean = {key: round(100 * float(np.mean([row[key] for row in own])), 2) for key in keys}
        faster = round(float(np.mean([row["faster"] for row in own])), 1)
        figures[f"{name}, {n} rows"] = mean | {"faster": faster, "seeds": len(own)}
        claims[f"{name}, {n} rows: φ keeps {KEPT:.0%} of the hybrid's accuracy"] = (
            mean["student"] >= KEPT * mean["teacher"]
        )
        claims[f"{name}, {n} rows: φ is {FASTER:.0f} times as fast"] = faster >= FASTER
    finish("distil", figures, claims, seeds=sorted({row["seed"] for row in rows}))


if __name__ == "__main__":
    main()
