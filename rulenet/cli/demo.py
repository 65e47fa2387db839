"""`rulenet demo`."""

from __future__ import annotations

import csv
import io
import warnings
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from rich.rule import Rule
from typer import Option

from rulenet.base.wording import counted
from rulenet.cli.console import AsJson, check_file, new_table, out, print_json, say, write_page

if TYPE_CHECKING:
    from rich.table import Table

    from rulenet.estimator import RuleNetClassifier
    from rulenet.explain.result import Explanation
    from rulenet.rules.ruleset import RuleSet

# A rule that a support lead might add during an outage, and a message that it is about.
EDIT = """
  - id: technical.new_outage
    label: technical
    phrase: blue triangle
    weight: 4
    note: this morning's outage; customers describe the new warning sign
"""
ASKED = "since the update there is a blue triangle where my invoice should be"


@dataclass(frozen=True)
class Corpus:
    """The demo data of one language: texts and labels for training and for testing, and rules."""

    train: tuple[list[str], list[str]]
    test: tuple[list[str], list[str]]
    rules: RuleSet


def demo(
    report: Annotated[Path, Option("--report", help="File for the HTML report.")] = Path("report.html"),
    as_json: AsJson = False,
) -> None:
    """Train on 900 embedded support messages, explain predictions, and add a rule without retraining (two minutes on two cores).

    Example: `rulenet demo`
    """
    from rulenet.model.encoders.load import check_encoder
    from rulenet.rules.ruleset import RuleSet

    check_file(report)
    english, chinese = read_corpus("en"), read_corpus("zh")
    encoders = (english, "minilm", "English, MiniLM"), (chinese, "e5", "Chinese, e5")
    for _, encoder, _ in encoders:
        check_encoder(encoder)
    columns = ("data", "train", "test", "rules only", "transformer only", "hybrid")
    table = new_table(*columns, title="Accuracy on test messages")
    results: list[dict[str, Any]] = []
    models = []
    for corpus, encoder, name in encoders:
        model, scores = compare(corpus, encoder, verbose=0 if as_json else 1)
        models.append(model)
        sizes = {"train": len(corpus.train[0]), "test": len(corpus.test[0])}
        results.append({"data": name, **sizes, **scores})
        table.add_row(name, *map(str, sizes.values()), *(f"{score:.1%}" for score in scores.values()))

    clf = models[0]
    telling = pick(clf.explain(english.test[0]), english.test[1])
    before = clf.explain([ASKED])[0]
    edited = RuleSet.from_yaml(english.rules.source.rstrip("\n") + "\n" + EDIT, name="edited rules")
    after = clf.with_rules(edited).explain([ASKED])[0]
    chinese_example = pick(models[1].explain(chinese.test[0]), chinese.test[1])[0]
    write_report(report, results, telling, chinese_example, before, after)
    if as_json:
        edit = {"text": ASKED, "before": before.label, "after": after.label}
        shown = [explanation.to_dict() for explanation in telling]
        print_json({"results": results, "edit": edit, "explanations": shown, "report": str(report)})
    else:
        show(table, telling, before, after, report)


