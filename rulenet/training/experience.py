"""What earlier measurements say of data like these: what `recipe="auto"` takes, and what a search tries first.

`experience.json` has what each recipe gained over the default, with its standard error; `benchmarks/make_experience.py` makes it from the
results of the benchmarks. What is to be expected of a recipe is a posterior mean: the prior is 0 ± 1 point, as few recipes change more,
and a measurement counts the less the less its data are like these. Imports recipe and rules; numpy.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from rulenet.base.types import Array
from rulenet.rules.ruleset import RuleSet
from rulenet.text.language import Language
from rulenet.training.recipe import FEW_DRAWN, FEW_TEXTS, Recipe
from rulenet.training.recipes import named
from rulenet.training.settings import settings

TABLE = Path(__file__).with_name("experience.json")
PRIOR = 1.0  # points: standard deviation of what a recipe gains on some data
# Points by which gains differ from seed to seed, for few of the measurements have several: with hundreds of labels at most this (in
# bench_joint.py 0.7). One seed alone persuades only where its gain is large.
BETWEEN_SEEDS = 1.0
LOOKED_AT = 2000  # texts on which rules are tried


@dataclass(frozen=True)
class Sketch:
    """The few numbers by which data are compared.

    Attributes
    ----------
    rows, labels
        Number of labelled texts, and of labels.
    length
        Median number of characters.
    coverage
        Share of the texts on which a rule fires; 0 without rules.
    language, encoder
        Of the model; no encoder is an empty name.
    unlabeled
        Whether there are texts without a label.
    several
        Whether a text may have several labels.
    """

    rows: int
    labels: int
    length: float
    coverage: float = 0.0
    language: str = "en"
    encoder: str = ""
    unlabeled: bool = False
    several: bool = False

    @property
    def band(self) -> int:
        """With fewer than 80 texts to train on, fewer than 400, or more; the default does something else in each case."""
        trained = (1 - Recipe().held_out) * self.rows
        return int(trained >= FEW_TEXTS) + int(trained >= FEW_DRAWN)

    def likeness(self, other: Sketch) -> float:
        """From 0 to 1: what a measurement on the other data counts here.

        Examples
        --------
        >>> trec = Sketch(500, 6, 50.0, encoder="minilm")
        >>> trec.likeness(trec), round(trec.likeness(Sketch(2000, 4, 240.0, encoder="minilm")), 2)
        (1.0, 0.09)
        """
        same = ("band", "encoder", "unlabeled", "several")
        if any(getattr(self, name) != getattr(other, name) for name in same):
            return 0.0
        ratios = [(self.rows, other.rows), (self.labels, other.labels), (self.length, other.length)]
        far = sum(abs(math.log(max(a, 1) / max(b, 1), 4)) for a, b in ratios)  # four times as many: 1
        far += 2 * abs(self.coverage - other.coverage) + (self.language != other.language)
        return math.exp(-far)


@dataclass(frozen=True)
class Measured:
    """What a recipe, or a change of some fields, gained over the default on some data, in points of accuracy."""

    sketch: Sketch
    name: str  # of the data
    method: str
    gain: float
    standard_error: float
    seeds: int
    times: float  # as long as the default
    source: str  # the benchmark


@dataclass(frozen=True)
class Expected:
    """What a recipe is expected to gain on other data, in points of accuracy, and how sure that is.

    Attributes
    ----------
    method
        A name of `rulenet recipes`, or fields as ``rulenet train --set`` takes them, with ``;`` between several.
    gain, doubt
        Mean and standard deviation.
    likeness
        What the measurement on the data most like these counts, and the name of that data.
    """

    method: str
    gain: float = 0.0
    doubt: float = PRIOR
    likeness: float = 0.0
    name: str = ""

    @property
    def low(self) -> float:
        """The gain, less its doubt."""
        return self.gain - self.doubt

    @property
    def high(self) -> float:
        """The gain, if it is as large as it may be."""
        return self.gain + self.doubt


def recipe_of(method: str) -> Recipe:
    """A recipe by its name, or by its fields.

    Examples
    --------
    >>> recipe_of("quick"), recipe_of("C=3;nb=false")
    (Recipe.of(epochs=0), Recipe.of(C=3.0, nb=False))
    """
    return Recipe.of(**settings(method.split(";"))) if "=" in method else named(method)


def sketch_of(
    texts: Sequence[str], Y: Array, ruleset: RuleSet | None, language: Language, encoder: str | None, *, several: bool
) -> Sketch:
    """What texts and their targets, (n_texts, n_classes), are like; a text without a label has zeros."""
    is_given, some = Y.any(axis=1), texts[:: max(1, len(texts) // LOOKED_AT)]
    covered = 0.0 if ruleset is None else float((np.diff(ruleset.match(some, language=language).indptr) > 0).mean())
    length = float(np.median([len(text) for text in some]))
    unlabeled = not is_given.all()
    return Sketch(int(is_given.sum()), Y.shape[1], length, covered, language, encoder or "", unlabeled, several)


@lru_cache
def table() -> tuple[Measured, ...]:
    """All that was measured."""
    rows = json.loads(TABLE.read_text(encoding="utf-8"))
    return tuple(Measured(**{**row, "sketch": Sketch(**row["sketch"])}) for row in rows)


def expected(sketch: Sketch, method: str, known: Sequence[Measured] | None = None) -> Expected:
    """What a recipe is expected to gain on data like these."""
    precision, total, best, name = 1 / PRIOR**2, 0.0, 0.0, ""
    for one in table() if known is None else known:
        if one.method != method or not (likeness := sketch.likeness(one.sketch)):
            continue
        weight = likeness / (one.standard_error**2 + BETWEEN_SEEDS**2 / one.seeds)
        precision, total = precision + weight, total + weight * one.gain
        best, name = max((best, name), (likeness, one.name))
    return Expected(method, total / precision, precision**-0.5, best, name)


def promising(sketch: Sketch, known: Sequence[Measured] | None = None) -> list[Expected]:
    """What was measured on data like these, the surest gain first.

    Examples
    --------
    >>> trec = Sketch(500, 6, 50.0, encoder="minilm")
    >>> known = [Measured(trec, "TREC", "full", 2.0, 0.5, 3, 1.6, "recipes"), Measured(trec, "TREC", "quick", -6.8, 0.9, 3, 0.2, "recipes")]
    >>> [(one.method, round(one.gain, 1)) for one in promising(trec, known)]
    [('full', 1.3), ('quick', -3.2)]
    """
    methods = dict.fromkeys(one.method for one in (table() if known is None else known))
    found = [expected(sketch, method, known) for method in methods]
    return sorted((one for one in found if one.likeness), key=lambda one: -one.low)


def chosen_for(sketch: Sketch, known: Sequence[Measured] | None = None) -> Expected:
    """The recipe that data like these are trained with: the default, unless another one gains more than its doubt.

    Examples
    --------
    >>> chosen_for(Sketch(10_000, 5, 100.0, encoder="minilm"), known=[]).method
    'default'
    """
    best = next(iter(promising(sketch, known)), None)
    return best if best is not None and best.low > 0 else Expected("default", likeness=best.likeness if best else 0.0)


def times(method: str) -> float:
    """How long a recipe takes, as a multiple of the default: the median of what was measured, else 1."""
    found = [one.times for one in table() if one.method == method]
    return float(np.median(found)) if found else 1.0


def told(choice: Expected) -> dict[str, Any]:
    """For the report of a model."""
    names = {"method": "recipe", "name": "nearest"}
    return {names.get(field.name, field.name): getattr(choice, field.name) for field in fields(choice)}


def sentence(auto: Mapping[str, Any]) -> str:
    """What a report says of the recipe that was chosen.

    Examples
    --------
    >>> sentence(told(Expected("full", 0.8, 0.7, 0.97, "TREC questions, 500 texts")))
    'recipe: full, expected to gain 0.8 ± 0.7 points by what was measured on TREC questions, 500 texts'
    >>> sentence(told(Expected("default")))
    'recipe: default, as nothing was measured on data like these'
    """
    if auto["recipe"] != "default":
        gain = f"{auto['gain']:.1f} ± {auto['doubt']:.1f} points"
        return f"recipe: {auto['recipe']}, expected to gain {gain} by what was measured on {auto['nearest']}"
    why = "nothing was measured on data" if not auto["likeness"] else "no other one surely gained on data"
    return f"recipe: default, as {why} like these"
