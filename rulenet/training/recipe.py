"""Recipe: every choice about how a model is trained, in one immutable value that goes from estimator to loop.

It is composed of small parts; names of fields are unique over all of them, so that ``Recipe.of(epochs=2, C=10.0)`` needs no part names.
Imports parts, objectives and tunings; no torch.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainValidator, model_validator

from rulenet.base.wording import close_to
from rulenet.errors import ParameterError
from rulenet.model.encoders.encoder import Traits
from rulenet.training.augment.augmentation import Augmentation
from rulenet.training.kinds import AUGMENTATIONS, OBJECTIVES, TUNINGS, made_of, restored, stored
from rulenet.training.objectives.contrast import Contrastive
from rulenet.training.objectives.objective import Need, Objective
from rulenet.training.objectives.pseudo_labels import PseudoLabels
from rulenet.training.objectives.supervised import Supervised
from rulenet.training.parts import (
    Columns,
    Guesses,
    Head,
    Number,
    Phi,
    Reading,
    Steps,
    as_tuple,
    changed,
    fields_of,
    mixture,
    part,
)
from rulenet.training.prompt import Prompt
from rulenet.training.tuning.frozen import Frozen
from rulenet.training.tuning.soft_prompt import SoftPrompt
from rulenet.training.tuning.tuning import Tuning

PARTS = {"columns": Columns, "phi": Phi, "reading": Reading, "head": Head, "guesses": Guesses, "steps": Steps}


def _stages(value: Any) -> Any:
    """Tunings, some of them by name; one text may have several names."""
    values = value.split(",") if isinstance(value, str) else value
    if not isinstance(values, (list, tuple)):
        return value
    known, names = {kind.stage: kind for kind in TUNINGS}, [one.strip() for one in values if isinstance(one, str)]
    if odd := [name for name in names if name not in known]:
        raise ValueError(f"should be names of {', '.join(map(repr, known))}, and {odd[0]!r} is none")
    return tuple(known[one.strip()]() if isinstance(one, str) else one for one in values)


# Default learning rates, as multiples of those of AdamW: Lion's steps are all as long as the rate, Adafactor's are in multiples of the
# size of a weight, and SGD's of the gradient.
RATES = {"adamw": 1.0, "lion": 0.2, "adafactor": 20.0, "sgd": 1000.0}
MANY_TEXTS = 1000  # fewer say too little about single terms, and make too few steps
FEW_TEXTS = 80  # fewer, of which a dozen are held out, cannot choose an epoch: see `rulenet.training.convex`
# With contrastive steps, and where rules teach, epochs pay later. Steps instead of epochs, MiniLM, other training rows, one or two samples,
# no rules: TREC 120 labels 75.3 → 85.8, 300: 84.1 → 88.0; YouTube comments 100: 94.3 → 96.1; AG News 200: 84.6 → 85.1. Where rules teach:
# TREC 120 labels 78.0 → 83.5, 300: 83.0 → 85.4; AG News with nine rules 200: 87.0 → 87.9; YouTube comments 100: 96.1 → 95.3.
FEW_DRAWN = 400


@part
class Recipe:
    """How a model is trained. Everything from `reading` on, except `guesses` and `held_out`, has no effect if the encoder is None.

    Attributes
    ----------
    columns, phi, reading, head, guesses, steps
        See `rulenet.training.parts`, where each field is explained.
    tune
        Which weights of the encoder are trained, and how: see `rulenet.training.tuning`.
    stages
        Tunings one after another instead of `tune`, as names or with their fields: ``("prompt", "lora", "prompt")`` is
        ``(SoftPrompt(), LoRA(), SoftPrompt())``. See `rulenet.training.alternation`.
    objectives
        The weighted sum of their losses is minimised. See `rulenet.training.objectives`.
    augment
        What is changed of texts while ψ is trained on them, anew in each epoch. See `rulenet.training.augment`.
    keep_rule_spans
        Whether augmentations leave words alone on which a rule fires.
    prompt
        What labels texts without a label where there are no rules: label words that an encoder with a masked-LM head is asked for (see
        `rulenet.training.prompt`), or ``"descriptions"``, those of the estimator, compared with the texts by h(x).
    alpha
        α in L = α Σ labelled + (1 − α) Σ unsupervised, where objectives of both sides train beside each other; a pair (from, to) goes from
        the one to the other over the steps. None: the plain sum.
    held_out
        Share of the labelled texts kept from ψ to choose the best epoch and the two scalars; with fewer than 40 texts, nothing is held out.

    Examples
    --------
    >>> recipe = Recipe.of(epochs=2, C=10.0).with_changes(bound=3.0)
    >>> recipe, recipe.head.bound
    (Recipe.of(C=10.0, bound=3.0, epochs=2), 3.0)
    """

    columns: Columns = Columns()
    phi: Phi = Phi()
    reading: Reading = Reading()
    head: Head = Head()
    tune: Tuning = Frozen()
    stages: Annotated[tuple[Tuning, ...], BeforeValidator(_stages)] = ()
    objectives: Annotated[tuple[Objective, ...], Field(min_length=1), BeforeValidator(as_tuple)] = (
        Supervised(),
        Contrastive(),
    )
    prompt: Prompt | Literal["descriptions"] | None = None
    alpha: Annotated[float | tuple[float, float] | None, PlainValidator(mixture)] = None
    augment: Annotated[tuple[Augmentation, ...], BeforeValidator(as_tuple)] = ()
    keep_rule_spans: bool = False
    guesses: Guesses = Guesses()
    steps: Steps = Steps()
    held_out: Annotated[Number, Field(gt=0, lt=1)] = 0.15

    @model_validator(mode="after")
    def _a_text_fits(self) -> Recipe:
        tokens, length = self.steps.batch_tokens, self.reading.max_length
        if tokens < length:
            raise ValueError(f"batch_tokens={tokens} should be at least max_length={length}, the size of one text")
        return self

    @model_validator(mode="after")
    def _stages_stand_alone(self) -> Recipe:
        lengths = {tuning.prompt_tokens for tuning in self.tunings if isinstance(tuning, SoftPrompt)}
        if self.stages and self.tune != Frozen():
            raise ValueError(f"stages={self.stages!r} say how the encoder is tuned, so leave out tune={self.tune!r}")
        if self.steps.epochs == 0 and self.wants_epochs:
            raise ValueError(f"epochs=0 leaves {self.wants_epochs} nothing to learn; give at least 1")
        if len(lengths) > 1:
            raise ValueError(
                f"prompt_tokens={sorted(lengths)} differ, but a text has one prompt; give all stages the same"
            )
        return self

    @model_validator(mode="after")
    def _mixture_has_two_sides(self) -> Recipe:
        if self.steps.epochs == 0 and (idle := [one for one in self.beside if one.needs_epochs]):
            raise ValueError(
                f"epochs=0 leaves {type(idle[0]).__name__} beside supervision nothing to do; give at least 1"
            )
        if self.alpha is not None and len({objective.is_supervised for objective in self.beside}) < 2:
            lacking = "learns from labels" if self.mixes else "learns beside it from texts without labels"
            raise ValueError(
                f"alpha={self.alpha!r} weighs two sides, but no objective {lacking}; add one or leave it out"
            )
        return self

    @property
    def tunings(self) -> tuple[Tuning, ...]:
        """All ways in which the encoder is tuned."""
        return self.stages or (self.tune,)

    @property
    def wants_epochs(self) -> str:
        """What would stay as it began without epochs; empty if nothing would."""
        has_prompt = any(isinstance(tuning, SoftPrompt) for tuning in self.tunings)
        return "stages" if self.stages else "a soft prompt" if has_prompt else ""

    def fewest(self, *, draws: bool) -> int:
        """Number of labelled texts from which on there are epochs, unless the recipe gives their number.

        `draws`: there may be contrastive steps instead, or rules teach; but who says how epochs are made wants them.
        """
        said = changed(self.steps).keys() - {"batch_texts", "batch_tokens", "accumulate", "precision", "compile"}
        wants = said or self.stages or self.augment or self.mixes or self.tune != Frozen()
        return FEW_DRAWN if draws and not wants else FEW_TEXTS

    @property
    def beside(self) -> tuple[Objective, ...]:
        """The objectives whose losses are added up; the others come before them."""
        return tuple(objective for objective in self.objectives if not objective.comes_first)

    @property
    def mixes(self) -> bool:
        """Whether objectives without labels are among them, for which epochs are needed however few labels there are."""
        return any(not objective.is_supervised for objective in self.beside)

    @property
    def guess_rounds(self) -> int:
        """In how many rounds φ and ψ's head label texts for each other first; see `rulenet.training.self_teaching`."""
        return next((one.pseudo_rounds for one in self.objectives if isinstance(one, PseudoLabels)), 0)

    @property
    def needs(self) -> frozenset[Need]:
        """What its objectives need of the corpus."""
        return frozenset().union(*(objective.needs for objective in self.objectives))

    @classmethod
    def of(cls, **fields: Any) -> Recipe:
        """The default with some fields changed; a ParameterError names every field that is unknown or cannot be used."""
        return cls().with_changes(**fields)

    def with_changes(self, **fields: Any) -> Recipe:
        """A copy with some fields changed; see `of`."""
        changes: dict[Any, dict[str, Any]] = {}
        for name, value in fields.items():
            changes.setdefault(_OWNERS.get(name, self._objective_with(name)), {})[name] = value
        faults = [f"unknown field {name!r}{close_to(name, self.leaves())}" for name in changes.pop(None, {})]
        whole = changes.pop(Recipe, {})

        def settle(given: Any, kind: Any = None) -> Any:
            """A part with its changes; its faults are collected."""
            kind = kind or type(given)
            values = changes.pop(kind, {})
            try:
                return dataclasses.replace(given, **values) if isinstance(given, kind) else kind(**values)
            except ParameterError as error:
                faults.append(str(error))
                return given

        new = {name: settle(getattr(self, name)) for name in PARTS}
        # A field of another tuning than this one's is how to change to that tuning.
        tune = whole.pop("tune") if isinstance(whole.get("tune"), Tuning) else None
        kinds = [kind for kind in TUNINGS if kind in changes]
        wanted = type(tune) if tune is not None else next(iter(kinds), None)
        for kind in kinds:
            if wanted is not None and kind is not wanted:
                names = ", ".join(changes.pop(kind))
                faults.append(f"{names} of {kind.__name__}() cannot be given to {wanted.__name__}(): choose one tuning")
        new["tune"] = settle(tune or self.tune, wanted)
        new["objectives"] = tuple(map(settle, self.objectives))
        try:
            found = dataclasses.replace(self, **{**new, **whole})
        except ParameterError as error:
            faults.append(str(error))
        if faults:
            raise ParameterError(f"recipe: {'; '.join(faults)}")
        return found

    def leaves(self) -> dict[str, Any]:
        """Every field of the recipe and its parts by name, except `weight`, which every objective has."""
        found = {name: value for name, value in fields_of(self).items() if name not in PARTS}
        for given in (*(getattr(self, name) for name in PARTS), self.tune, *reversed(self.objectives)):
            found |= fields_of(given)
        found.pop("weight", None)
        return found

    def resolved(self, n_texts: int, traits: Traits | None = None, n_train: int = 0, few: int = FEW_TEXTS) -> Recipe:
        """The recipe with every choice made that depends on the number of texts; `rulenet.training.phi_choice` chooses C.

        Parameters
        ----------
        n_texts
            Number of texts that the vocabulary is made from, without those given as unlabelled.
        traits, n_train
            Traits of the encoder, and number of texts that ψ is trained on; None: fields that only concern ψ stay open.
        few
            Fewer of these get no epochs, but contrastive steps if the encoder has any, where ψ has a convex start.

        Examples
        --------
        >>> Recipe().resolved(2000, Traits(), 320)
        Recipe.of(min_df=2, frozen_layers=3, contrast_steps=0, epochs=10, learning_rate=5e-05, head_learning_rate=0.0001)
        >>> Recipe.of(epochs=1, nb=False).resolved(2000, Traits(learning_rate=1e-3, epochs=10), 320)
        Recipe.of(min_df=2, nb=False, frozen_layers=3, contrast_steps=0, epochs=1, learning_rate=0.001, head_learning_rate=0.0001)
        """
        found: dict[str, Any] = {"min_df": 2 if n_texts >= MANY_TEXTS else 1}
        if traits is not None:
            # About 100 steps if there are few texts.
            epochs = math.ceil(100 / max(1, math.ceil(n_train / self.steps.batch_texts))) if n_train < MANY_TEXTS else 3
            epochs = traits.epochs or max(3, min(20, epochs))
            if self.starts_convex(traits):
                epochs = 0 if n_train < few and not self.mixes else epochs
                if self.steps.epochs is None and not epochs and self.wants_epochs:
                    texts = f"fewer than {few} labelled texts get no epochs by default"
                    raise ParameterError(f"{texts}, so {self.wants_epochs} would learn nothing; give epochs")
            elif self.steps.epochs == 0:
                raise ParameterError(
                    "epochs=0 leaves ψ as it began, and this encoder has learned nothing yet; give at least 1"
                )
            head_rate = 1e-4 if self.starts_convex(traits) else 1e-3
            rate, factor = self.tune.default_rate or traits.learning_rate, RATES[self.steps.optimizer]
            found |= {"epochs": epochs, "learning_rate": factor * rate, "head_learning_rate": factor * head_rate}
            found["frozen_layers"] = traits.frozen_layers
            if self.stages:  # each has its own
                found = {name: value for name, value in found.items() if name not in ("learning_rate", "frozen_layers")}
            trains = epochs if self.steps.epochs is None else self.steps.epochs
            found["contrast_steps"] = traits.contrast_steps if n_train < few and not trains else 0
        leaves = self.leaves()
        return self.with_changes(**{name: value for name, value in found.items() if leaves.get(name, value) is None})

    def starts_convex(self, traits: Traits) -> bool:
        """Whether ψ's head is solved before it is trained: see `rulenet.training.convex`."""
        return traits.pretrained and any(isinstance(objective, Supervised) for objective in self.objectives)

    @property
    def reads_pieces(self) -> bool:
        """Whether word pieces are read in each step, so that no outputs of frozen layers can be kept."""
        changes = any(augmentation.changes_words for augmentation in self.augment)
        return changes or bool(self.stages) or any(Need.PIECES in objective.needs for objective in self.beside)

    def to_dict(self) -> dict[str, Any]:
        """For JSON: parts by name; tuning, objectives and augmentations with their kinds."""
        found: dict[str, Any] = {name: fields_of(getattr(self, name)) for name in PARTS}
        found |= {"tune": stored(self.tune), "objectives": list(map(stored, self.objectives))}
        found["stages"] = list(map(stored, self.stages))
        found |= {"augment": list(map(stored, self.augment)), "keep_rule_spans": self.keep_rule_spans}
        found["prompt"] = fields_of(self.prompt) if isinstance(self.prompt, Prompt) else self.prompt
        return found | {"alpha": self.alpha, "held_out": self.held_out}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Recipe:
        """A recipe from `to_dict`; fields may also be given without their part, and faults are reported, as in `of`."""
        own = fields_of(cls())
        found = {name: value for name, value in data.items() if name in own}
        try:
            found |= {name: made_of(PARTS[name], value) for name, value in found.items() if name in PARTS}
            if "tune" in found:
                found["tune"] = restored(found["tune"], TUNINGS)
            if "stages" in found:
                named = (values if isinstance(values, str) else restored(values, TUNINGS) for values in found["stages"])
                found["stages"] = tuple(named)
            if "objectives" in found:
                found["objectives"] = tuple(restored(values, OBJECTIVES) for values in found["objectives"])
            if "augment" in found:
                found["augment"] = tuple(restored(values, AUGMENTATIONS) for values in found["augment"])
            if isinstance(found.get("prompt"), Mapping):
                found["prompt"] = made_of(Prompt, found["prompt"])
            made: Recipe = made_of(cls, found)
        except (ParameterError, TypeError) as error:
            raise ParameterError(f"recipe: {error}") from None
        return made.with_changes(**{name: value for name, value in data.items() if name not in own})

    def changes(self) -> dict[str, Any]:
        """The fields that differ from the default, as `of` takes them."""
        names: dict[str, Any] = {}
        for name, value in changed(self).items():
            if name in PARTS or (name == "tune" and isinstance(value, Frozen)):
                names |= changed(value)
            elif name == "objectives" and [(type(one), one.weight) for one in value] == _USUAL:
                names |= {field: new for one in value for field, new in changed(one).items()}
            else:
                names[name] = value
        return names

    def __repr__(self) -> str:
        names = self.changes()
        return f"Recipe.of({', '.join(f'{name}={value!r}' for name, value in names.items())})" if names else "Recipe()"

    def _objective_with(self, name: str) -> type[Objective] | None:
        """The first kind of objective in this recipe that has such a field."""
        if name == "weight":
            return None
        return next((type(objective) for objective in self.objectives if name in fields_of(objective)), None)


_USUAL = [(type(objective), 1.0) for objective in Recipe().objectives]
# Which class each field belongs to; a field that an objective has is looked for in the recipe.
_OWNERS: dict[str, Any] = {
    field.name: owner for owner in (Recipe, *PARTS.values(), *TUNINGS) for field in dataclasses.fields(owner)
}
