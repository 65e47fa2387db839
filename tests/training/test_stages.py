"""The loop, the loss, the stages: what is learned, what is kept, what happens when it goes wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from rulenet.decide.scales import fit_scales  # noqa: E402
from rulenet.errors import TrainingError  # noqa: E402
from rulenet.features.blocks import Features  # noqa: E402
from rulenet.model.encoders.load import load_encoder  # noqa: E402
from rulenet.model.psi import Psi  # noqa: E402
from rulenet.rules.ruleset import RuleSet  # noqa: E402
from rulenet.training import loop  # noqa: E402
from rulenet.training.corpus import Corpus, Origin  # noqa: E402
from rulenet.training.job import Job  # noqa: E402
from rulenet.training.loop import train_psi  # noqa: E402
from rulenet.training.objectives.objective import Judged  # noqa: E402
from rulenet.training.objectives.supervised import Supervised, SupervisedTerm, joint_loss  # noqa: E402
from rulenet.training.phi_stage import split  # noqa: E402
from rulenet.training.recipe import Recipe  # noqa: E402
from rulenet.training.run import Outcome, Run, new_accelerator  # noqa: E402
from rulenet.training.stages import Task, fit_hybrid  # noqa: E402
from rulenet.training.tuning.full import Full  # noqa: E402
from tests.breaking import before_call, raising  # noqa: E402

RULES = RuleSet.from_yaml("""
rulenet: 1
rules:
  - {id: goal, label: sport, word: goal, weight: 2}
  - {id: oil, label: money, word: oil, weight: 2}
