"""What a search may change of a recipe: one table, `SPACE`, of fields and the values that are tried. Imports recipes and experience.

A setting is a value for each dial that has a meaning beside the others; None leaves the recipe as it is. With a dozen trials there is
nothing to fit a model of the whole space to, so what is tried next is one change of the best setting so far, or two when all single ones
have been tried: those first of which, by earlier measurements on data like these, most may be hoped.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

from rulenet.errors import ParameterError
from rulenet.training.experience import Sketch, expected, times
from rulenet.training.recipe import Recipe
from rulenet.training.recipes import named
from rulenet.training.settings import settings

SCRATCH = "scratch"  # an encoder that knows nothing before
RECIPE = "recipe"  # the dial whose values are names of `rulenet recipes`; all others are fields
Setting = dict[str, str | None]


class Dial(NamedTuple):
    """Values of a field, as ``rulenet train --set`` takes them.

    Attributes
    ----------
    needs
        What there must be: an ``encoder``, a ``pretrained`` one, ``rules``, texts that are ``unlabeled``, only ``one`` label per text.
    beside
        The recipes beside which the field has a meaning; empty: all.
    times
        How long the values take, as multiples of the default, where no benchmark has measured it.
    """

    name: str
    values: tuple[str, ...]
    needs: str = ""
    beside: tuple[str | None, ...] = ()
    times: tuple[float, ...] = ()


ADAPTED = ("lora", "biases")  # with a learning rate of their own
WITH_EPOCHS = (
    None,
    "full",
    *ADAPTED,
    "averaged",
    "mixup",
    "word-dropout",
    "masked-lm",
    "simcse",
    "pseudo-labels",
    "consistency",
    "mixture",
)
MIXED = ("pseudo-labels", "consistency", "mixture")  # whose two sides alpha weighs
SPACE = (
    Dial(RECIPE, ("contrastive",), "pretrained one"),
    Dial(RECIPE, ("full",), "encoder"),
    Dial(RECIPE, ("pseudo-labels", "consistency"), "encoder unlabeled one"),
    Dial(RECIPE, ("masked-lm", "simcse", "mixture"), "encoder unlabeled"),
    Dial(RECIPE, ("quick", "lora", "biases"), "pretrained"),
    Dial(RECIPE, ("word-dropout", "averaged"), "encoder"),
    Dial(RECIPE, ("mixup",), "encoder one"),
    Dial("contrast_steps", ("40", "10", "80"), "pretrained one", (None, "contrastive"), (1.5, 1.0, 2.5)),
    Dial("epochs", ("8", "3", "16"), "encoder", WITH_EPOCHS, (1.5, 1.0, 3.0)),
    Dial("learning_rate", ("1e-4", "2e-5", "2e-4"), "pretrained", tuple(name for name in WITH_EPOCHS if name not in ADAPTED)),
    Dial("alpha", ("0.5", "0.9", "0.3"), "encoder unlabeled", MIXED),
    Dial("optimizer", ("adafactor", "lion"), "encoder", WITH_EPOCHS),
    Dial("schedule", ("cosine", "constant", "one_cycle"), "encoder", WITH_EPOCHS),
    Dial("bound", ("3.0", "6.0", "1.5", "none"), "encoder"),
    Dial("rounds", ("1", "6"), "rules unlabeled"),
    Dial("trusted", ("0.6", "1.0"), "rules unlabeled"),
    Dial("rule_sigma", ("0.5", "2.0"), "rules"),
    Dial("C", ("3.0", "10.0", "30.0", "1.0")),
    Dial("nb", ("false", "true")),
    Dial("word_vectors", ("none",)),
    Dial("ngram_range", ("(1, 1)", "(1, 3)")),
    Dial("min_df", ("1", "2", "3")),
    Dial("label_smoothing", ("0.05", "0.1"), "encoder one", WITH_EPOCHS),
)  # fmt: skip


@dataclass(frozen=True)
class Space:
    """The part of `SPACE` that fits some data, around a recipe."""

    base: Recipe
    sketch: Sketch

    @property
    def dials(self) -> dict[str, tuple[str | None, ...]]:
        """The values of each dial, None first."""
        has = {"one"} - ({"one"} if self.sketch.several else set())
        has |= {"encoder"} if self.sketch.encoder else set()
        has |= {"pretrained"} if self.sketch.encoder not in ("", SCRATCH) else set()
        has |= {"unlabeled"} if self.sketch.unlabeled else set()
        has |= {"rules"} if self.sketch.coverage else set()
        found: dict[str, tuple[str | None, ...]] = {}
        for dial in SPACE:
            if has.issuperset(dial.needs.split()):
                found[dial.name] = found.get(dial.name, (None,)) + dial.values
        return found

    def active(self, recipe: str | None) -> list[str]:
        """The dials that have a meaning beside a recipe."""
        odd = {dial.name for dial in SPACE if dial.beside and recipe not in dial.beside}
        return [name for name in self.dials if name not in odd]

    def normal(self, setting: Mapping[str, str | None]) -> Setting:
        """A setting with all of its dials and no others."""
        return {name: setting.get(name) for name in self.active(setting.get(RECIPE))}

    def fields(self, setting: Mapping[str, str | None]) -> dict[str, Any]:
        """What a setting changes of the recipe, as `Recipe.with_changes` takes it."""
        found: dict[str, Any] = {}
        for method in methods(setting):
            found |= settings([method]) if "=" in method else named(method).changes()
        return found

    def recipe(self, setting: Mapping[str, str | None]) -> Recipe:
        """The recipe with a setting; a ParameterError if its parts do not go together."""
        return self.base.with_changes(**self.fields(setting))

    def hope(self, setting: Mapping[str, str | None]) -> float:
        """What may be hoped of a setting, in points over the default."""
        return sum(expected(self.sketch, method).high for method in methods(setting))

    def next(self, best: Mapping[str, str | None], tried: Iterable[Mapping[str, str | None]]) -> Setting | None:
        """The setting to try next; None if all that are near the best one were tried."""
        done = [found for setting in tried if (found := self._recipe(setting)) is not None]
        for n_changes in (1, 2):
            near = [
                one
                for one in self._near(best, n_changes)
                if (found := self._recipe(one)) is not None and found not in done
            ]
            if near:
                return max(near, key=lambda one: (self.hope(one), -self._place(one)))
        return None

    def _recipe(self, setting: Mapping[str, str | None]) -> Recipe | None:
        """The recipe, if its parts go together."""
        try:
            return self.recipe(setting)
        except ParameterError:
            return None

    def _place(self, setting: Mapping[str, str | None]) -> int:
        """How far behind the values of a setting stand in their rows of the table."""
        return sum(self.dials[name].index(value) for name, value in setting.items())

    def _near(self, setting: Mapping[str, str | None], n_changes: int) -> Iterator[Setting]:
        """Settings that differ in so many dials, in the order of the table."""
        for names in itertools.combinations(self.active(setting.get(RECIPE)), n_changes):
            for values in itertools.product(*(self.dials[name] for name in names)):
                if all(value != setting.get(name) for name, value in zip(names, values, strict=True)):
                    yield self.normal({**setting, **dict(zip(names, values, strict=True))})


def methods(setting: Mapping[str, str | None]) -> list[str]:
    """What a setting changes: a name of `rulenet recipes`, and fields.

    Examples
    --------
    >>> methods({"recipe": "full", "C": None, "epochs": "3"})
    ['full', 'epochs=3']
    """
    found = {name: value for name, value in setting.items() if value is not None}
    return [value if name == RECIPE else f"{name}={value}" for name, value in found.items()]


def setting_is_plain(setting: Mapping[str, str | None]) -> bool:
    """Whether a setting changes nothing."""
    return not methods(setting)


def cost(setting: Mapping[str, str | None]) -> float:
    """How long a setting takes, as a multiple of the recipe as it is; a guess.

    Examples
    --------
    >>> cost({}), cost({"epochs": "16"})
    (1.0, 3.0)
    """
    listed = {(dial.name, value): slow for dial in SPACE for value, slow in zip(dial.values, dial.times, strict=False)}
    pairs = [(name, value) for name, value in setting.items() if value is not None]
    slow = (listed.get((name, value)) or times(value if name == RECIPE else f"{name}={value}") for name, value in pairs)
    return prod(slow, start=1.0)
