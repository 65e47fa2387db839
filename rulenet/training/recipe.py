"""Recipe: every choice about how a model is trained, in one immutable value that goes from estimator to loop. Imports encoder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from numbers import Integral, Real
from typing import Any

from rulenet.errors import ParameterError
from rulenet.model.encoders.encoder import LONG_TEXTS
from rulenet.training.objectives.objective import Objective
from rulenet.training.objectives.supervised import Supervised
from rulenet.training.tuning.frozen import Frozen
from rulenet.training.tuning.full import Full
from rulenet.training.tuning.tuning import Tuning


@dataclass(frozen=True)
class Recipe:
    """How a model is trained. Fields below "ψ" do nothing where the encoder is None.

    Attributes
    ----------
    tfidf, pos
        Whether φ has TF-IDF columns, and part-of-speech columns (slower; English needs the extra ``pos``).
    ngram_range
        Shortest and longest word n-gram.
    min_df
        A term must stand in at least this many training texts. None: 2 from 1,000 texts on, else 1.
    C
        Prior variance of TF-IDF and part-of-speech weights; larger fits closer.
    rule_sigma
        How far, in log-odds, data may pull a rule's weight from its author's (prior standard deviation).
    nb
        Whether a term's prior standard deviation, for each label, follows its naive Bayes log-count ratio (see `rulenet.model.phi`).
        None: from 1,000 labelled texts on; fewer say too little about a term.
    folds
        Folds of the out-of-fold φ that ψ is trained against; 1: φ as it stands on its own training texts, which leaves ψ little
        to learn.
    exit_margin
        φ is asked to lead by so many logits more where it is right out-of-fold, and ψ is weighed by accuracy rather than likelihood, so
        that the cascade skips ψ more often; 0: not.
    bound
        B of ψ, in logits; None: unbounded.
    max_length
        Word pieces that ψ reads of a text at a time; what it does not read is left to φ.
    long_texts, max_chunks
        What ψ reads of a longer text. ``"head"``: its beginning. ``"head_tail"``: the first and the last half of `max_length` word
        pieces. ``"chunks"``: up to `max_chunks` windows of `max_length`, averaged; costs as many times more.
    epochs, learning_rate, head_learning_rate, weight_decay, warmup, dropout
        Of ψ's AdamW and its linear schedule; `warmup` is a share of all steps. None for `epochs`: 3 from 1,000 texts on, more for fewer
        (about 100 steps), 10 for an encoder from scratch. None for `learning_rate`: 5e-5, or 1e-3 for an encoder from scratch.
    batch_texts, batch_tokens
        Size of a training batch: at most so many texts and so many word pieces, padding included.
    frozen_layers
        The embeddings and this many lower layers of a pretrained encoder are not trained; -1 trains all. Freezing three of MiniLM's six
        halves the time of training on a CPU and cost no accuracy on 2,000 AG News rows.
    psi_loss
        λ₁, weight of ψ's own loss beside the loss of the sum: keeps ψ able to stand alone.
    phi_dropout
        Share of the training texts for which ψ has to do without φ.
    joint_epochs
        In the last so many epochs φ's weights learn together with ψ, from where the convex solver left them. Signs and pins of rules
        hold at every step. No effect where no text has a label: rules then keep their authors' weights. On 800 AG News rows with a frozen
        MiniLM and two seeds, φ gained up to 0.4 and φ + ψ up to 0.2 points on 800 others, less than such a sample can tell.
    phi_learning_rate, phi_loss
        Of φ in the joint epochs: its own learning rate, and λ₂, weight of its own loss, which keeps φ able to stand alone. No effect
        with ``joint_epochs=0``.
    accumulate
        Parts that a batch is computed in, one after the other; the step is that of the whole batch. Memory falls with the number. A
        batch that does not fit is cut further by itself.
    compile
        Let torch compile ψ on a GPU: a slow start, faster steps.
    held_out
        Share of the labelled texts kept from ψ to choose the best epoch and the two scalars; none of fewer than 40 texts.
    pseudo_confidence
        An unlabelled text is learned from when φ gives a label at least this probability.

    Examples
    --------
    >>> Recipe(epochs=2).with_changes(bound=3.0).bound
    3.0
    """

    # φ
    tfidf: bool = True
    pos: bool = False
    ngram_range: tuple[int, int] = (1, 2)
    min_df: int | None = None
    C: float = 10.0
    rule_sigma: float = 1.0
    nb: bool | None = None
    folds: int = 5
    exit_margin: float = 0.0
    # ψ
    bound: float | None = 1.5
    max_length: int = 256
    long_texts: str = "head_tail"
    max_chunks: int = 4
    epochs: int | None = None
    learning_rate: float | None = None
    head_learning_rate: float = 1e-3
    weight_decay: float = 0.01
    warmup: float = 0.1
    dropout: float = 0.1
    batch_texts: int = 32
    batch_tokens: int = 4096
    frozen_layers: int = 3
    psi_loss: float = 0.3
    phi_dropout: float = 0.0
    joint_epochs: int = 0
    phi_learning_rate: float = 5e-3
    phi_loss: float = 0.3
    accumulate: int = 1
    compile: bool = False
    held_out: float = 0.15
    # texts without labels
    pseudo_confidence: float = 0.9

    @property
    def tune(self) -> Tuning:
        """Which weights of the encoder are trained."""
        return Full() if self.frozen_layers < 0 else Frozen(self.frozen_layers)

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """What is made small."""
        names = ("psi_loss", "phi_dropout", "joint_epochs", "phi_learning_rate", "phi_loss")
        return (Supervised(**{name: getattr(self, name) for name in names}),)

    def with_changes(self, **changes: Any) -> Recipe:
        """A copy with some fields changed."""
        return replace(self, **changes)

    def check(self) -> None:
        """Raise ParameterError naming every field that cannot be used."""
        wrong = {field.name for field in fields(self) if not _fits(getattr(self, field.name), str(field.type))}
        # Called for fields of the right type only: others cannot be compared.
        conditions: dict[str, Callable[[], bool]] = {
            "ngram_range": lambda: 1 <= self.ngram_range[0] <= self.ngram_range[1],
            "min_df": lambda: self.min_df is None or self.min_df >= 1,
            "C": lambda: self.C > 0,
            "rule_sigma": lambda: self.rule_sigma > 0,
            "folds": lambda: self.folds >= 1,
            "exit_margin": lambda: self.exit_margin >= 0,
            "bound": lambda: self.bound is None or self.bound > 0,
            "max_length": lambda: self.max_length >= 8,
            "long_texts": lambda: self.long_texts in LONG_TEXTS,
            "max_chunks": lambda: self.max_chunks >= 1,
            "epochs": lambda: self.epochs is None or self.epochs >= 1,
            "learning_rate": lambda: self.learning_rate is None or self.learning_rate > 0,
            "head_learning_rate": lambda: self.head_learning_rate > 0,
            "warmup": lambda: 0 <= self.warmup < 1,
            "dropout": lambda: 0 <= self.dropout < 1,
            "batch_texts": lambda: self.batch_texts >= 1,
            "batch_tokens": lambda: "max_length" in wrong or self.batch_tokens >= self.max_length,
            "frozen_layers": lambda: self.frozen_layers >= -1,
            "weight_decay": lambda: self.weight_decay >= 0,
            "psi_loss": lambda: self.psi_loss >= 0,
            "phi_dropout": lambda: 0 <= self.phi_dropout <= 1,
            "joint_epochs": lambda: self.joint_epochs >= 0,
            "phi_learning_rate": lambda: self.phi_learning_rate > 0,
            "phi_loss": lambda: self.phi_loss >= 0,
            "accumulate": lambda: self.accumulate >= 1,
            "held_out": lambda: 0 < self.held_out < 1,
            "pseudo_confidence": lambda: 0 < self.pseudo_confidence <= 1,
        }
        wrong |= {name for name, is_fine in conditions.items() if name not in wrong and not is_fine()}
        if wrong:
            shown = ", ".join(f"{f.name}={getattr(self, f.name)!r}" for f in fields(self) if f.name in wrong)
            raise ParameterError(
                f"recipe: {shown} cannot be used; see Recipe's docstring for the meaning of each field"
            )


def _fits(value: Any, kind: str) -> bool:
    """Whether a value is of the type a field declares; a whole number is a float too, as in Python's own annotations."""
    if value is None:
        return kind.endswith("None")
    if kind.startswith("tuple"):
        return isinstance(value, tuple) and len(value) == 2 and all(_fits(part, "int") for part in value)
    if kind == "str":
        return isinstance(value, str)
    if kind.startswith("bool") or isinstance(value, bool):
        return kind.startswith("bool") and isinstance(value, bool)
    return isinstance(value, Integral if kind.startswith("int") else Real)


def recipe_from_dict(data: dict[str, Any]) -> Recipe:
    """Recipe of a stored model; unknown fields are refused by name."""
    known = {field.name for field in fields(Recipe)}
    unknown = sorted(set(data) - known)
    if unknown:
        raise ParameterError(f"recipe has unknown fields: {', '.join(unknown)}")
    if "ngram_range" in data:
        data = {**data, "ngram_range": tuple(data["ngram_range"])}
    return Recipe(**data)