""")
SPORT = ["the goal", "win the match", "a goal a win", "the team lost", "good match"]
MONEY = ["oil price", "the bank", "stock market", "oil lost", "market price"]
TEXTS, CLASSES = (SPORT + MONEY) * 6, ["money", "sport"]
Y = np.eye(2)[([1] * 5 + [0] * 5) * 6]


def new_psi(tiny_encoder: str, **options: Any) -> Psi:
    torch.manual_seed(0)
    encoder = load_encoder(tiny_encoder, texts=[], max_length=32, seed=0)
    return Psi(encoder, 2, bound=options.get("bound", 1.5), dropout=0.0)


def examples_of(psi: Psi, texts: list[str] = TEXTS, target: np.ndarray = Y) -> Corpus:
    origin = np.full(len(texts), Origin.GIVEN)
    return Corpus(texts, None, target, origin, np.zeros((len(texts), 2)), psi.encoder.encode(texts))


RECIPE = Recipe.of(epochs=8, learning_rate=5e-3, head_learning_rate=2e-2, tune=Full(), max_length=32, batch_texts=8)


def fit(psi: Psi, recipe: Recipe = RECIPE, held_out: Corpus | None = None, train: Corpus | None = None) -> Outcome:
    return train_psi(psi, train or examples_of(psi), held_out, recipe, [SupervisedTerm(Supervised(), None)], Job())


def test_joint_loss_is_its_formula() -> None:
    phi, psi = torch.tensor([[1.0, -1.0], [0.0, 0.5]]), torch.tensor([[0.5, 0.0], [1.0, -1.0]])
    target = torch.tensor([[1.0, 0.0], [0.0, 1.0]])

    def ce(logits: Any) -> float:
        return float(-(torch.log_softmax(logits, 1) * target).sum(1).mean())

    assert float(joint_loss(phi, psi, target, psi_loss=0.3)) == pytest.approx(ce(phi + psi) + 0.3 * ce(psi))
    assert float(joint_loss(phi, psi, target, psi_loss=0.0)) == pytest.approx(ce(phi + psi))
    with_phi = joint_loss(phi, psi, target, psi_loss=0.3, phi_loss=0.5)
    assert float(with_phi) == pytest.approx(ce(phi + psi) + 0.3 * ce(psi) + 0.5 * ce(phi))


@pytest.mark.slow
def test_psi_learns_to_distinguish_the_classes(tiny_encoder: str) -> None:
    psi = new_psi(tiny_encoder)
    outcome = fit(psi)
    predicted = psi.predict(psi.encoder.encode(TEXTS), np.zeros((len(TEXTS), 2)), device="cpu").argmax(axis=1)
    assert (predicted == Y.argmax(axis=1)).mean() > 0.9
    assert outcome.train_loss[-1] < outcome.train_loss[0]


def test_same_seed_same_weights(tiny_encoder: str) -> None:
    states = []
    for _ in range(2):
        psi = new_psi(tiny_encoder)
        fit(psi, RECIPE.with_changes(epochs=1))
        states.append(psi.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_frozen_layers_do_not_move_and_the_others_do(tiny_encoder: str) -> None:
    psi = new_psi(tiny_encoder)
    before = {name: value.clone() for name, value in psi.state_dict().items()}
    recipe = RECIPE.with_changes(epochs=1, frozen_layers=1)
    fit(psi, recipe, train=recipe.tune.keep(psi.encoder, examples_of(psi), "cpu"))
    moved = {name for name, value in psi.state_dict().items() if not torch.equal(value, before[name])}
    assert not any("embeddings" in name or "layer.0." in name for name in moved)
    assert any("layer.1." in name for name in moved)
    assert "from_text.weight" in moved


def test_kept_states_train_to_the_same_weights_as_word_pieces(tiny_encoder: str) -> None:
    recipe = RECIPE.with_changes(epochs=1, frozen_layers=1)
    plain, kept = new_psi(tiny_encoder), new_psi(tiny_encoder)
    # Dropout inside the frozen layers is the one difference between the two ways; without it they must agree.
    for psi in (plain, kept):
        for module in psi.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        for layer in psi.body.encoder.layer:
            layer.attention.self.dropout.p = 0.0
    fit(plain, recipe)
    fit(kept, recipe, train=recipe.tune.keep(kept.encoder, examples_of(kept), "cpu"))
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(kept.state_dict()[name], value, atol=1e-4, rtol=1e-3)


def test_the_best_epoch_on_held_out_texts_is_kept(tiny_encoder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Held-out losses are scripted: epoch 2 is best, so its weights must come back."""
    psi = new_psi(tiny_encoder)
    losses, snapshots = iter([0.5, 0.2, 0.9]), []

    def scripted(run: Run, *_: Any) -> Any:
        snapshots.append({name: value.clone() for name, value in psi.state_dict().items()})
        return Judged(np.full(3, next(losses)))

    monkeypatch.setattr(loop, "evaluate", scripted)
    outcome = fit(psi, RECIPE.with_changes(epochs=3), held_out=examples_of(psi))
    assert outcome.best_epoch == 2
    assert all(torch.equal(psi.state_dict()[name], value) for name, value in snapshots[1].items())


