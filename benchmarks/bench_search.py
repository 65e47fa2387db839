"""A search of some minutes against the default, on 1,000 rows of data that no default was chosen on, judged by test rows.

For each set and seed, `RuleNetSearch` chooses by folds of the training rows; its model, that of the default and that of `recipe="auto"`
answer the same test rows. Claims: over all sets the search is not worse than the default beyond a standard error, and auto is at most 0.3
points below the search.

    python benchmarks/bench_search.py --runs FILE      20 minutes for each set and seed; finished runs are kept in FILE and not run again
    python benchmarks/bench_search.py --sets waimai_10k --encoder none --minutes 2 --runs FILE --no-report
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
from common import finish, read, resumed, sample

from rulenet import RuleNetClassifier, RuleNetSearch

SETS = {"waimai_10k": 2000, "youtube_spam": 370, "imdb": 1000}  # test rows
ROWS = 1000


def run(name: str, seed: int, encoder: str, minutes: float, storage: str | None = None) -> dict[str, Any]:
    """The three models on one sample."""
    texts, labels = sample(*read(name, "train"), ROWS, seed)
    X, y = read(name, "test")
    at = random.Random(0).sample(range(len(X)), SETS[name])
    X, right = [X[i] for i in at], np.array([y[i] for i in at])
    clf = RuleNetClassifier(None, None if encoder == "none" else encoder, random_state=seed)
    search = RuleNetSearch(clf, minutes=minutes, storage=storage, random_state=seed)
    started = time.perf_counter()
    search.fit(texts, labels)
    seconds = time.perf_counter() - started
    models = {"search": search.best_estimator_, "default": RuleNetClassifier(**clf.get_params(deep=False))}
    models["auto"] = RuleNetClassifier(**clf.get_params(deep=False)).set_params(recipe="auto")
    found = {"set": name, "seed": seed, "encoder": encoder, "minutes": minutes, "seconds": round(seconds)}
    results = search.cv_results_
    found |= {"trials": len(results["recipe"]), "chosen": repr(search.best_params_)}
    tried = zip(results["recipe"], results["gain"], results["gain_error"], results["state"], strict=True)
    found["tried"] = [
        [recipe, round(100 * gain, 2), round(100 * error, 2), state] for recipe, gain, error, state in tried
    ]
    for method, model in models.items():
        fitted = model if method == "search" else model.fit(texts, labels)
        found[method] = "".join("01"[int(one)] for one in np.asarray(fitted.predict(X)) == right)
    return found


def main() -> None:
    """Run what is missing, and judge all."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--encoder", default="auto")
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--runs", type=Path, help="a file that keeps finished runs; those it holds are not run again")
    parser.add_argument("--no-report", action="store_true")
    options = parser.parse_args()
    cells = itertools.product(options.sets, options.seeds, [options.encoder], [options.minutes])

    def kept(*cell: Any) -> dict[str, Any]:
        where = f"{options.runs}.{'.'.join(map(str, cell))}.db" if options.runs else None
        return run(*cell, storage=where)

    rows = resumed(cells, ("set", "seed", "encoder", "minutes"), kept, options.runs)
    right = {method: [np.array(list(row[method]), int) for row in rows] for method in ("search", "default", "auto")}
    gains = [ours - theirs for ours, theirs in zip(right["search"], right["default"], strict=True)]
    gain = 100 * float(np.mean([one.mean() for one in gains]))
    error = 100 * float(np.linalg.norm([one.std(ddof=1) / len(one) ** 0.5 for one in gains])) / len(gains)
    means = {method: round(100 * float(np.mean([one.mean() for one in own])), 2) for method, own in right.items()}
    figures: dict[str, Any] = {**means, "gain": round(gain, 2), "standard_error": round(error, 2)}
    figures["runs"] = [
        {
            **{name: value for name, value in row.items() if name not in right},
            **{method: round(100 * row[method].count("1") / len(row[method]), 2) for method in right},
        }
        for row in rows
    ]
    claims = {
        "the search is not worse than the default beyond a standard error": gain >= -error,
        "auto is at most 0.3 points below the search": means["auto"] >= means["search"] - 0.3,
    }
    if options.no_report:
        print(figures, claims)
        return
    finish("search", figures, claims, seeds=sorted({row["seed"] for row in rows}))


if __name__ == "__main__":
    main()
