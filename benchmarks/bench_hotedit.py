"""Editing one of 5,000 rules of a fitted model: time until it predicts with the new rule, in memory and in its folder.

Claims: `with_rules` takes less than 50 ms when one rule changed (the rule file has been read already), and the first prediction after it
less than half a second. Both are medians of processor time: everything runs in one thread, so on an idle machine this is the
wall time, which is also reported. The rules are made up: words and word pairs of AG News training texts, some with
regexes, distances and negation.
"""

from __future__ import annotations

import random
import re
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from common import finish, read, sample

from rulenet import RuleNetClassifier, RuleSet
from rulenet.workbench.hotedit import apply_rules, undo

N_RULES = 5000
N_TEXTS = 4000
REPETITIONS = 15
MAX_EDIT_MS = 50.0
MAX_FIRST_S = 0.5


def made_up_rules(texts: list[str], labels: list[str], n: int) -> str:
    """Make a rule file: half single words, the rest phrases, regexes, distances and negation."""
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


class Clock:
    """Processor time and wall time of repeated calls, in seconds."""

    def __init__(self) -> None:
        self.cpu: list[float] = []
        self.wall: list[float] = []

    def time(self, call: Callable[[], Any]) -> Any:
        """Time a call and return its result."""
        cpu, wall = time.process_time(), time.perf_counter()
        result = call()
        self.cpu.append(time.process_time() - cpu)
        self.wall.append(time.perf_counter() - wall)
        return result

    def figures(self) -> dict[str, float]:
        """Return the times in milliseconds."""
        return {
            "cpu_ms": round(1000 * statistics.median(self.cpu), 1), "cpu_slowest_ms": round(1000 * max(self.cpu), 1),
            "wall_ms": round(1000 * statistics.median(self.wall), 1), "wall_fastest_ms": round(1000 * min(self.wall), 1),
        }  # fmt: skip


def edited(source: str, i: int) -> str:
    """Return the same file with one more word in one rule."""
    start = source.index(f"{{id: rule.{i},")
    end = source.index("\n", start)
    return source[:start] + source[start:end].replace("word: ['", f"word: ['kettledrum{i}', '") + source[end:]


def main() -> None:
    """Measure and record."""
    texts, labels = sample(*read("ag_news", "train"), N_TEXTS + 1000, 0)
    fresh, texts, labels = texts[N_TEXTS:], texts[:N_TEXTS], labels[:N_TEXTS]
    source = made_up_rules(texts, labels, N_RULES)
    clocks = {
        name: Clock()
        for name in (
            "read_rule_file", "compile_from_nothing", "with_rules", "with_rules_reweighted", "first_prediction", "next_prediction",
            "apply_to_folder", "undo_in_folder",
        )
    }  # fmt: skip
    ruleset = RuleSet.from_yaml(source)
    clocks["compile_from_nothing"].time(lambda: ruleset.match(fresh[:1]))
    clf = RuleNetClassifier(ruleset, None).fit(texts, labels)
    for i in range(REPETITIONS):
        new = clocks["read_rule_file"].time(partial(RuleSet.from_yaml, edited(source, i)))
        other = clocks["with_rules"].time(partial(clf.with_rules, new))
        clocks["first_prediction"].time(partial(other.predict, fresh[:1]))
        clocks["next_prediction"].time(partial(other.predict, fresh[:1]))
        new = RuleSet.from_yaml(source.replace("weight: 0.5}", f"weight: 0.{i + 10}}}", 1))
        clocks["with_rules_reweighted"].time(partial(clf.with_rules, new))
    with tempfile.TemporaryDirectory() as folder:
        model, rules = Path(folder) / "model", Path(folder) / "edited.yaml"
        clf.save(model)
        rules.write_text(edited(source, 1), encoding="utf-8")
        for _ in range(3):
            clocks["apply_to_folder"].time(partial(apply_rules, model, rules))
            clocks["undo_in_folder"].time(partial(undo, model))
    figures: dict[str, Any] = {"rules": N_RULES, "terms": clf.predictor_.hybrid.features.n_terms}
    figures |= {name: clock.figures() for name, clock in clocks.items()}
    claims = {
        f"with_rules under {MAX_EDIT_MS:.0f} ms at {N_RULES:,} rules": figures["with_rules"]["cpu_ms"] < MAX_EDIT_MS,
        f"first prediction after it under {MAX_FIRST_S} s": figures["first_prediction"]["cpu_ms"] < 1000 * MAX_FIRST_S,
    }
    finish("hotedit", figures, claims, seeds=[0])


if __name__ == "__main__":
    main()
