"""Few labels and thousands of texts without: objectives without labels, before supervision and beside it, on test rows.

Claims, means of the seeds, AG News with 200 labels and 5,000 texts without: a mixture by α at least 1 point above the default without those
texts, and the best of all at least 2.

    python benchmarks/bench_semi.py --runs FILE       hours on two cores; finished runs are kept in FILE and not run again
    python benchmarks/bench_semi.py --sets trec --labels 200 --seeds 0 --methods alone pseudo --runs FILE
"""

from __future__ import annotations

import argparse
import itertools
import random
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from bench_few import rows_of
from common import accuracy, finish, resumed

from rulenet import Recipe, RuleNetClassifier
from rulenet.training.objectives import Consistency, Denoising, MaskedLM, PseudoLabels, SimCSE, Supervised

SETS = {  # encoder, texts without labels, test rows
    "ag_news": ("minilm", 5_000, 2_000),
    "trec": ("minilm", 5_000, 500),
    "imdb": ("minilm", 2_000, 1_000),
}
S = Supervised()
METHODS: dict[str, tuple[Recipe, bool]] = {  # and whether texts without labels are given
    "alone": (Recipe(), False),
    "default, texts given": (Recipe(), True),
    "masked LM first": (Recipe.of(objectives=[MaskedLM(mask_epochs=1), S]), True),
    "SimCSE first": (Recipe.of(objectives=[SimCSE(simcse_epochs=1), S]), True),
    "denoising first": (Recipe.of(objectives=[Denoising(denoise_epochs=1), S]), True),
    "masked LM beside": (Recipe.of(objectives=[S, MaskedLM()], alpha=0.7), True),
    "SimCSE beside": (Recipe.of(objectives=[S, SimCSE()], alpha=0.7), True),
    "denoising beside": (Recipe.of(objectives=[S, Denoising()], alpha=0.7), True),
    "pseudo-labels, rounds alone": (Recipe.of(objectives=[S, PseudoLabels()], epochs=0), True),
    "pseudo-labels, no rounds": (Recipe.of(objectives=[S, PseudoLabels(pseudo_rounds=0)], alpha=0.5), True),
    "pseudo-labels": (Recipe.of(objectives=[S, PseudoLabels()], alpha=0.5), True),
    "consistency": (Recipe.of(objectives=[S, Consistency()], alpha=0.5), True),
    "both": (Recipe.of(objectives=[S, PseudoLabels(), Consistency()], alpha=0.5), True),
}
MIXTURES = [name for name, (recipe, _) in METHODS.items() if recipe.alpha is not None]
CLAIMED = ("ag_news", 200)


def run(name: str, k: int, seed: int, method: str) -> dict[str, Any]:
    """Accuracies of one sample."""
    encoder, n, n_test = SETS[name]
    (texts, labels), test = rows_of(name, "train"), rows_of(name, "test")
    drawn = random.Random(seed).sample(range(len(texts)), min(len(texts), k + n))
    at = random.Random(0).sample(range(len(test[0])), n_test)
    recipe, given = METHODS[method]
    started = time.perf_counter()
    clf = RuleNetClassifier(None, encoder, recipe=recipe, random_state=seed)
    more = [texts[i] for i in drawn[k:]] if given else None
    clf.fit([texts[i] for i in drawn[:k]], [labels[i] for i in drawn[:k]], unlabeled=more)
    found = {"set": name, "k": k, "seed": seed, "method": method, "seconds": round(time.perf_counter() - started)}
    parts, right = clf.predictor_.hybrid.parts([test[0][i] for i in at]), [test[1][i] for i in at]
    for part, logits in (("phi", parts.phi), ("psi", parts.psi), ("hybrid", parts.logits)):
        found[part] = accuracy(clf.classes_[logits.argmax(axis=1)], right)
    return found | {"unsupervised": [{**told, "examples": None} for told in clf.report_["unsupervised"]]}


def main() -> None:
    """Run what is missing, and judge all."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=["ag_news", "trec"], choices=list(SETS))
    parser.add_argument("--labels", type=int, nargs="+", default=[200])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--runs", type=Path, help="a file that keeps finished runs; those it holds are not run again")
    parser.add_argument("--no-report", action="store_true")
    options = parser.parse_args()
    cells = itertools.product(options.sets, options.labels, options.seeds, options.methods)
    rows = resumed(cells, ("set", "k", "seed", "method"), run, options.runs)
    if not options.no_report:
        judge(rows)


def judge(rows: list[dict[str, Any]]) -> None:
    """Gains of each method over the default without further texts, paired by seed, with their standard errors; and the claims."""
    figures: dict[str, Any] = {"runs": rows}
    claims: dict[str, bool] = {}
    for name, k in sorted({(row["set"], row["k"]) for row in rows}):
        own = [row for row in rows if (row["set"], row["k"]) == (name, k)]
        alone = {row["seed"]: row["hybrid"] for row in own if row["method"] == "alone"}
        gains = {}
        for method in METHODS:
            of_method = [row for row in own if row["method"] == method and row["seed"] in alone]
            if not of_method:
                continue
            gain = 100 * np.array([row["hybrid"] - alone[row["seed"]] for row in of_method])
            error = float(gain.std(ddof=1)) / len(gain) ** 0.5 if len(gain) > 1 else None
            mean = {
                part: round(100 * float(np.mean([row[part] for row in of_method])), 2)
                for part in ("phi", "psi", "hybrid")
            }
            gains[method] = float(gain.mean())
            figures[f"{name}, {k}, {method}"] = mean | {
                "gain": round(gains[method], 2),
                "error": error,
                "seeds": len(gain),
            }
        if (name, k) == CLAIMED and gains:
            mixed = [gains[method] for method in MIXTURES if method in gains]
            claims[f"{name}, {k} labels: a mixture at least 1 point above labels alone"] = (
                max(mixed, default=0.0) >= 1.0
            )
            claims[f"{name}, {k} labels: the best at least 2 points above labels alone"] = max(gains.values()) >= 2.0
    finish("semi", figures, claims, seeds=sorted({row["seed"] for row in rows}))


if __name__ == "__main__":
    main()