def test_ctrl_c_keeps_the_best_weights_and_says_so(tiny_encoder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    psi = new_psi(tiny_encoder)
    monkeypatch.setattr(loop, "train_epoch", before_call(2, loop.train_epoch, raising(KeyboardInterrupt())))
    with pytest.warns(UserWarning, match="interrupted in epoch 2 of 5; the weights of epoch 1 are kept"):
        outcome = fit(psi, RECIPE.with_changes(epochs=5), held_out=examples_of(psi))
    assert outcome.interrupted
    assert outcome.best_epoch == 1


def test_a_loss_that_is_no_number_is_an_error_that_says_what_to_change(tiny_encoder: str) -> None:
    psi = new_psi(tiny_encoder, bound=None)
    torch.nn.init.constant_(psi.from_text.weight, float("nan"))
    with pytest.raises(TrainingError, match=r"the loss became nan in epoch 1.*learning_rate"):
        fit(psi)


def test_a_missing_gpu_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(TrainingError, match="torch sees no GPU"):
        new_accelerator("cuda")


def test_psi_is_trained_against_out_of_fold_phi(tiny_encoder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every text has a word that no other has: in-sample φ is sure of each label, but the φ that ψ is trained on must not be."""
    texts = [f"word{i}" for i in range(60)]
    met: list[np.ndarray] = []

    def spy(psi: Psi, train: Corpus, *_: Any, **__: Any) -> Outcome:
        met.append(train.phi)
        return Outcome([0.0], [], 1, False)

    monkeypatch.setattr("rulenet.training.loop.train_psi", spy)
    features, recipe = Features(None, language="en"), Recipe.of(C=100.0, epochs=1, max_length=32)
    hybrid, _ = fit_hybrid(Task(texts, Y, CLASSES), features, tiny_encoder, recipe, Job())
    in_sample = hybrid.weights.logits(features.transform(texts))
    assert (in_sample.argmax(axis=1) == Y.argmax(axis=1)).all()
    assert np.abs(met[0][:, 1] - met[0][:, 0]).max() < 0.2 * np.abs(in_sample[:, 1] - in_sample[:, 0]).min()


def test_scales_never_lose_to_phi_alone() -> None:
    """ψ is noise: s must not make the held-out texts less likely than a = 1, s = 0 does."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 200)
    phi = 2 * (np.eye(2)[y] - 0.5) + rng.normal(size=(200, 2))
    psi = rng.normal(size=(200, 2))
    a, s = fit_scales(phi, psi, np.eye(2)[y])

    def likelihood(logits: np.ndarray) -> float:
        return float((np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(200), y]).sum())

    assert likelihood(a * phi + s * psi) <= likelihood(phi) + 0.6  # the pull towards s = 1 is worth at most 0.5
    assert s < 0.5


def test_scales_find_the_temperature() -> None:
    """Labels drawn from softmax(φ): shown 3φ, the right scale is 1/3."""
    rng = np.random.default_rng(0)
    phi = rng.normal(size=(4000, 2)) * 1.5
    y = (rng.random(4000) < 1 / (1 + np.exp(phi[:, 0] - phi[:, 1]))).astype(int)
    a, _ = fit_scales(3 * phi, np.zeros_like(phi), np.eye(2)[y])
    assert a == pytest.approx(1 / 3, abs=0.04)


def test_split_is_stratified_disjoint_and_of_labelled_texts() -> None:
    target = np.eye(2)[[0] * 80 + [1] * 20 + [0] * 100]
    labelled = np.array([True] * 100 + [False] * 100)
    train, held_out = split(target, labelled, 0.2, seed=0)
    assert sorted([*train, *held_out]) == list(range(200))
    assert (held_out < 100).all()
    assert np.bincount(target[held_out].argmax(axis=1)).tolist() == [16, 4]


def test_too_few_texts_are_not_split() -> None:
    train, held_out = split(np.eye(2)[[0, 1] * 10], np.ones(20, dtype=bool), 0.2, seed=0)
    assert len(train) == 20
    assert len(held_out) == 0


def test_rules_alone_teach_the_terms() -> None:
    """No labels: 'goal' and 'oil' label some texts, and the words next to them decide the others."""
    features = Features(RULES, language="en")
    texts = ["goal match", "goal match", "oil market", "oil market", "match", "market"]
    hybrid, report = fit_hybrid(Task(texts, np.zeros((6, 2)), CLASSES), features, None, Recipe(), Job())
    assert hybrid.parts(["match"]).logits.argmax(axis=1).tolist() == [1]
    assert hybrid.parts(["market"]).logits.argmax(axis=1).tolist() == [0]
    assert hybrid.weights.coef[0, 0] == 0  # a rule speaks for its own label alone
    assert hybrid.weights.coef[0, 1] > 1
    assert report.n_unlabeled == 6


def test_unlabelled_texts_are_learned_from_where_phi_is_sure() -> None:
    features = Features(RULES, language="en")
    texts = ["goal"] * 10 + ["oil"] * 10 + ["goal stadium"] * 5 + ["oil barrel"] * 5
    target = np.vstack([np.eye(2)[[1] * 10 + [0] * 10], np.zeros((10, 2))])
    hybrid, report = fit_hybrid(Task(texts, target, CLASSES), features, None, Recipe(), Job())
    assert hybrid.parts(["stadium", "barrel"]).logits.argmax(axis=1).tolist() == [1, 0]
    assert report.n_unlabeled == 10
