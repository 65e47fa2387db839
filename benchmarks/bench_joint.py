"""Claim: φ's weights learning together with ψ in the last epoch are never worse than ψ trained against a fixed φ, beyond noise (two
standard errors of the paired difference), at 1.2 times the time at most. Three sets, three seeds, both sides from the same texts and seeds.
Two epochs, the second joint, and IMDB's texts up to 128 word pieces: so two CPU cores finish in less than an hour. The fixed side comes
first and also pays for what is made once (imports, word vectors), some 8 seconds.

    python benchmarks/bench_joint.py --runs /tmp/joint.jsonl     # may be stopped and started again

Accuracy and loss are of training rows that neither side saw, unless --test asks for test rows.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from common import RULES, finish, read, sample

SEEDS = [0, 1, 2]
SETS: dict[str, tuple[int, int, dict[str, Any]]] = {
    "ag_news": (1_000, 1_500, {"epochs": 2}),
    "thucnews_titles": (1_000, 1_500, {"epochs": 2}),
    "imdb": (600, 600, {"epochs": 2, "max_length": 128}),
}  # rows to learn from, to judge by; fields of the recipe
SLOWER = 1.2


def fitted(name: str, rows: tuple[list[str], list[str]], seed: int, joint_epochs: int) -> tuple[Any, float]:
    """A model with the default recipe but for the joint epochs, and the CPU seconds of training it: others may use the machine too."""
    from rulenet import Recipe, RuleNetClassifier

    rules = RULES / f"{name.removesuffix('_titles')}.yaml"
    recipe = Recipe.of(joint_epochs=joint_epochs, **SETS[name][2])
    clf = RuleNetClassifier(rules, recipe=recipe, device="cpu", random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        started = time.process_time()
        clf.fit(*rows)
    return clf, time.process_time() - started


def run(name: str, seed: int, test: int) -> dict[str, Any]:
    """Both sides of one set and seed, on the same rows."""
    n_train, n_judged, _ = SETS[name]
    texts, labels = sample(*read(name, "train"), n_train + n_judged, 1000 + seed)
    judged = (texts[n_train:], labels[n_train:])
    if test:
        judged = sample(*read(name, "test"), test, seed)
    right, losses, found = {}, {}, {"set": name, "seed": seed}
    for side, epochs in {"fixed": 0, "joint": 1}.items():
        clf, seconds = fitted(name, (texts[:n_train], labels[:n_train]), seed, epochs)
        proba, y = clf.predict_proba(judged[0]), np.searchsorted(clf.classes_, judged[1])
        right[side], losses[side] = proba.argmax(axis=1) == y, -np.log(proba[np.arange(len(y)), y])
        found |= {
            f"{side}_accuracy": float(right[side].mean()),
            f"{side}_loss": float(losses[side].mean()),
            f"{side}_s": seconds,
        }
        found |= {f"{side}_best_epoch": clf.report_["best_epoch"], f"{side}_is_joint": clf.report_["joint"]}
    gap = right["joint"].astype(float) - right["fixed"]
    return found | {"gain": float(gap.mean()), "error": float(gap.std() / len(gap) ** 0.5)}


def main() -> None:
    """Run what is missing, and judge all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=list(SETS))
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--test", type=int, default=0, help="judge by so many test rows instead")
    parser.add_argument("--runs", type=Path, help="a file that keeps finished runs; those it holds are not run again")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    if options.runs and options.runs.exists():
        rows = [json.loads(line) for line in options.runs.read_text(encoding="utf-8").splitlines()]
    for seed in options.seeds:
        for name in options.sets:
            if any((row["set"], row["seed"]) == (name, seed) for row in rows):
                continue
            started = time.perf_counter()
            rows.append(run(name, seed, options.test))
            print({**rows[-1], "seconds": round(time.perf_counter() - started)}, flush=True)
            if options.runs:
                with options.runs.open("a", encoding="utf-8") as handle:
                    handle.write(json.dumps(rows[-1]) + "\n")
    figures, claims = {}, {}
    for name in sorted({row["set"] for row in rows}):
        part = [row for row in rows if row["set"] == name]
        mean = {key: float(np.mean([row[key] for row in part])) for key in part[0] if key not in ("set", "seed")}
        error = float(np.sqrt(sum(row["error"] ** 2 for row in part)) / len(part))
        slower = mean["joint_s"] / mean["fixed_s"]
        figures[name] = {key: round(value, 4) for key, value in {**mean, "error": error, "times": slower}.items()}
        claims[f"{name}: joint not worse than fixed φ beyond two standard errors"] = mean["gain"] >= -2 * error
        claims[f"{name}: in at most {SLOWER} times the time"] = slower <= SLOWER
    finish("joint", {"sets": figures, "runs": rows}, claims, seeds=sorted({row["seed"] for row in rows}))


if __name__ == "__main__":
    main()
