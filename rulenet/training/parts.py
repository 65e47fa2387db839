"""The parts of a recipe: small frozen dataclasses that refuse values which cannot be used. Imports errors; pydantic.

Objectives and tunings are parts too. Values are checked when a part is made, so no one needs to check them again.
"""

from __future__ import annotations

import dataclasses
from functools import wraps
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
import pydantic.dataclasses
from pydantic import BeforeValidator, ConfigDict, Field, PlainValidator, ValidationError, model_validator
from typing_extensions import dataclass_transform

from rulenet.errors import ParameterError

Part = TypeVar("Part")


def _plain(value: Any) -> Any:
    """Convert numpy's numbers, which come from a grid of parameters, to Python's."""
    return value.item() if isinstance(value, np.generic) else value


def as_tuple(value: Any) -> Any:
    """Convert a list, which comes from JSON, to a tuple."""
    return tuple(value) if isinstance(value, list) else value


def _open(value: Any) -> Any:
    """None, which the data settle, may also be written "auto"."""
    return None if isinstance(value, str) and value == "auto" else value


def _bound(value: Any) -> Any:
    """B of ψ; its own check, as the faults of a union would be unreadable."""
    value = _plain(value)
    if value is None or value == "auto":
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1e6:
        raise ValueError("should be a number greater than 0 and at most 1000000, None or 'auto'")
    return float(value)


def mixture(value: Any) -> Any:
    """α of a recipe: a share, two of them or None."""
    shares = [_plain(share) for share in (value if isinstance(value, list | tuple) else [value])]
    if value is None:
        return None
    if any(isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1 for share in shares):
        raise ValueError("should be a number from 0 to 1, or two of them: from, to")
    if isinstance(value, list | tuple) and len(shares) != 2:
        raise ValueError("should be one number, or two: from, to")
    return tuple(map(float, shares)) if isinstance(value, list | tuple) else float(shares[0])


Whole = Annotated[int, BeforeValidator(_plain), Field(le=10**9)]
Number = Annotated[float, BeforeValidator(_plain)]
Count = Annotated[Whole, Field(ge=1)]
Gram = Annotated[Whole, Field(ge=1, le=20)]
Positive = Annotated[Number, Field(gt=0, le=1e12)]
NotNegative = Annotated[Number, Field(ge=0, le=1e12)]
Name = Annotated[str, Field(min_length=1, max_length=10_000)]
Share = Annotated[Number, Field(ge=0, le=1)]


@dataclass_transform(frozen_default=True)
def part(kind: type[Part]) -> type[Part]:
    """Make a frozen dataclass that checks its fields, and whose repr shows only what differs from its defaults."""
    config = ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True)
    made: Any = pydantic.dataclasses.dataclass(frozen=True, config=config, repr=False)(kind)
    check, names = made.__init__, [field.name for field in dataclasses.fields(made)]

    @wraps(check)
    def __init__(self: Any, *values: Any, **named: Any) -> None:  # noqa: N807
        try:
            check(
                self, *values[len(names) :], **dict(zip(names, values, strict=False)), **named
            )  # faults call fields by name
        except ValidationError as error:
            raise ParameterError("; ".join(map(_fault, error.errors(include_url=False)))) from None

    made.__init__ = __init__
    if "__repr__" not in vars(kind):
        made.__repr__ = lambda self: f"{kind.__name__}({', '.join(f'{k}={v!r}' for k, v in changed(self).items())})"
    return made  # type: ignore[no-any-return]


def fields_of(given: Any) -> dict[str, Any]:
    """The fields of a dataclass and their values."""
    return {field.name: getattr(given, field.name) for field in dataclasses.fields(given)}


def changed(given: Any) -> dict[str, Any]:
    """The fields whose values are not the defaults."""
    fields = {field.name: (getattr(given, field.name), field.default) for field in dataclasses.fields(given)}
    return {name: value for name, (value, default) in fields.items() if value != default}


_WORDS = {
    "Input should": "should",
    "Tuple should": "should",
    " after validation": "",
    "a valid integer": "a whole number",
    "a valid number": "a number",
    "a valid boolean": "True or False",
    "a valid string": "text",
    "a valid tuple": "a list",
    "an instance of Tuning": "a tuning, such as LoRA()",
    "an instance of Objective": "an objective, such as Supervised()",
    "an instance of Augmentation": "an augmentation, such as Swap()",
    "String should have at least 1 character": "should not be empty",
    "greater than or equal to": "at least",
    "less than or equal to": "at most",
}


