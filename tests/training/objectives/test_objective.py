"""The seam between loop and objectives: terms that share the labelled batch, and terms with batches and modules of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors import safe_open  # noqa: E402

from rulenet import RuleNetClassifier  # noqa: E402
from rulenet.errors import ParameterError, TrainingError  # noqa: E402
from rulenet.model.phi_problem import PhiProblem  # noqa: E402
from rulenet.training import loop  # noqa: E402
from rulenet.training import run as run_module  # noqa: E402
from rulenet.training.checkpoint import FILE, Checkpoint  # noqa: E402
from rulenet.training.corpus import Corpus, Origin  # noqa: E402
from rulenet.training.job import Job  # noqa: E402
from rulenet.training.objectives.objective import Need, Objective, Setup, Term, start_all  # noqa: E402
from rulenet.training.objectives.supervised import Supervised, SupervisedTerm  # noqa: E402
from rulenet.training.recipe import Recipe  # noqa: E402
from rulenet.training.run import new_cut  # noqa: E402
from rulenet.training.tuning.full import Full  # noqa: E402
from tests.breaking import before_call, raising  # noqa: E402

N_NONE = 11  # unlabelled rows after the 40 labelled ones


@dataclass(frozen=True)
class Length(Objective):
    """Tell the length of unlabelled texts from h(x): its own batches and module, and random numbers of both kinds."""

    weight: float = 0.5
    needs: ClassVar[frozenset[Need]] = frozenset({Need.UNLABELLED, Need.PIECES})

    def start(self, setup: Setup) -> LengthTerm:
        return LengthTerm(setup)


class LengthTerm(Term):
    def __init__(self, setup: Setup) -> None:
        self.cut, self.seen = setup.cut, []
        self.modules = {"length": torch.nn.Linear(setup.psi.encoder.width, 1)}
        for parameter in self.modules["length"].parameters():
            torch.nn.init.zeros_(parameter)

    def batches(self, corpus: Corpus, rng: Any) -> list[list[int]]:
        return self.cut(corpus, np.flatnonzero(corpus.origin == Origin.NONE), rng)

    def loss(self, psi: Any, batch: Any, step: Any) -> Any:
        self.seen.append(batch.indices.tolist())
        h = torch.nn.functional.dropout(batch.reading.h, 0.2)
        noise = step.random(1).normal(size=(batch.size, 1))[batch.places]
        length = batch.inputs[1].sum(1, keepdim=True).float() / 10 + torch.as_tensor(noise, dtype=torch.float32) / 10
        return (self.modules["length"](h) - length).square().mean()


class Uniform(Term):
    """Label smoothing: shares the labelled batch, and its reading with the joint loss."""

    def loss(self, psi: Any, batch: Any, step: Any) -> Any:
        logits = batch.phi + psi.head(batch.reading.h, batch.phi)
        return -torch.log_softmax(logits, dim=1).mean()


def setup_of(run: dict[str, Any]) -> Setup:
    psi, corpus = run["psi"], run["train"]
    return Setup(psi, corpus, np.arange(len(corpus)), run["phi"].solved, PhiProblem(), new_cut(RECIPE, psi))


def start(run: dict[str, Any]) -> list[Term]:
    """The joint loss, the smoothing and the lengths."""
    smoothing = Uniform()
    smoothing.weight = 0.1
    return [SupervisedTerm(RECIPE.objectives[0], run["phi"]), smoothing, *start_all([Length()], setup_of(run))]  # type: ignore[arg-type]


RECIPE = Recipe.of(epochs=2, learning_rate=1e-3, tune=Full(), max_length=32, batch_texts=8, joint_epochs=1)


def train(run: dict[str, Any], folder: Path | None = None, *, resume: bool = False) -> list[Term]:
    terms = start(run)
    kept = Checkpoint(folder, {"settings": {}}, resume) if folder is not None else None
    loop.train_psi(run["psi"], run["train"], None, RECIPE, terms, Job(), kept)
    return terms


@pytest.fixture
def made(make: Callable[..., Any]) -> Callable[[], dict[str, Any]]:
    """A run with unlabelled rows as well."""

    def new() -> dict[str, Any]:
        run = make()
        labelled: Corpus = run["train"]
        more = labelled.take(np.arange(N_NONE))
        run["train"] = Corpus(
            [*labelled.texts, *more.texts], None if labelled.X is None else labelled.X[[*range(40), *range(N_NONE)]],
            np.vstack([labelled.Y, np.zeros_like(more.Y)]), np.repeat([Origin.GIVEN, Origin.NONE], [40, N_NONE]),
            np.vstack([labelled.phi, more.phi]), [*labelled.rows, *more.rows],
        )  # fmt: skip
        return run

    return new


def state(run: dict[str, Any], terms: list[Term]) -> dict[str, Any]:
    return {
        **run["psi"].state_dict(),
        **dict(run["phi"].named_parameters()),
        **dict(terms[2].modules["length"].named_parameters(prefix="length")),
    }


def test_each_term_meets_its_own_rows_and_a_module_learns(made: Callable[[], Any]) -> None:
    run = made()
    terms: Any = train(run)
    assert terms[2].modules["length"].weight.abs().sum() > 0
    seen = terms[2].seen  # 5 steps in each of 2 epochs; 2 batches of its own, so they are repeated
    assert len(seen) == 10
    assert {row for batch in seen for row in batch} == set(range(40, 40 + N_NONE))
    assert seen[0] == seen[2] == seen[4]
    assert seen[:2] != seen[5:7]
    assert not any("length" in name for name in run["psi"].state_dict())


def test_a_loss_counts_by_its_weight(made: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Uniform, "loss", lambda *_: torch.tensor(10.0, requires_grad=True))
    monkeypatch.setattr(LengthTerm, "loss", lambda *_: torch.tensor(4.0, requires_grad=True))
    monkeypatch.setattr(SupervisedTerm, "loss", lambda *_: torch.tensor(1.0, requires_grad=True))
    run = made()
    outcome = loop.train_psi(run["psi"], run["train"], None, RECIPE, start(run), Job())
    assert outcome.train_loss == pytest.approx([1 + 0.1 * 10 + 0.5 * 4] * 2)
    assert [list(point["terms"].values()) for point in outcome.curve] == [[1, 10, 4]] * 2  # without their weights


@pytest.mark.parametrize("steps", [3, 7])
def test_a_run_with_all_of_them_is_resumed_bit_for_bit(
    made: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, steps: int
) -> None:
    whole, broken, resumed = made(), made(), made()
    expected = state(whole, train(whole))
    step = before_call(steps + 1, loop.train_step, raising(InterruptedError("broken off")))
    with monkeypatch.context() as patch:
        patch.setattr(loop, "train_step", step)
        patch.setattr(run_module, "SECONDS", 0.0)
        with pytest.raises(InterruptedError, match="broken off"):
            train(broken, tmp_path)
    with safe_open(tmp_path / FILE, framework="pt") as file:
        assert {"now.length.weight", "moment.exp_avg.length.weight"} <= set(file.keys())
    found = state(resumed, train(resumed, tmp_path, resume=True))
    assert all(torch.equal(value, found[name]) for name, value in expected.items())


def test_without_a_shared_batch_an_epoch_is_as_long_as_the_longest_list(made: Callable[[], Any]) -> None:
    run = made()
    terms: Any = start_all([Length()], setup_of(run))
    outcome = loop.train_psi(run["psi"], run["train"], run["train"], RECIPE, terms, Job())
    assert len(terms[0].seen) == 4
    assert outcome.held_out_loss == []  # this objective has none to choose an epoch by
    assert terms[0].weight == 0.5


def test_modules_need_names_of_their_own(made: Callable[[], Any]) -> None:
    setup = setup_of(made())
    with pytest.raises(ParameterError, match="two objectives train a module called 'length'"):
        start_all([Length(), replace(Length(), weight=2.0)], setup)
    assert Supervised(joint_epochs=0).start(setup).modules == {}


@pytest.mark.slow
def test_unlabelled_texts_of_a_user_reach_the_objectives_that_ask_for_them(
    tiny_encoder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As word pieces, although layers are frozen; without such texts or such an objective nothing of this happens."""
    met: list[Corpus] = []
    real = loop.train_psi

    def spy(psi: Any, train: Corpus, *arguments: Any, **options: Any) -> Any:
        met.append(train)
        return real(psi, train, *arguments, **options)

    monkeypatch.setattr(loop, "train_psi", spy)
    texts, labels = (
        ["the goal", "win the match", "oil price", "the bank"] * 12,
        ["sport", "sport", "money", "money"] * 12,
    )
    plain = Recipe.of(epochs=1, frozen_layers=1, pseudo_confidence=1.0)
    both = plain.with_changes(objectives=(Supervised(), Length()))
    more = ["a team", "a film"]
    fitted = [
        RuleNetClassifier(None, tiny_encoder, recipe=recipe).fit(texts, labels, unlabeled=unlabeled)
        for recipe, unlabeled in ((both, more), (both, None), (plain, more))
    ]
    assert [int((corpus.origin == Origin.NONE).sum()) for corpus in met] == [2, 0, 0]
    assert [corpus.layers for corpus in met] == [0, 0, 1]
    assert met[0].phi.shape == (len(met[0]), 2)
    assert [name for clf in fitted for name in clf.predictor_.hybrid.psi.state_dict() if "length" in name] == []
    alone = plain.with_changes(objectives=(Length(),))
    with pytest.raises(TrainingError, match="no objective finds texts to learn from"):
        RuleNetClassifier(None, tiny_encoder, recipe=alone).fit(texts, labels)