def read_corpus(language: str) -> Corpus:
    """Read the embedded messages and rules of one language."""
    from rulenet.rules.ruleset import RuleSet

    folder = files("rulenet") / "demo"
    table = (folder / f"support_{language}.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(table, newline="")))
    train, test = (
        ([row["text"] for row in rows if row["split"] == name], [row["label"] for row in rows if row["split"] == name])
        for name in ("train", "test")
    )
    text = (folder / f"support_{language}.yaml").read_text(encoding="utf-8")
    return Corpus(train, test, RuleSet.from_yaml(text, name=f"support_{language}.yaml"))


def compare(corpus: Corpus, encoder: str, *, verbose: int) -> tuple[RuleNetClassifier, dict[str, float]]:
    """Fit rules only, transformer only and hybrid to the same messages; return the hybrid, and the test accuracy of each."""
    from rulenet.base.progress import Progress
    from rulenet.estimator import RuleNetClassifier
    from rulenet.training.recipe import Recipe

    # A quarter of e5's layers and few, longer steps, and no word vectors, which take half a minute to make: in three folds of the
    # training messages as good as all that takes longer.
    quick: dict[str, Any] = {"frozen_layers": 9, "epochs": 5, "learning_rate": 2e-4, "word_vectors": None}
    short = quick if encoder == "e5" else {}
    rules_only = RuleNetClassifier(corpus.rules, encoder=None, recipe=Recipe.of(tfidf=False))
    plain = RuleNetClassifier(None, encoder, recipe=Recipe.of(tfidf=False, bound=None, **short), verbose=verbose)
    hybrid = RuleNetClassifier(corpus.rules, encoder, recipe=Recipe.of(**short), verbose=verbose)
    named = {"rules_only": rules_only, "transformer_only": plain, "hybrid": hybrid}
    scores = {}
    for name, clf in named.items():
        with_encoder = f" ({encoder})" if clf.encoder else ""
        Progress(verbose).say(f"{counted(len(corpus.train[0]), 'message')}, {name.replace('_', ' ')}{with_encoder}")
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "training was interrupted")
            if clf.fit(*corpus.train).report_["interrupted"]:
                raise KeyboardInterrupt
        scores[name] = float(clf.score(*corpus.test))
    return hybrid, scores


def pick(explanations: list[Explanation], labels: list[str]) -> list[Explanation]:
    """Pick two interesting correct predictions: one decided mainly by rules, one where the transformer overruled φ."""
    right = [e for e, label in zip(explanations, labels, strict=True) if e.label == label] or explanations

    def by_rules(e: Explanation) -> float:
        return sum(t.contributions[e.label] - t.contributions[e.runner_up] for t in e.terms if t.kind == "rule")

    def overruled(e: Explanation) -> float:
        return e.neural[e.label] - e.neural[e.runner_up] - e.margin

    with_rules = [e for e in right if 40 <= len(e.text) <= 160 or e.text.isascii() is False]
    first = max(with_rules or right, key=by_rules)
    second = max((e for e in right if e is not first), key=overruled, default=first)
    return [first, second]


def show(table: Table, telling: list[Explanation], before: Explanation, after: Explanation, report: Path) -> None:
    """Print the results, the explanations and the edit."""
    from rulenet.draw.terminal import to_rich

    out.print(table)
    for title, explanation in zip(("decided by rules", "decided by the transformer"), telling, strict=True):
        out.print(Rule(f"A prediction {title}"))
        out.print(to_rich(explanation.blocks()))
    out.print(Rule("One rule added, nothing retrained"))
    out.print(EDIT.strip("\n"), style="dim")
    say(f"“{ASKED}”")
    first, then = ((str(e.label), f" {e.proba[e.label]:.2f}") for e in (before, after))
    say("before: ", (first[0], "bold"), f"{first[1]}   after: ", (then[0], "bold"), then[1])
    say()
    say(f"HTML report: {report}")


def write_report(
    path: Path, results: list[dict[str, Any]], telling: list[Explanation], chinese: Explanation,
    before: Explanation, after: Explanation,
) -> None:  # fmt: skip
    """Write report.html."""
    from rulenet.base.drawing import Block, Card, Code, Heading, Percent, Prose, Sheet
    from rulenet.draw.html import page
    from rulenet.explain.result import LEGEND

    header = ("data", "training messages", "test messages", "rules only", "transformer only", "hybrid")
    rows = [[Percent(value) if isinstance(value, float) else value for value in row.values()] for row in results]
    blocks: list[Block] = [
        Prose("Each column was fitted to the same training messages and judged on the same test messages."),
        Sheet("", header, rows),
        Heading("Predictions explained"),
        LEGEND,
        *(Card(explanation.blocks()) for explanation in telling),
        Card(chinese.blocks(), language="zh"),
        Heading("One rule added, nothing retrained"),
        Code(EDIT.strip("\n")),
        *(Prose("Before:"), Card(before.blocks())),
        *(Prose("After:"), Card(after.blocks())),
    ]
    write_page(path, page("rulenet demo", blocks))