def _fault(fault: Any) -> str:
    """A fault found by pydantic: the field, its value and what is allowed."""
    place = ".".join(map(str, fault["loc"]))
    message = fault["msg"].removeprefix("Value error, ")
    for words, plain in _WORDS.items():
        message = message.replace(words, plain)
    if fault["type"] == "unexpected_keyword_argument":
        return f"unknown field {place!r}"
    return f"{place}={fault['input']!r} {message}" if place else message


@part
class Columns:
    """The columns of φ.

    Attributes
    ----------
    tfidf, pos
        Whether φ has TF-IDF columns, and part-of-speech columns (slower; English needs the extra ``pos``).
    ngram_range
        Shortest and longest word n-gram.
    min_df
        A term must occur in at least this many training texts. None: 2 from 1,000 texts on, else 1.
    """

    tfidf: bool = True
    pos: bool = False
    ngram_range: Annotated[tuple[Gram, Gram], BeforeValidator(as_tuple)] = (1, 2)
    min_df: Count | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Columns:
        if self.ngram_range[0] > self.ngram_range[1]:
            raise ValueError(f"ngram_range={self.ngram_range!r} should be the shortest and then the longest n-gram")
        return self


@part
class Phi:
    """How φ is solved.

    Attributes
    ----------
    C
        Prior variance of TF-IDF and part-of-speech weights; larger fits closer. ``"auto"`` or None: by the loss on held-out texts,
        from 1 to 100; 10 if they are fewer than 100 or, with word vectors, if fewer than 80 texts are labelled.
    rule_sigma
        How far, in log-odds, data may pull a rule's weight from its author's (prior standard deviation).
    nb
        Whether a term's prior variance, for each label, follows its naive Bayes log-count ratio (see `rulenet.model.phi_problem`).
        ``"auto"`` or None: yes, unless φ with word vectors does better without on held-out texts, or has fewer than 80.
    word_vectors
        Whose vectors of words say which terms are alike, so that they share weights: an encoder's, named as for the estimator.
        ``"auto"``: the estimator's, or without one that learned from other texts MiniLM's (English) or e5's, if the package is installed;
        if 10 to 3,000 texts are labelled. None: no one's. Only fitting needs torch for it.
    tau
        τ, how much alike terms share. ``"auto"`` or None: by the loss on held-out texts; 0 (nothing) is one of the values; 3 if fewer
        than 80 texts are labelled.
    folds
        Folds of the out-of-fold φ that ψ is trained against; 1: φ as it is on its own training texts, which leaves ψ little to learn.
    exit_margin
        φ is asked to lead by this many logits more where it is right out-of-fold, and ψ's scale is chosen by accuracy rather than
        likelihood, so that the cascade skips ψ more often; 0: neither.
    """

    C: Annotated[Positive | None, BeforeValidator(_open)] = None
    rule_sigma: Positive = 1.0
    nb: Annotated[bool | None, BeforeValidator(_open)] = None
    word_vectors: Name | None = "auto"
    tau: Annotated[NotNegative | None, BeforeValidator(_open)] = None
    folds: Count = 5
    exit_margin: NotNegative = 0.0


@part
class Reading:
    """The part of a text that ψ reads; the rest is left to φ.

    Attributes
    ----------
    max_length
        Word pieces that ψ reads at a time.
    long_texts, max_chunks
        What ψ reads of a longer text. ``"head"``: its beginning. ``"head_tail"``: the first and the last half of `max_length` word
        pieces. ``"chunks"``: up to `max_chunks` windows of `max_length`, averaged; costs as many times more.
    """

    max_length: Annotated[Whole, Field(ge=8, le=1_000_000)] = 256
    long_texts: Literal["head", "head_tail", "chunks"] = "head_tail"
    max_chunks: Annotated[Whole, Field(ge=1, le=1000)] = 4


@part
class Head:
    """What turns h(x) and φ into ψ.

    Attributes
    ----------
    bound
        B of ψ, in logits; None: unbounded. ``"auto"``: twice what the convex start says, but at least 1.5, which is also B without
        such a start and with an `exit_margin`: a low bound lets the certified cascade skip ψ more often.
    head_variance
        Prior variance of the weights over h(x) in the convex start (see `rulenet.training.convex`). ``"auto"`` or None: by the loss on
        texts that the head never saw, from 0.3 to 30; 1 if they are fewer than 40.
    dropout
        Share of h(x) dropped in training.
    """

    bound: Annotated[float | Literal["auto"] | None, PlainValidator(_bound)] = "auto"
    head_variance: Annotated[Positive | None, BeforeValidator(_open)] = None
    dropout: Annotated[Number, Field(ge=0, lt=1)] = 0.1


