"""Editing one of 5,000 rules of a fitted model: how long until it answers by the new rule, in memory and in its folder.

Claims: `with_rules` takes less than 50 ms when one rule changed (median; the rule file is read already), and the first prediction after it
less than a second. Rules are made up: words and word pairs of AG News training texts, some with regexes, distances and negation.
"""

from __future__ import annotations

import random
import re
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common import finish, read, sample

from rulenet import RuleNetClassifier, RuleSet
from rulenet.workbench.hotedit import apply_rules, undo

N_RULES = 5000
N_TEXTS = 4000
REPETITIONS = 15
MAX_EDIT_MS = 50.0
MAX_FIRST_S = 1.0


def made_up_rules(texts: list[str], labels: list[str], n: int) -> str:
    """A rule file: half single words, the rest phrases, regexes, distances and negation."""
    rng = random.Random(0)
    of_label: dict[str, Counter[str]] = {}
    for text, label in zip(texts, labels, strict=True):
        of_label.setdefault(label, Counter()).update(set(re.findall(r"[a-z]{4,}", text.lower())))
    names = sorted(of_label)
    words = {label: [word for word, _ in of_label[label].most_common(4000)] for label in names}
    lines = ["rulenet: 1", "language: en", f"labels: [{', '.join(names)}]", "rules:"]
    for i in range(n):
        label = names[i % len(names)]
        a, b, c = rng.sample(words[label], 3)
        condition = (
            f"word: ['{a}', '{b}', '{c}']", f"word: ['{a}', '{b}']", f"phrase: ['{a} {b}', '{b} {c}', '{a} {c}']",
            f"word: ['{a}'], negation: skip", f"regex: '\\b{a} [a-z]+ {b}'", f"near: {{terms: ['{a}', '{b}'], within: 4}}",
        )[(0, 0, 0, 1, 1, 2, 2, 3, 4, 5)[i // len(names) % 10]]  # fmt: skip
        lines.append(f"  - {{id: rule.{i}, label: {label}, {condition}, weight: 0.5}}")
    return "\n".join(lines) + "\n"


def seconds(call: Callable[[], Any]) -> float:
    """Wall time of a call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def edited(source: str, i: int) -> str:
    """The same file with another word in one rule."""
    return source.replace(f"{{id: rule.{i}, label:", f"{{id: rule.{i}, note: edited {i}, label:").replace(
        "word: ['", f"word: ['kettledrum{i}', '", 1
    )


def main() -> None:
    """Measure and record."""
    texts, labels = sample(*read("ag_news", "train"), N_TEXTS + 1000, 0)
    fresh, texts, labels = texts[N_TEXTS:], texts[:N_TEXTS], labels[:N_TEXTS]
    source = made_up_rules(texts, labels, N_RULES)
    figures: dict[str, Any] = {"rules": N_RULES, "texts": N_TEXTS}
    loads, edits, reweights, first_one, first_block, later = ([] for _ in range(6))
    ruleset = RuleSet.from_yaml(source)
    figures["compile_from_nothing_s"] = seconds(lambda: ruleset.match(fresh[:1]))
    clf = RuleNetClassifier(ruleset, None).fit(texts, labels)
    figures["terms"] = clf.hybrid_.features.n_terms
    for i in range(REPETITIONS):
        started = time.perf_counter()
        new = RuleSet.from_yaml(edited(source, i))
        loads.append(time.perf_counter() - started)
        started = time.perf_counter()
        other = clf.with_rules(new)
        edits.append(time.perf_counter() - started)
        first_one.append(seconds(lambda: other.predict(fresh[:1])))  # noqa: B023
        first_block.append(seconds(lambda: other.predict(fresh)))  # noqa: B023
        later.append(seconds(lambda: clf.predict(fresh)))
        new = RuleSet.from_yaml(source.replace("weight: 0.5}", f"weight: 0.{i + 1}}}", 1))
        reweights.append(seconds(lambda: clf.with_rules(new)))  # noqa: B023
    with tempfile.TemporaryDirectory() as folder:
        model, rules = Path(folder) / "model", Path(folder) / "edited.yaml"
        clf.save(model)
        rules.write_text(edited(source, 1), encoding="utf-8")
        figures["apply_folder_s"] = seconds(lambda: apply_rules(model, rules))
        figures["undo_folder_s"] = seconds(lambda: undo(model))
    figures |= {
        "read_rule_file_s": statistics.median(loads),
        "with_rules_ms": 1000 * statistics.median(edits), "with_rules_slowest_ms": 1000 * max(edits),
        "with_rules_reweighted_ms": 1000 * statistics.median(reweights),
        "first_prediction_s": statistics.median(first_one), "first_1000_s": statistics.median(first_block),
        "unedited_1000_s": statistics.median(later),
    }  # fmt: skip
    figures = {name: round(value, 4) if isinstance(value, float) else value for name, value in figures.items()}
    claims = {
        f"with_rules under {MAX_EDIT_MS:.0f} ms at {N_RULES:,} rules": figures["with_rules_ms"] < MAX_EDIT_MS,
        f"first prediction after it under {MAX_FIRST_S:.0f} s": figures["first_prediction_s"] < MAX_FIRST_S,
    }
    finish("hotedit", figures, claims, seeds=[0])


if __name__ == "__main__":
    sys.exit(main())
