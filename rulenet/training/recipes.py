"""Recipes that have a name, and what their fields do, in the words of the docstrings that explain them.

Each is one row of `NAMED`; `benchmarks/bench_recipes.py` measures what it does to accuracy and macro-F1. Imports the recipe and its parts;
no torch.
"""

from __future__ import annotations

import contextlib
import inspect
import re
from dataclasses import dataclass
from typing import Any

from rulenet.base.wording import close_to
from rulenet.errors import ParameterError
from rulenet.training.augment import Mixup, Swap, Synonyms, TokenDropout
from rulenet.training.kinds import OBJECTIVES, TUNINGS
from rulenet.training.objectives import Consistency, Contrastive, Denoising, MaskedLM, PseudoLabels, SimCSE, Supervised
from rulenet.training.recipe import PARTS, Recipe
from rulenet.training.tuning import BiasOnly, Full, LoRA, SoftPrompt


@dataclass(frozen=True)
class NamedRecipe:
    """A recipe, its name, and when one would want it."""

    name: str
    why: str
    recipe: Recipe


@dataclass(frozen=True)
class Change:
    """A field of a recipe that is not as in the default one."""

    field: str
    default: Any
    value: Any
    does: str


def _of(name: str, why: str, **fields: Any) -> NamedRecipe:
    return NamedRecipe(name, why, Recipe.of(**fields))


AUTO = "auto"  # not the name of a recipe: `rulenet.training.experience` chooses one when the data are known
USUAL = (Supervised(), Contrastive())  # the default's objectives
NAMED = (
    _of("default", "what was best over all: the upper half of the encoder is trained, and φ too in the last epoch"),
    _of("quick", "seconds instead of minutes: the best head over the encoder as it comes, no epochs", epochs=0),
    _of(
        "contrastive",
        "few labels: the encoder draws texts of one label together; no epochs",
        epochs=0,
        contrast_steps=20,
    ),
    _of(
        "full",
        "all layers and embeddings are trained: for language unlike what the encoder has read, and GPUs",
        tune=Full(),
    ),
    _of("lora", "a low-rank change of all layers is trained, a hundredth of the weights (extra peft)", tune=LoRA()),
    _of("biases", "only the biases of all layers are trained, a thousandth of the weights", tune=BiasOnly()),
    _of("prompt", "only vectors before each text are trained, the encoder stays", tune=SoftPrompt()),
    _of(
        "alternating",
        "prompt, LoRA, prompt: each is kept only if held-out texts gain (extra peft)",
        stages="prompt,lora,prompt",
    ),
    _of(
        "masked-lm",
        "the encoder first guesses words left out of your texts",
        objectives=(MaskedLM(mask_epochs=2), *USUAL),
    ),
    _of("simcse", "the encoder first tells your texts from each other", objectives=(SimCSE(simcse_epochs=1), *USUAL)),
    _of("denoising", "the encoder first writes your texts again", objectives=(Denoising(denoise_epochs=1), *USUAL)),
    _of(
        "mixture", "labels and words left out are learned beside each other", objectives=(*USUAL, MaskedLM()), alpha=0.7
    ),
    _of("pseudo-labels", "φ and ψ label your texts without labels for each other", objectives=(*USUAL, PseudoLabels())),
    _of(
        "consistency",
        "texts without labels keep their answer when words are left out",
        objectives=(*USUAL, Consistency()),
    ),
    _of(
        "word-dropout",
        "words are left out at random, but none on which a rule fires",
        augment=[TokenDropout()],
        keep_rule_spans=True,
    ),
    _of(
        "swap",
        "neighbouring words change places at random, but none on which a rule fires",
        augment=[Swap()],
        keep_rule_spans=True,
    ),
    _of(
        "synonyms",
        "words become words like them, but none on which a rule fires",
        augment=[Synonyms()],
        keep_rule_spans=True,
    ),
    _of("mixup", "texts of a batch are mixed after the encoder, so that ψ is less sure", augment=[Mixup()]),
    _of(
        "averaged",
        "the weights of the last third of the steps are averaged, and kept if held-out texts gain",
        average=0.3,
    ),
    _of("exits", "for a cascade: φ leads by more where it is right, so that ψ is skipped more often", exit_margin=4.0),
    _of("long-texts", "ψ reads up to four windows of a text instead of its two ends", long_texts="chunks"),
    _of(
        "portable",
        "float32 also where the hardware has bfloat16: the same answers on every machine",
        precision="float32",
    ),
)


def named(name: str) -> Recipe:
    """The recipe of this name.

    Examples
    --------
    >>> named("quick")
    Recipe.of(epochs=0)
    """
    known = {given.name: given.recipe for given in NAMED}
    if name == AUTO:
        raise ParameterError(
            "recipe='auto' is chosen when fit sees the data, so it has no fields before: name a recipe to change it"
        )
    if name not in known:
        raise ParameterError(f"no recipe is called {name!r}{close_to(name, known)}; there are {', '.join(known)}")
    return known[name]


def chosen(recipe: Recipe | str | None) -> Recipe:
    """The recipe that an estimator's parameter means."""
    return named(recipe) if isinstance(recipe, str) else recipe or Recipe()


def fields_by_path(recipe: object) -> dict[str, Any]:
    """``recipe__C`` and all others, for grid searches; none for what is no recipe, which `fit` refuses."""
    with contextlib.suppress(ParameterError):
        if isinstance(recipe, Recipe | str | None):
            return {f"recipe__{name}": value for name, value in chosen(recipe).leaves().items()}
    return {}


def changes(recipe: Recipe, *, every: bool = False) -> list[Change]:
    """What a recipe has that the default one has not, or every field, and what it does."""
    default, does = Recipe().leaves(), explanations()
    fields = recipe.leaves() if every else recipe.changes()
    return [
        Change(name, default.get(name), value, _first_lines(value) or does.get(name, ""))
        for name, value in fields.items()
    ]


def explanations() -> dict[str, str]:
    """What each field does, from the section "Attributes" of the docstrings; empty where Python left these out (-OO).

    Examples
    --------
    >>> explanations()["tfidf"]
    'Whether φ has TF-IDF columns, and part-of-speech columns (slower; English needs the extra pos).'
    """
    found: dict[str, str] = {}
    for kind in (*reversed(OBJECTIVES), *TUNINGS, *PARTS.values(), Recipe):
        _, _, section = inspect.cleandoc(kind.__doc__ or "").partition("\nAttributes\n----------\n")
        for names, text in re.findall(r"^(\w[\w, ]*)\n((?:    .*\n?)+)", section.partition("\n\n")[0], re.MULTILINE):
            plain = " ".join(text.replace("`", "").split())
            found |= dict.fromkeys(names.split(", "), plain)
    return found


def _first_lines(value: Any) -> str:
    """What parts do, such as a tuning or some augmentations, if the value is made of such."""
    parts = value if isinstance(value, tuple) else (value,)
    if not parts or not all(hasattr(part, "__dataclass_fields__") for part in parts):
        return ""
    return " ".join(inspect.cleandoc(type(part).__doc__ or "").partition("\n")[0] for part in parts)
