"""Claims, on one GPU, means over 3 seeds, test rows: the hybrid reaches >= 94.0 on AG News (all provided rows) and on IMDB
(25,000 / 25,000), >= 2 points above φ on each, and >= 0.3 above ψ alone on AG News.

    python benchmarks/bench_gpu_accuracy.py --runs FILE                      can be stopped and resumed
    python benchmarks/bench_gpu_accuracy.py --dev --recipe '{"epochs": 4}'   to choose a recipe, on training rows only
    python benchmarks/bench_gpu_accuracy.py --device cpu --rows 200 --test 200 --encoder FOLDER      only compares

φ alone: the rule pack and TF-IDF; convex, so the seed changes nothing and one fit is enough. ψ alone: the encoder with a plain linear
head, no rules, no TF-IDF, no bound. Hybrid: both. Every layer is trained. IMDB reads the first and the last half of 512 word pieces,
which Sun et al. (2019, "How to Fine-Tune BERT for Text Classification?", table 2) found best on it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

from common import COMMIT, RULES, accuracy, finish, read, sample

SEEDS = [0, 1, 2]
RECIPES: dict[str, dict[str, Any]] = {
    "ag_news": {"epochs": 3},
    "imdb": {
        "epochs": 3, "max_length": 512, "long_texts": "head_tail", "batch_tokens": 16_384,
    },
}  # fmt: skip
DEV_SHARE = 0.2
HYBRID, ABOVE_PHI, ABOVE_PSI = 0.94, 0.02, 0.003

Texts = tuple[list[str], list[str]]


def load(name: str, options: argparse.Namespace) -> tuple[Texts, Texts]:
    """Return texts for training and texts for evaluation."""
    every = read(name, "train")
    texts, labels = sample(*every, options.rows or len(every[0]), 0)
    if options.dev:
        n = round(DEV_SHARE * len(texts))
        return (texts[n:], labels[n:]), (texts[:n], labels[:n])
    test = read(name, "test")
    return (texts, labels), sample(*test, options.test, 0) if options.test else test


def measure(name: str, model: str, seed: int, train: Texts, test: Texts, options: argparse.Namespace) -> dict[str, Any]:
    """Fit and evaluate one model."""
    from rulenet import Recipe, RuleNetClassifier
    from rulenet.training.tuning.full import Full

    recipe = Recipe.of(tune=Full(), **{**RECIPES[name], **json.loads(options.recipe)})
    if model == "psi":
        recipe = recipe.with_changes(tfidf=False, bound=None)
    started = time.perf_counter()
    clf = RuleNetClassifier(
        None if model == "psi" else RULES / f"{name}.yaml", None if model == "phi" else options.encoder, recipe=recipe,
        device=options.device, random_state=seed, n_jobs=-1,
    ).fit(*train)  # fmt: skip
    fitted = time.perf_counter()
    score = accuracy(clf.predict(test[0]), test[1])
    return {
        "accuracy": round(score, 4), "fit_s": round(fitted - started, 1),
        "predict_s": round(time.perf_counter() - fitted, 1), "cut_texts": round(clf.report_["cut_texts"], 3),
    }  # fmt: skip


def run_all(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Run every data set, model and seed that is not in `--runs` yet."""
    kept = Path(options.runs) if options.runs else None
    lines = kept.read_text(encoding="utf-8").splitlines() if kept and kept.exists() else []
    known = [json.loads(line) for line in lines]
    rows = []
    for name in options.data:
        train, test = load(name, options)
        for model in ("phi", "psi", "hybrid"):
            for seed in SEEDS[:1] if model == "phi" else SEEDS[: options.seeds]:
                # What a run depends on; two runs that agree in it are the same.
                run = {
                    "data": name, "model": model, "seed": seed, "train_rows": len(train[0]), "test_rows": len(test[0]),
                    "dev": options.dev, "recipe": {**RECIPES[name], **json.loads(options.recipe)},
                    "encoder": options.encoder, "device": options.device, "commit": COMMIT,
                }  # fmt: skip
                done = next((row for row in known if run.items() <= row.items()), None)
                if done is None:
                    done = {**run, **measure(name, model, seed, train, test, options)}
                    if kept:
                        with kept.open("a", encoding="utf-8") as handle:
                            handle.write(json.dumps(done) + "\n")
                print(name, model, seed, done["accuracy"], f"{done['fit_s']} s", flush=True)
                rows.append(done)
    return rows


def claims_of(means: dict[str, dict[str, float]], reduced: str) -> dict[str, bool]:
    """Return the claims about the means; for a reduced run, only the order of the models."""
    claims = {}
    for name, mean in means.items():
        above = {key: round(mean["hybrid"] - mean[key], 5) for key in ("phi", "psi")}
        if reduced:
            claims[f"{reduced}, {name}: hybrid above φ"] = above["phi"] > 0
            claims[f"{reduced}, {name}: hybrid above ψ alone"] = above["psi"] > 0
            continue
        claims[f"{name}: hybrid >= {HYBRID:.1%}"] = mean["hybrid"] >= HYBRID
        claims[f"{name}: hybrid >= {100 * ABOVE_PHI:g} points above φ"] = above["phi"] >= ABOVE_PHI
        if name == "ag_news":
            claims[f"{name}: hybrid >= {100 * ABOVE_PSI:g} points above ψ alone"] = above["psi"] >= ABOVE_PSI
    return claims


def main() -> None:
    """Fit, evaluate and average."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--data", nargs="+", default=list(RECIPES), choices=list(RECIPES))
    parser.add_argument("--rows", type=int, default=0, help="training rows at most (0: all)")
    parser.add_argument("--test", type=int, default=0, help="test rows at most (0: all)")
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    parser.add_argument("--encoder", default="minilm", help="minilm or a folder of a BERT-like encoder")
    parser.add_argument("--recipe", default="{}", help="fields of the recipe to change, as JSON")
    parser.add_argument("--dev", action="store_true", help="judge on a fifth of the training rows, not on test rows")
    parser.add_argument("--runs", help="a file that keeps finished runs; those it holds are not made again")
    options = parser.parse_args()
    import torch

    gpu = options.device == "cuda"
    smaller = options.rows or options.test or options.dev or options.seeds < len(SEEDS) or options.encoder != "minilm"
    reduced = "" if gpu and not smaller else "reduced run" if gpu else "CPU-sized"
    rows = run_all(options)
    means = {
        name: {
            model: round(statistics.mean(r["accuracy"] for r in rows if (r["data"], r["model"]) == (name, model)), 5)
            for model in ("phi", "psi", "hybrid")
        }
        for name in options.data
    }
    name = "gpu_accuracy" if not reduced and len(means) == len(RECIPES) else "gpu_accuracy_reduced"
    device = torch.cuda.get_device_name() if gpu else "cpu"
    finish(name, {"mean": means, "runs": rows}, claims_of(means, reduced), device=device, seeds=SEEDS[: options.seeds])


if __name__ == "__main__":
    main()
