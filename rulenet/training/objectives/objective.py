"""What training minimises: the user chooses objectives, and each becomes a term in a run.

The loop minimises Σ weight · loss over the terms of a recipe and knows nothing else about them. A new objective is a file next to this
one with both classes, as CONTRIBUTING.md shows. Unlike a callback system, a term has few hooks, each needed by an objective that exists
or that a test makes up. Imports no torch: recipes are read without it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeAlias

from rulenet.base.types import Array
from rulenet.errors import ParameterError
from rulenet.model.phi import Weights
from rulenet.model.phi_problem import PhiProblem
from rulenet.training.corpus import Corpus

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn

    from rulenet.model.psi import Psi
    from rulenet.training.batch import Batch, Step

Cut: TypeAlias = Callable[[Corpus, Array, Any], list[list[int]]]


class Need(Enum):
    """What an objective needs from the corpus besides the rows that have a target."""

    UNLABELLED = "rows without a target"
    PIECES = "word pieces, never the stored hidden states of frozen layers"
    OTHER_TEXTS = "texts that the user gave no label for: without any, it has nothing to learn from"


@dataclass(frozen=True)
class Setup:
    """What a term may start from."""

    psi: Psi
    corpus: Corpus  # all rows, including those held out
    train: Array  # indices of the rows that are trained on
    weights: Weights  # φ as solved
    problem: PhiProblem  # how φ was solved
    cut: Cut  # cuts rows of the corpus given to `Term.batches` into batches of the recipe's size


class Judged(NamedTuple):
    """What held-out texts say of the weights of an epoch."""

    losses: Array  # of each text; by their mean the best epoch is chosen
    accuracy: float | None = None  # on those whose label the user gave
    macro_f1: float | None = None

    def score(self, metric: str) -> float | None:
        """What is highest for the best epoch; None if that is the one of the lowest losses."""
        return {"accuracy": self.accuracy, "macro_f1": self.macro_f1}.get(metric)


class Term:
    """An objective in one run; only `loss` must be overridden."""

    name: str = ""  # what curves call it: the objective's class
    weight: float = 1.0  # factor of its loss; set from the objective
    is_supervised: bool = True  # on which side of α it stands; set from the objective
    doing: str = ""  # what the bar says where it is trained by itself
    augments: bool = False  # whether it learns from texts as the recipe's augmentations change them, as all do that share a batch with it
    joint_epochs: int = 0  # the last epochs, if more learns in them: they go on from the best weights of those before
    modules: Mapping[
        str, nn.Module
    ] = {}  # trained together with ψ, by name: kept in checkpoints, and dropped when training ends

    def parameter_groups(self, learning_rate: float) -> list[dict[str, Any]]:
        """The parameters of `modules` for the optimizer; `learning_rate` is that of ψ's head."""
        parameters = [parameter for module in self.modules.values() for parameter in module.parameters()]
        return [{"params": parameters, "initial_lr": learning_rate}] if parameters else []

    def batches(self, corpus: Corpus, rng: np.random.Generator) -> list[list[int]] | None:
        """The batches of an epoch as indices into the training rows; None: those of the rows that have a target.

        They are repeated if an epoch has more steps. `rng` depends on seed and epoch alone.
        """
        return None

    def before_epoch(self, epoch: int, epochs: int) -> None:
        """Called before each epoch, counted from 0, and again when a run is resumed."""

    def loss(self, psi: Psi, batch: Batch, step: Step) -> Tensor:
        """Mean loss of a batch or a part of one. Take random numbers from `step.random` or from torch."""
        raise NotImplementedError

    def after_backward(self, batch: Batch, step: Step) -> None:
        """Called with the whole batch when all gradients are computed."""

    def after_step(self) -> None:
        """Called when the optimizer has made a step."""

    def measured(self, psi: Psi, texts: Corpus) -> dict[str, Any]:
        """For the report: what it has reached, by texts that it does not learn from; called before and after training."""
        return {}

    def held_out_losses(self, held_out: Corpus, predict: Callable[[Corpus, Array], Array]) -> Array | None:
        """The loss of each text, by whose mean the best epoch is chosen, or None. `predict` gives ψ of rows and their φ."""
        return None

    def judged(self, held_out: Corpus, predict: Callable[[Corpus, Array], Array]) -> Judged | None:
        """The same losses, and how good the answers are, for a term that gives answers."""
        losses = self.held_out_losses(held_out, predict)
        return None if losses is None else Judged(losses)

    def finish(self, weights: Weights, held_out: Corpus | None) -> tuple[Weights, Corpus | None]:
        """φ's weights and the held-out rows when training is over, for a term that has changed φ."""
        return weights, held_out


class Objective(ABC):
    """What to train for: the base of frozen dataclasses whose fields are numbers, strings and booleans.

    Attributes
    ----------
    weight
        Factor of its loss in the sum.
    """

    weight: float
    needs: ClassVar[frozenset[Need]] = frozenset()
    is_supervised: ClassVar[bool] = (
        True  # learns from labels that the user gave: the side of α, the others that of 1 − α
    )

    @property
    def comes_first(self) -> bool:
        """Whether it trains the encoder by itself, before ψ's head is solved on it, rather than beside the others."""
        return False

    @property
    def needs_epochs(self) -> bool:
        """Whether it does nothing without epochs."""
        return not self.is_supervised

    @abstractmethod
    def start(self, setup: Setup) -> Term:
        """The term of a new run."""

    def alone(self) -> dict[str, Any] | None:
        """For one that comes first: what its own steps change of the recipe, or None if there are none."""
        return {}


@dataclass(frozen=True)
class Foreign(Objective):
    """An objective of a stored recipe that is not part of rulenet: kept as it was stored, and not usable for training."""

    stored: dict[str, Any]
    weight: float = 1.0

    def start(self, setup: Setup) -> Term:
        """Refuse."""
        what = f"the objective {self.stored['kind']!r} is not part of rulenet"
        raise ParameterError(f"{what}; pass a recipe with the objective itself")


def side(alpha: float | tuple[float, float] | None, *, is_supervised: bool, progress: float) -> float:
    """What the objectives of one side count: α or 1 − α, at a point of training from 0 to 1; 1 without α.

    Examples
    --------
    >>> [side((0.2, 0.8), is_supervised=True, progress=at) for at in (0.0, 0.5, 1.0)]
    [0.2, 0.5, 0.8]
    >>> side(0.75, is_supervised=False, progress=0.5), side(None, is_supervised=False, progress=0.5)
    (0.25, 1.0)
    """
    if alpha is None:
        return 1.0
    first, last = alpha if isinstance(alpha, tuple) else (alpha, alpha)
    now = (1 - progress) * first + progress * last
    return now if is_supervised else 1 - now


def start_all(objectives: Iterable[Objective], setup: Setup) -> list[Term]:
    """The terms of a run; a ParameterError if two of them train a module of the same name."""
    terms: list[Term] = []
    for objective in objectives:
        term = objective.start(setup)
        kind, n_before = type(objective).__name__, sum(type(other) is type(term) for other in terms)
        term.weight, term.name = objective.weight, f"{kind} {n_before + 1}" if n_before else kind
        term.is_supervised = objective.is_supervised
        if taken := {"psi", *(name for other in terms for name in other.modules)}.intersection(term.modules):
            raise ParameterError(f"two objectives train a module called {min(taken)!r}; give one of them another name")
        terms.append(term)
    return terms
