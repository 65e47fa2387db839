"""Claim: rule sets that others published, converted by `convert_rules.py`, fire on the training rows as their authors' code would
(>= 99.9 % of all pairs of rule and cleaned text), and φ with learned weights is right more often than their unlearned vote: on training
rows held out in each set, on the test rows in the mean of all sets.

    RULENET_DATA=… python benchmarks/bench_published.py              all sets
    RULENET_DATA=… python benchmarks/bench_published.py trec         one of them; nothing is recorded

The rule files are not stored: only the results are written. Vote: the label with the most rules, each counting as one; a tie is
wrong; a text on which no rule fires gets the largest class of the training rows. φ: one learned weight per rule and a bias.

TREC's test questions differ in kind from its training questions: if only "what" fires, half of them are descriptions, but most
training questions are about entities. What is learned from these is wrong on the test rows; the vote, which does not learn, does better.

Original texts differ from cleaned ones in markup and entities: the address of a link is not text (keyword_link, keyword_r8), <br /> is
not a token (short_comment), #36; is $ (keyword_r8).
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from common import accuracy, finish, read, sample
from convert_rules import convert

# Set → its folder and file, and what its SOURCE.md measured: coverage, accuracy on covered texts with ties wrong, without tied texts.
SETS = {
    "youtube_spam": ("youtube_spam", "rules.json", (0.805, 0.899, 0.971)),
    "trec": ("trec", "rules.json", (None, 0.590, 0.656)),
    "ag_news": ("ag_news", "rules.json", (0.713, 0.758, 0.865)),
    "imdb": ("imdb", "rules.json", (0.912, 0.665, 0.774)),  # on 4,000 of the test reviews
    "imdb_ngrams": ("imdb", "rules_ngrams136.json", (0.826, 0.681, 0.782)),  # the same
}
N_COMPARED = 10_000
LIMIT_AGREEMENT = 0.999


def main() -> None:
    """Measure each set."""
    names = sys.argv[1:] or list(SETS)
    figures = {name: measure(*SETS[name]) for name in names}
    claims = {}
    for name, f in figures.items():
        print_set(name, f)
        claims[f"{name}: fires as published on >= {LIMIT_AGREEMENT:.1%} of pairs"] = (
            f["agreement"]["cleaned"] >= LIMIT_AGREEMENT
        )
        claims[f"{name}: learned weights beat the vote on held-out training rows"] = (
            f["held_out"]["phi_rules"] > f["held_out"]["vote"]
        )
    gains = [f["accuracy"]["phi_rules"] - f["vote"]["accuracy"] for f in figures.values()]
    claims["mean of the sets, test rows: learned weights beat the vote"] = sum(gains) > 0
    if sys.argv[1:]:
        sys.exit(0 if all(claims.values()) else 1)
    finish("published", figures, claims, seeds=[0])


def measure(folder: str, file: str, source: tuple[float | None, ...]) -> dict[str, Any]:
    """Convert, compare with the published meaning, vote, and learn."""
    from rulenet import RuleSet

    published = json.loads((Path(os.environ.get("RULENET_DATA", ".")) / folder / file).read_text(encoding="utf-8"))
    converted = convert(published)
    ruleset = RuleSet.from_yaml(converted.yaml(), name=f"{folder}/{file}")
    texts, labels = read(folder, "train")
    test_texts, test_labels = read(folder, "test")
    largest = Counter(labels).most_common(1)[0][0]
    mixed, mixed_labels = sample(texts, labels, len(texts), 0)
    kept = len(texts) // 5
    R = ruleset.match(test_texts)
    return {
        "train_rows": len(texts),
        "test_rows": len(test_texts),
        "published_rules": len(published["rules"]),
        "left_out": converted.left_out,
        "rules": len(ruleset),
        "coverage": round(float((R.getnnz(axis=1) > 0).mean()), 4),
        "vote": vote(R, ruleset, test_labels, largest),
        "source": dict(zip(("coverage", "covered", "covered_untied"), source, strict=True)),
        "accuracy": {
            "phi_rules": phi(ruleset, False, texts, labels, test_texts, test_labels),
            "phi_rules_tfidf": phi(ruleset, True, texts, labels, test_texts, test_labels),
            "phi_tfidf": phi(None, True, texts, labels, test_texts, test_labels),
        },
        "held_out": {
            "vote": vote(ruleset.match(mixed[:kept]), ruleset, mixed_labels[:kept], largest)["accuracy"],
            "phi_rules": phi(ruleset, False, mixed[kept:], mixed_labels[kept:], mixed[:kept], mixed_labels[:kept]),
        },
        "agreement": agreement(published, ruleset, mixed[:N_COMPARED]),
    }


def phi(ruleset: Any, words: bool, texts: list[str], labels: list[str], new: list[str], new_labels: list[str]) -> float:
    """Measure the accuracy of φ with these rules, these words, or both, on other texts."""
    from rulenet import RuleNetClassifier
    from rulenet.training.recipe import Recipe

    clf = RuleNetClassifier(ruleset, encoder=None, language="en", recipe=Recipe.of(tfidf=words), random_state=0)
    return round(accuracy(clf.fit(texts, labels).predict(new), new_labels), 4)


def vote(R: Any, ruleset: Any, labels: list[str], largest: str) -> dict[str, float]:
    """Measure the accuracy of the unlearned vote."""
    speaks_for = np.array([[rule.label == label for label in ruleset.labels] for rule in ruleset.rules], dtype=int)
    votes = R.astype(int) @ speaks_for  # (n_texts, n_labels)
    most = votes.max(axis=1)
    tied = (votes == most[:, None]).sum(axis=1) > 1
    covered = most > 0
    right = np.array(ruleset.labels)[votes.argmax(axis=1)] == np.array(labels)
    right_or_largest = np.where(covered, right & ~tied, np.array(labels) == largest)
    return {
        "accuracy": round(float(right_or_largest.mean()), 4),
        "covered": round(float((right & ~tied)[covered].mean()), 4),
        "covered_untied": round(float(right[covered & ~tied].mean()), 4),
        "tied": round(float(tied[covered].mean()), 4),
    }


# ---------------------------------------------------------------------- the published meaning, in plain Python


def agreement(published: dict[str, Any], ruleset: Any, texts: list[str]) -> dict[str, Any]:
    """Share of pairs (rule, text) on which the converted rules and the published ones say the same, for the texts as they stand and for
    the cleaned texts that rulenet reads; and the rules with the most pairs that differ."""
    from rulenet.text.clean import clean

    fired = [{ruleset.ids[j] for j in row.indices} for row in ruleset.match(texts)]
    result: dict[str, Any] = {"pairs": len(texts) * len(ruleset)}
    for name, versions in (("raw", texts), ("cleaned", list(map(clean, texts)))):
        expected = [{id for rule in published["rules"] for id in fires(rule, text)} for text in versions]
        differing = [fired[i] ^ expected[i] for i in range(len(texts))]
        result[name] = round(1 - sum(map(len, differing)) / result["pairs"], 6)
        result[f"{name}_differing"] = dict(Counter(id for ids in differing for id in sorted(ids)).most_common(3))
    return result


def fires(rule: dict[str, Any], text: str) -> list[str]:
    """Return the id of the converted rule that should fire, if any."""
    kind, lower = rule["kind"], text.lower()
    if kind == "contains_any":
        holds = any(pattern in lower for pattern in rule["patterns"])
    elif kind == "regex":
        holds = any(re.search(pattern, lower.strip()) for pattern in rule["patterns"])
    elif kind == "max_tokens":
        holds = len(text.split()) < 5
    elif kind == "ngram":
        words = f" {spaced(lower.replace(chr(39), '')).strip()} "
        holds = any(f" {pattern} " in words for pattern in rule["patterns"])
    elif kind in ("keyword_pos_neg", "prefix_gap_expression"):
        side = (keyword if kind == "keyword_pos_neg" else prefix_gap)(rule, spaced(lower))
        return [f"{rule['id']}.{side}"] if side else []
    else:
        return []
    return [rule["id"]] if holds else []


@lru_cache(maxsize=4)
def spaced(text: str) -> str:
    """Replace every run of punctuation and white space by one space."""
    return re.sub(r"[\W_]+", " ", text)


def keyword(rule: dict[str, Any], text: str) -> str | None:
    """Meaning of `keyword_pos_neg`."""
    negated = (prefix + word for prefix in rule["negation_prefixes"] for word in rule["pos"])
    if any(word in text for word in rule["neg"]) or any(word in text for word in negated):
        return "neg"
    return "pos" if any(word in text for word in rule["pos"]) else None


def prefix_gap(rule: dict[str, Any], text: str) -> str | None:
    """Meaning of `prefix_gap_expression`."""
    for expression in rule["expressions"]:
        for side in ("neg", "pos"):
            prefix = "|".join(map(re.escape, rule[f"{side}_prefixes"]))
            if re.search(rf"(?:{prefix}).{{0,{rule['gap']}}}{re.escape(expression)}", text):
                return side
    return None


def print_set(name: str, f: dict[str, Any]) -> None:
    """Print the results of one set next to those of its source."""
    vote, source, scores = f["vote"], f["source"], f["accuracy"]
    print(f"{name}: {f['rules']} rules from {f['published_rules']} published", end="")
    print(f", left out: {'; '.join(f'{id} ({why})' for id, why in f['left_out'].items())}" if f["left_out"] else "")
    for what, here, there in (
        ("coverage", f["coverage"], source["coverage"]),
        ("vote, covered texts, ties wrong", vote["covered"], source["covered"]),
        ("vote, covered texts, without ties", vote["covered_untied"], source["covered_untied"]),
    ):
        print(f"  {what:34} {here:6.1%}" + (f"   SOURCE.md {there:.1%}" if there else ""))
    print(f"  {'vote, all texts':34} {vote['accuracy']:6.1%}   held-out training rows {f['held_out']['vote']:.1%}")
    print(f"  {'φ, rules':34} {scores['phi_rules']:6.1%}   held-out training rows {f['held_out']['phi_rules']:.1%}")
    for what, key in (("φ, rules and words", "phi_rules_tfidf"), ("φ, words", "phi_tfidf")):
        print(f"  {what:34} {scores[key]:6.1%}")
    got = f["agreement"]
    for key in ("raw", "cleaned"):
        print(
            f"  as published, {key + ' texts':20} {got[key]:6.2%} of {got['pairs']:,} {got[f'{key}_differing'] or ''}"
        )


if __name__ == "__main__":
    main()
