"""What `rulenet predict` asks a model, or rules alone, block by block. Imports the data layer; the model late."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rulenet.data.label_cells import SEPARATOR
from rulenet.errors import ParameterError

if TYPE_CHECKING:
    from rulenet.base.types import Array
    from rulenet.data.intake import Row
    from rulenet.predictor import Predictor
    from rulenet.rules.ruleset import RuleSet

BLOCK = 1000  # texts that are read ahead


@dataclass(frozen=True)
class Wanted:
    """What is asked for each text besides label, probability and path."""

    every_probability: bool = False
    reject: float | None = None
    coverage: float | None = None
    in_table: bool = True  # whether cells are text, as in csv, not JSON


@dataclass(frozen=True)
class Answer:
    """The answer to one text: the cells that are added to its row, and how far it is from another answer."""

    cells: dict[str, Any]
    lead: float


class Answerer(Protocol):
    """A model, or rules."""

    def columns(self) -> list[str]:
        """Names of the cells of an answer."""

    def answer(self, texts: Sequence[str]) -> list[Answer]:
        """The answers to some texts."""


def answers(source: Answerer, rows: Iterable[Row]) -> Iterator[list[tuple[Row, Answer]]]:
    """Answer the texts of some rows, a block at a time."""
    rows = iter(rows)
    while block := list(islice(rows, BLOCK)):
        yield list(zip(block, source.answer([row.text for row in block]), strict=True))


def most_uncertain(blocks: Iterable[list[tuple[Row, Answer]]], n: int) -> list[tuple[Row, Answer]]:
    """The `n` different texts whose first two labels are closest, the closest first: labels for them teach most."""
    pool: dict[str, tuple[Row, Answer]] = {}
    for block in blocks:
        for row, answer in block:
            pool.setdefault(row.text, (row, answer))
        pool = dict(sorted(pool.items(), key=lambda item: (item[1][1].lead, item[1][0].number))[:n])
    return list(pool.values())


class ModelAnswers:
    """Answers of a fitted model."""

    def __init__(self, predictor: Predictor, wanted: Wanted, folder: Path) -> None:
        self.predictor, self.wanted = predictor, wanted
        options = (("--reject", wanted.reject), ("--coverage", wanted.coverage))
        asked = [option for option, value in options if value is not None]
        if asked and predictor.policy.calibration is None:
            why = "the model has no held-out texts with labels"
            raise ParameterError(f"{asked[0]}: {why}; give it some with: rulenet calibrate {folder} --data FILE")
        n_texts = len(predictor.policy.calibration.y) if predictor.policy.calibration is not None else 0
        if wanted.reject is not None and wanted.reject * (n_texts + 1) < 1:
            least = f"with {n_texts:,} held-out texts no less than {1 / (n_texts + 1):.2g} can be promised"
            raise ParameterError(f"--reject {wanted.reject:g}: {least}; calibrate the model on more texts")
        if predictor.link.several and wanted.in_table:
            self._check_cells()

    def columns(self) -> list[str]:
        """See `Answerer`."""
        return _columns(self.wanted, self.predictor.names)

    def answer(self, texts: Sequence[str]) -> list[Answer]:
        """See `Answerer`."""
        import numpy as np

        parts, policy = self.predictor.parts(texts), self.predictor.policy
        proba, skipped = policy.probabilities(parts.logits, parts.skipped), parts.skipped
        given, sets = np.ones(len(texts), dtype=bool), None
        if self.wanted.reject is not None:
            given = policy.accepted(parts.logits, skipped, error=self.wanted.reject)
        if self.wanted.coverage is not None and policy.calibration is not None:
            sets = policy.calibration.label_sets(proba, skipped, coverage=self.wanted.coverage)
        paths = ["rules" if is_short else "hybrid" for is_short in skipped.tolist()]
        if not self.predictor.link.several:
            return _answers(self.predictor.names, proba, given, paths, sets, self.wanted)
        link, logits = self.predictor.link, parts.logits
        lead = link.lead(logits)
        return _set_answers(self.predictor.names, link.answer(logits), lead, proba, given, paths, sets, self.wanted)

    def _check_cells(self) -> None:
        """Refuse what a cell of a table cannot say of several labels."""
        if self.wanted.reject is not None:
            why = "an empty cell is an answer, no label, so a table cannot leave one out"
            raise ParameterError(f"--reject: {why}; write a .jsonl file, or add --json")
        if odd := [name for name in self.predictor.names if SEPARATOR in name]:
            raise ParameterError(
                f"the label {odd[0]!r} has a {SEPARATOR}, which separates labels in a table: write a .jsonl file, or add --json"
            )


class RuleAnswers:
    """Answers of the starting weights of a rule file: the label with the largest sum, none where no rule fires or two labels tie."""

    def __init__(self, ruleset: RuleSet, wanted: Wanted) -> None:
        if wanted.reject is not None or wanted.coverage is not None:
            option = "--reject" if wanted.reject is not None else "--coverage"
            raise ParameterError(f"{option} needs a model: rules alone do not know how often they are right")
        if not ruleset.labels:
            raise ParameterError(f"{ruleset.name}: the rules name no label, so there is nothing to predict")
        self.ruleset, self.wanted = ruleset, wanted
        self.language: Any = None  # of the first texts, unless the file names one

    def columns(self) -> list[str]:
        """See `Answerer`."""
        return _columns(self.wanted, self.ruleset.labels)

    def answer(self, texts: Sequence[str]) -> list[Answer]:
        """See `Answerer`."""
        import numpy as np
        from scipy.special import softmax

        from rulenet.text.language import declared_or_detected
        from rulenet.workbench.flips import starting_weights

        self.language = self.language or declared_or_detected(self.ruleset.language, texts)
        R = self.ruleset.match(texts, language=self.language)
        sums = R @ starting_weights(self.ruleset)  # (n_texts, n_labels)
        fired = R.getnnz(axis=1) > 0
        ties = np.sum(sums > sums.max(axis=1, keepdims=True) - 1e-9, axis=1) > 1
        paths = ["none" if not some else "tie" if tie else "rules" for some, tie in zip(fired, ties, strict=True)]
        return _answers(self.ruleset.labels, softmax(sums, axis=1), fired & ~ties, paths, None, self.wanted)


def _columns(wanted: Wanted, labels: Sequence[str]) -> list[str]:
    names = ["label", "probability", "path"]
    names += ["label_set"] if wanted.coverage is not None else []
    return names + ([f"probability_{label}" for label in labels] if wanted.every_probability else [])


def _answers(
    labels: Sequence[str], proba: Array, given: Array, paths: Sequence[str], sets: Array | None, wanted: Wanted
) -> list[Answer]:
    import numpy as np

    order = np.argsort(-proba, axis=1, kind="stable")
    found = []
    for i, ranks in enumerate(order.tolist()):
        row = proba[i]
        best = row[ranks[0]]
        cells: dict[str, Any] = {
            "label": labels[ranks[0]] if given[i] else None,
            "probability": round(float(best), 6),
            "path": paths[i],
        }
        if sets is not None:
            cells["label_set"] = [labels[k] for k in ranks if sets[i, k]]
        if wanted.every_probability:
            cells |= {f"probability_{label}": round(float(p), 6) for label, p in zip(labels, row, strict=True)}
        found.append(Answer(cells, float(best - row[ranks[1]]) if len(ranks) > 1 else 1.0))
    return found


def _set_answers(
    labels: Sequence[str], answers: Array, lead: Array, proba: Array, given: Array, paths: Sequence[str],
    sets: Array | None, wanted: Wanted,
) -> list[Answer]:  # fmt: skip
    """Answers of several labels: each with its probability, in the order of the model's labels; as lists, or with | between."""
    found = []
    for i, row in enumerate(proba.tolist()):
        places = [k for k, has in enumerate(answers[i].tolist()) if has]
        names, shares = [labels[k] for k in places], [round(row[k], 6) for k in places]
        cells: dict[str, Any] = {"label": names if given[i] else None, "probability": shares, "path": paths[i]}
        if wanted.in_table:
            cells |= {"label": SEPARATOR.join(names), "probability": SEPARATOR.join(map(str, shares))}
        if sets is not None:
            plausible = sorted((k for k in range(len(labels)) if sets[i, k]), key=lambda k: -row[k])
            cells["label_set"] = [labels[k] for k in plausible]
        if wanted.every_probability:
            cells |= {f"probability_{label}": round(p, 6) for label, p in zip(labels, row, strict=True)}
        found.append(Answer(cells, float(lead[i])))
    return found