@part
class Guesses:
    """The labels that texts without one are given.

    Attributes
    ----------
    rounds
        With rules, in how many rounds texts without a label are labelled anew after the first, by rules and a model that learns from them
        (see `rulenet.training.teaching`); with a prompt, by a model that learns from its answers (see `rulenet.training.self_teaching`).
    trusted
        Share of the rules' votes that the first of these models learns from: those that the nearest texts share; of a prompt's, the surest.
    pseudo_confidence
        Without rules, φ learns once more from an unlabelled text if it gives a label at least this probability. None: it does not, and
        such texts only add their words to word vectors. From 0.9 on, φ became worse: 120 TREC questions 59.2 → 57.9, 200 AG News texts
        65.9 → 63.9; with word vectors no better on average of ten samples of four sets.
    """

    rounds: Annotated[Whole, Field(ge=0, le=100)] = 3
    trusted: Annotated[Number, Field(gt=0, le=1)] = 0.8
    pseudo_confidence: Annotated[Number, Field(gt=0, le=1)] | None = None


@part
class Steps:
    """The steps of ψ's training.

    Attributes
    ----------
    epochs
        0: ψ is what the convex start found, and the encoder stays as it is. None: 0 for fewer than 80 texts, or 400 after
        contrastive steps and where rules teach; 3 from 1,000 texts on, more for fewer (about 100 steps), 10 for an encoder from scratch.
    learning_rate, head_learning_rate
        Of the encoder and of ψ's head. None: for the encoder its default, 5e-5, or 1e-3 if it is from scratch; for the head 1e-4 after
        a convex start, else 1e-3.
    optimizer
        ``"adamw"``, ``"lion"``, ``"adafactor"`` or ``"sgd"``, which has a momentum of 0.9. Their default learning rates differ.
    weight_decay
        Of the optimizer.
    schedule
        What the learning rate does after its rise: it falls to 0 (``"linear"``, or ``"cosine"``) or stays (``"constant"``).
        ``"one_cycle"``: it rises in the first three tenths of the steps, then falls.
    warmup
        Share of all steps in which the learning rate rises.
    metric
        What the best epoch is chosen by on held-out texts: the lowest ``"loss"``, or the highest ``"accuracy"`` or ``"macro_f1"`` and of
        equal ones the lowest loss.
    patience
        Training ends, but for its joint epochs, when so many epochs in a row were not the best. None: it makes all epochs.
    encoder_dropout
        Share of the encoder's hidden states and attention that is dropped in training. None: what the encoder was trained with.
    average
        Share of all steps, the last ones, whose weights are averaged; the average is kept if held-out texts prefer it to every epoch
        (see `rulenet.training.average`). 0: none.
    batch_texts, batch_tokens
        Size of a training batch: at most this many texts and this many word pieces, padding included.
    accumulate
        Number of parts that a batch is computed in, one after the other, to save memory; the step is that of the whole batch. A
        batch that does not fit into memory is cut further automatically.
    precision
        What the encoder computes its products in, also when it predicts on a CPU: ``"float32"`` or ``"bfloat16"``, which is faster
        where the hardware has it. ``"auto"`` or None: bfloat16 there, else float32. Weights and checkpoints are in float32.
    compile
        Let torch compile ψ on a GPU: a slow start, faster steps.
    """

    epochs: Annotated[Whole, Field(ge=0)] | None = None
    learning_rate: Positive | None = None
    head_learning_rate: Positive | None = None
    optimizer: Literal["adamw", "lion", "adafactor", "sgd"] = "adamw"
    weight_decay: NotNegative = 0.01
    schedule: Literal["linear", "cosine", "constant", "one_cycle"] = "linear"
    warmup: Annotated[Number, Field(ge=0, lt=1)] = 0.1
    metric: Literal["loss", "accuracy", "macro_f1"] = "loss"
    patience: Count | None = None
    encoder_dropout: Annotated[Number, Field(ge=0, lt=1)] | None = None
    average: Annotated[Number, Field(ge=0, lt=1)] = 0.0
    batch_texts: Count = 32
    batch_tokens: Count = 4096
    accumulate: Count = 1
    precision: Annotated[Literal["float32", "bfloat16"] | None, BeforeValidator(_open)] = None
    compile: bool = False

    @model_validator(mode="after")
    def _one_rise(self) -> Steps:
        if self.schedule == "one_cycle" and self.warmup != type(self).warmup:
            raise ValueError(
                f"warmup={self.warmup!r} has no effect with schedule='one_cycle', which has a rise of its own"
            )
        return self
