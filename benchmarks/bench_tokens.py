"""Claim: word by word, at least 3 AG News texts per second are explained with MiniLM on two CPU cores; without a transformer, with all
terms and their spans, 2,000 per second; and 10,000 texts with 2,000 rules globally in 10 seconds. Words and bias add up to ψ, within 1 %
or 0.001 logits, for 99 % of the texts, including long and Chinese ones.

The nodes of the integral were chosen on training rows; these are test rows. The models are trained briefly, because exactness and speed
depend on the size of the encoder, not on how well it was trained; film reviews are read by the news model.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import numpy as np
from common import RULES, finish, read, sample

from rulenet import Recipe, RuleNetClassifier, RuleSet
from rulenet.explain.overview import explain_global
from rulenet.explain.terms import explain
from rulenet.explain.tokens import ABSOLUTE_BAR, FIRST_NODES, RELATIVE_BAR, attribute
from rulenet.model.hybrid import Hybrid

TOKENS_PER_S, TERMS_PER_S, GLOBAL_SECONDS, COMPLETE = 3, 2_000, 10, 0.99
ENCODERS = {"ag_news": "minilm", "thucnews_titles": "scratch"}
PACKS = {"ag_news": "ag_news.yaml", "thucnews_titles": "thucnews.yaml"}
# What is read, and by which model.
CASES = {"ag_news": "ag_news", "imdb": "ag_news", "thucnews_titles": "thucnews_titles"}


def main() -> None:
    """Measure words, terms, and global explanations."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--texts", type=int, default=100, help="texts explained to the word, of each data set")
    parser.add_argument("--train", type=int, default=600, help="training texts of each model")
    parser.add_argument("--model", help="a saved AG News model, instead of training one")
    options = parser.parse_args()
    models: dict[str, RuleNetClassifier] = {}
    figures: dict[str, Any] = {}
    claims: dict[str, bool] = {}
    for data, name in CASES.items():
        if name not in models:
            models[name] = hybrid_of(name, options)
        texts, _ = sample(*read(data, "test"), options.texts if data != "imdb" else max(options.texts // 5, 1), 0)
        figures[data] = words(models[name], texts, options.device)
        share = figures[data]["complete"]
        claims[f"{data}: words and bias add up for {COMPLETE:.0%} of the texts"] = share >= COMPLETE
    speed = figures["ag_news"]["texts_per_s"]
    claims[f"ag_news: {TOKENS_PER_S} texts/s to the word"] = speed >= TOKENS_PER_S
    figures["phi_only"] = terms_only()
    claims[f"φ only: {TERMS_PER_S:,} explanations/s"] = figures["phi_only"]["texts_per_s"] >= TERMS_PER_S
    figures["global"] = as_a_whole()
    claims[f"as a whole within {GLOBAL_SECONDS} s"] = figures["global"]["seconds"] <= GLOBAL_SECONDS
    finish("tokens", figures, claims, device=options.device, seeds=[0])


def hybrid_of(name: str, options: argparse.Namespace) -> RuleNetClassifier:
    """Fit a small model in which both parts matter."""
    if options.model and name == "ag_news":
        return RuleNetClassifier.load(options.model, device=options.device)
    encoder = ENCODERS[name]
    recipe = Recipe.of(epochs=2, frozen_layers=5 if encoder == "minilm" else 0)
    clf = RuleNetClassifier(RULES / PACKS[name], encoder, recipe=recipe, device=options.device, random_state=0)
    return clf.fit(*sample(*read(name, "train"), options.train, 0))


def words(clf: RuleNetClassifier, texts: list[str], device: str) -> dict[str, Any]:
    """Measure speed, gaps and nodes of word-by-word explanations."""
    hybrid, classes = clf.predictor_.hybrid, clf.classes_.tolist()
    parts = hybrid.parts(texts, device=device)
    explain(hybrid, texts[:2], hybrid.parts(texts[:2]), classes, tokens=True, device=device)  # imports and warms up
    started, started_cpu = time.perf_counter(), time.process_time()
    found = explain(hybrid, texts, parts, classes, tokens=True, device=device)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - started_cpu
    totals = np.array([e.neural[e.label] - e.neural[e.runner_up] for e in found])
    gaps = np.array([e.token_gap for e in found])
    within = gaps <= np.maximum(RELATIVE_BAR * np.abs(totals), ABSOLUTE_BAR) + 1e-6
    few = texts[: max(len(texts) // 5, 1)]
    return {
        "texts": len(texts), "texts_per_s": round(len(texts) / seconds, 2), "texts_per_core_s": round(len(texts) / cpu_seconds, 2),
        "complete": float(within.mean()),
        "median_gap": float(np.median(gaps)), "largest_gap": float(gaps.max()), "median_psi": float(np.median(np.abs(totals))),
        "words_per_text": statistics.mean(len(e.tokens or []) for e in found), "nodes_per_text": nodes_per_text(hybrid, few, device),
        "median_bias": float(np.median([abs(e.token_bias or 0.0) for e in found])),
    }  # fmt: skip


def nodes_per_text(hybrid: Hybrid, texts: list[str], device: str) -> float:
    """Return the mean number of gradients per text, including those of a first attempt that was not exact enough."""
    parts = hybrid.parts(texts, device=device)
    order = np.argsort(-parts.logits, axis=1)
    sides = np.zeros_like(parts.psi)
    np.put_along_axis(sides, order[:, :1], hybrid.psi_scale, axis=1)
    np.put_along_axis(sides, order[:, 1:2], -hybrid.psi_scale, axis=1)
    if hybrid.psi is None:
        return 0.0
    found = attribute(hybrid.psi, texts, parts.phi / hybrid.phi_scale, sides, device=device)
    # 16, then 32, then 64: all tries together are twice the last less the first.
    return statistics.mean(2 * share.nodes - FIRST_NODES for share in found)


def terms_only() -> dict[str, Any]:
    """Measure explanations of a model without a transformer, best of three runs."""
    clf = RuleNetClassifier(RULES / "ag_news.yaml", None, random_state=0).fit(
        *sample(*read("ag_news", "train"), 5_000, 0)
    )
    texts, _ = sample(*read("ag_news", "test"), 2_000, 0)
    seconds, cpu_seconds = [], []
    for _ in range(3):
        started, started_cpu = time.perf_counter(), time.process_time()
        found = clf.explain(texts)
        seconds.append(time.perf_counter() - started)
        cpu_seconds.append(time.process_time() - started_cpu)
    return {
        "texts": len(texts), "terms_per_text": statistics.mean(len(e.terms) for e in found),
        "texts_per_s": round(len(texts) / min(seconds)), "texts_per_core_s": round(len(texts) / min(cpu_seconds)),
    }  # fmt: skip


def as_a_whole() -> dict[str, Any]:
    """Measure `explain_global` with 2,000 word rules and 10,000 texts, without matching."""
    texts, labels = sample(*read("ag_news", "train"), 10_000, 1)
    counts: dict[str, int] = {}
    for text in texts:
        for word in set(text.lower().split()):
            if word.isalpha() and word not in ("true", "false", "null", "yes", "no", "on", "off"):
                counts[word] = counts.get(word, 0) + 1
    frequent = sorted(counts, key=counts.__getitem__, reverse=True)[:2_000]
    classes = sorted(set(labels))
    rules = [f"  - {{id: r{i}, label: {classes[i % 4]}, word: {word}}}" for i, word in enumerate(frequent)]
    ruleset = RuleSet.from_yaml("rulenet: 1\nrules:\n" + "\n".join(rules))
    clf = RuleNetClassifier(ruleset, None, random_state=0).fit(texts[:2_000], labels[:2_000])
    parts = clf.predictor_.hybrid.parts(texts)
    started = time.perf_counter()
    found = explain_global(clf.predictor_.hybrid, parts, classes, labels)
    seconds = time.perf_counter() - started
    return {
        "texts": len(texts),
        "rules": len(found.rules),
        "active_terms": int(parts.X.nnz),
        "seconds": round(seconds, 2),
    }


if __name__ == "__main__":
    main()
