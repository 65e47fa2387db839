"""Claim: trained on the same 2,000 AG News texts, φ + ψ is more accurate on the test rows than φ alone and than ψ alone, over 3 seeds.

φ alone: the rule pack and TF-IDF. ψ alone: MiniLM fine-tuned with a plain linear head, no rules, no TF-IDF, no bound; with the
hybrid's recipe ("psi") and, with --full, once more with every layer trained ("psi_full": slower, stronger). Hybrid: the defaults.
The recipe was chosen on training rows.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

from common import RULES, accuracy, finish, read, sample

SEEDS = [0, 1, 2]
N_TRAIN = 2_000
NAMES = ("phi", "psi", "hybrid", "psi_full")


def main() -> None:
    """Fit three models per seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--train", type=int, default=N_TRAIN)
    parser.add_argument("--test", type=int, default=0, help="use only so many test rows (0: all)")
    parser.add_argument(
        "--full", action="store_true", help="also a transformer with every layer trained (slow on a CPU)"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--runs", type=Path, help="a file that keeps finished seeds; those it holds are not run again")
    options = parser.parse_args()
    from rulenet import Recipe, RuleNetClassifier
    from rulenet.training.tuning.full import Full

    texts, labels = read("ag_news", "train")
    test_texts, test_labels = read("ag_news", "test")
    if options.test:
        test_texts, test_labels = sample(test_texts, test_labels, options.test, 0)
    rules = RULES / "ag_news.yaml"
    rows = []
    if options.runs and options.runs.exists():
        rows = [json.loads(line) for line in options.runs.read_text(encoding="utf-8").splitlines()]
    models: dict[str, RuleNetClassifier] = {}
    for seed in [seed for seed in options.seeds if all(row["seed"] != seed for row in rows)]:
        train = sample(texts, labels, options.train, seed)
        models = {
            "phi": RuleNetClassifier(rules, None, random_state=seed),
            "psi": RuleNetClassifier(
                None, "minilm", recipe=Recipe.of(tfidf=False, bound=None), device=options.device, random_state=seed
            ),
            "hybrid": RuleNetClassifier(rules, "minilm", device=options.device, random_state=seed),
        }
        if options.full:
            full = Recipe.of(tfidf=False, bound=None, tune=Full())
            models["psi_full"] = RuleNetClassifier(
                None, "minilm", recipe=full, device=options.device, random_state=seed
            )
        row: dict[str, float] = {"seed": seed}
        for name, clf in models.items():
            started = time.perf_counter()
            clf.fit(*train)
            row[f"{name}_fit_s"] = round(time.perf_counter() - started, 1)
            row[name] = round(accuracy(clf.predict(test_texts), test_labels), 4)
        print(row, flush=True)
        rows.append(row)
        if options.runs:
            with options.runs.open("a", encoding="utf-8") as handle:
                handle.write(json.dumps(row) + "\n")
    mean = {name: round(statistics.mean(row[name] for row in rows), 4) for name in NAMES if name in rows[0]}
    claims = {
        f"hybrid above {name} on average, and for every seed": all(row["hybrid"] > row[key] for row in [*rows, mean])
        for key, name in (("phi", "φ alone"), ("psi", "ψ alone"), ("psi_full", "ψ alone with every layer trained"))
        if key in mean
    }
    figures = {"train_rows": options.train, "test_rows": len(test_texts), "runs": rows, "mean": mean}
    finish("hybrid", figures, claims, device=options.device, seeds=sorted(row["seed"] for row in rows))


if __name__ == "__main__":
    main()
