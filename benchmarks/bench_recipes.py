"""Which recipe helps where: recipes with a name, and single switches, each against the default on the same rows and seeds.

A method is a name of `rulenet recipes`, or fields as `rulenet train --set` takes them, with ";" between several, such as
``"label_smoothing=0.1"``. ``--tune`` compares them on training rows kept aside; the last figure is on test rows. Methods that learn from
texts without labels get 2,000 further training rows without theirs. MiniLM, no rules. Claim: no recipe is clearly better than the default.

    python benchmarks/bench_recipes.py --runs FILE      hours on two cores; finished runs are kept in FILE and not run again
    python benchmarks/bench_recipes.py --tune --sets trec --methods full lora --seeds 0 --runs FILE --no-report
"""

from __future__ import annotations

import argparse
import json
import random
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from common import finish, read, resumed
from sklearn.metrics import f1_score

from rulenet import Recipe, RuleNetClassifier
from rulenet.training.objectives.objective import Need
from rulenet.training.recipes import NAMED, named
from rulenet.training.settings import settings

SETS = {"trec": 500, "ag_news": 1000}  # test rows
UNLIKE = ("default", "exits", "long-texts", "portable")  # these are not about accuracy on short texts
SWITCHES = [
    "optimizer=lion",
    "optimizer=adafactor",
    "optimizer=sgd",
    "schedule=cosine",
    "schedule=one_cycle",
    "label_smoothing=0.1",
]
SWITCHES += ["patience=2", "metric=accuracy", "encoder_dropout=0.2", "weight_decay=0.1"]
METHODS = ["default", *(one.name for one in NAMED if one.name not in UNLIKE), *SWITCHES]
JUDGES, UNLABELLED = 1000, 2000
CLEAR = 2.0  # standard errors


def recipe_of(method: str) -> Recipe:
    """A recipe by its name, or by its fields."""
    return Recipe.of(**settings(method.split(";"))) if "=" in method else named(method)


def run(name: str, n: int, method: str, seed: int, tune: bool) -> dict[str, Any]:
    """What a method came to on one sample."""
    texts, labels = read(name, "train")
    order = random.Random(seed).sample(range(len(texts)), len(texts))
    train, rest = order[:n], order[n:]
    if tune:
        judges, rest = rest[:JUDGES], rest[JUDGES:]
        X, y = [texts[i] for i in judges], [labels[i] for i in judges]
    else:
        X, y = read(name, "test")
        some = random.Random(0).sample(range(len(X)), SETS[name])
        X, y = [X[i] for i in some], [y[i] for i in some]
    recipe, started = recipe_of(method), time.perf_counter()
    wants = any(Need.UNLABELLED in objective.needs for objective in recipe.objectives)
    more = [texts[i] for i in rest[:UNLABELLED]] if wants else None
    clf = RuleNetClassifier(None, "minilm", recipe=recipe, random_state=seed)
    clf.fit([texts[i] for i in train], [labels[i] for i in train], unlabeled=more)
    seconds, answers = time.perf_counter() - started, clf.predict(X)
    right = np.asarray(answers) == np.asarray(y)
    return {
        **{"set": name, "rows": n, "method": method, "seed": seed, "tune": tune, "seconds": round(seconds)},
        **{"accuracy": float(right.mean()), "macro_f1": float(f1_score(y, answers, average="macro"))},
        **{"epochs": clf.report_["epochs"], "best_epoch": clf.report_["best_epoch"]},
        "right": "".join("01"[int(one)] for one in right),
    }


def compared(cells: list[dict[str, Any]], base: list[dict[str, Any]]) -> dict[str, Any]:
    """A method against the default on the same seeds, in points, with the larger of two standard errors: over texts and over seeds."""
    other = {cell["seed"]: cell for cell in base}
    pairs = [(cell, other[cell["seed"]]) for cell in cells if cell["seed"] in other]
    gains = np.array([np.array(list(a["right"]), int) - np.array(list(b["right"]), int) for a, b in pairs])  # (S, n)
    by_text = gains.mean(axis=0) if not cells[0]["tune"] else gains.ravel()
    of_texts = by_text.std(ddof=1) / np.sqrt(len(by_text))
    of_seeds = gains.mean(axis=1).std(ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else 0.0
    gain, error = 100 * float(gains.mean()), 100 * float(max(of_texts, of_seeds))
    says = "helps" if gain > CLEAR * error else "costs" if gain < -CLEAR * error else "no difference"
    f1 = 100 * float(np.mean([a["macro_f1"] - b["macro_f1"] for a, b in pairs]))
    times = float(np.median([a["seconds"] / max(1, b["seconds"]) for a, b in pairs]))
    found = {"gain": gain, "standard_error": error, "macro_f1_gain": f1, "times_as_long": times}
    return {**{name: round(value, 2) for name, value in found.items()}, "says": says, "seeds": len(pairs)}


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """For each set and number of rows: the default, and what each method changes."""
    figures: dict[str, Any] = {}
    for name, n in sorted({(row["set"], row["rows"]) for row in rows}):
        own = [row for row in rows if (row["set"], row["rows"]) == (name, n)]
        by_method = {method: [row for row in own if row["method"] == method] for method in {r["method"] for r in own}}
        base = by_method.pop("default", [])
        if not base:
            continue
        means = {key: round(100 * float(np.mean([row[key] for row in base])), 2) for key in ("accuracy", "macro_f1")}
        seconds, seeds = float(np.median([row["seconds"] for row in base])), len(base)
        figures[f"{name}, {n}"] = {
            "default": means | {"seconds": seconds, "seeds": seeds},
            "texts": f"{len(base[0]['right']):,} " + ("other training texts" if base[0]["tune"] else "test texts"),
            "methods": {
                method: compared(cells, base)
                for method, cells in sorted(by_method.items())
                if {cell["seed"] for cell in cells} & {cell["seed"] for cell in base}
            },
        }
    return figures


def main() -> None:
    """Run what is missing, and judge all."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--rows", type=int, nargs="+", default=[500])
    parser.add_argument("--methods", nargs="+", default=METHODS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--tune", action="store_true", help="judge on training rows kept aside")
    parser.add_argument("--runs", type=Path, help="a file that keeps finished runs; those it holds are not run again")
    parser.add_argument("--no-report", action="store_true")
    options = parser.parse_args()
    cells = [
        (name, n, method, seed, options.tune)
        for seed in options.seeds
        for name in options.sets
        for n in options.rows
        for method in options.methods
    ]
    rows = resumed(cells, ("set", "rows", "method", "seed", "tune"), run, options.runs)
    figures = summary([row for row in rows if row["tune"] == options.tune])
    if options.no_report:
        print(json.dumps(figures, indent=1, ensure_ascii=False))
        return
    claims = {
        f"{name}: no recipe is clearly better than the default": all(
            m["says"] != "helps" for m in f["methods"].values()
        )
        for name, f in figures.items()
    }
    finish("recipes", figures, claims, seeds=sorted({row["seed"] for row in rows if row["tune"] == options.tune}))


if __name__ == "__main__":
    main()
