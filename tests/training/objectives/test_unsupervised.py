"""Objectives without labels: what they do to texts, what they make small, and when they train."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from rulenet import Recipe, RuleNetClassifier  # noqa: E402
from rulenet.errors import InputError, ParameterError  # noqa: E402
from rulenet.model.lm_head import LMHead  # noqa: E402
from rulenet.model.phi_problem import PhiProblem  # noqa: E402
from rulenet.training import loop, neural  # noqa: E402
from rulenet.training import run as run_module  # noqa: E402
from rulenet.training.checkpoint import Checkpoint  # noqa: E402
from rulenet.training.corpus import Origin  # noqa: E402
from rulenet.training.job import Job  # noqa: E402
from rulenet.training.objectives import (  # noqa: E402
    Consistency,
    Denoising,
    MaskedLM,
    PseudoLabels,
    SimCSE,
    Supervised,
)
from rulenet.training.objectives.masked_lm import MaskedLMTerm  # noqa: E402
from rulenet.training.objectives.objective import Setup, Term, start_all  # noqa: E402
from rulenet.training.objectives.supervised import SupervisedTerm  # noqa: E402
from rulenet.training.run import new_cut  # noqa: E402
from rulenet.training.tuning import Full  # noqa: E402
from tests.breaking import before_call, raising  # noqa: E402
from tests.training.runs import state  # noqa: E402

SPORT, MONEY = ["the goal", "win a match", "good team"], ["oil price", "stock market", "the bank lost"]


def drawn(phrases: list[str], n: int, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(phrases, 4)) for _ in range(n)]


TEXTS, LABELS = drawn(SPORT, 24, 0) + drawn(MONEY, 24, 1), ["sport"] * 24 + ["money"] * 24
MORE = drawn(SPORT, 40, 2) + drawn(MONEY, 40, 3)


def weight_of(psi: Any) -> Any:
    return psi.body.encoder.layer[0].output.dense.weight.detach().clone()


def fit(encoder: str, *objectives: Any, unlabeled: Any = MORE, **fields: Any) -> RuleNetClassifier:
    recipe = Recipe.of(
        **{"max_length": 32, "objectives": objectives, "word_vectors": None, "epochs": 2, "batch_texts": 8, **fields}
    )
    return RuleNetClassifier(None, encoder, recipe=recipe, random_state=0).fit(TEXTS, LABELS, unlabeled=unlabeled)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("objective", "figure"),
    [
        (MaskedLM(mask_epochs=8, mask_learning_rate=3e-3), "perplexity"),
        (SimCSE(simcse_epochs=8, simcse_learning_rate=1e-3), "loss"),
        (Denoising(denoise_epochs=12, denoise_learning_rate=3e-3), "loss"),
    ],
    ids=["masked_lm", "simcse", "denoising"],
)
def test_before_supervision_it_learns_from_all_texts_and_then_the_head_is_solved(
    tiny_encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, objective: Any, figure: str
) -> None:
    begun, begin = [], neural.begin
    monkeypatch.setattr(neural, "begin", lambda setup, *rest: begun.append(weight_of(setup.psi)) or begin(setup, *rest))
    clf, plain = fit(tiny_encoder, objective, Supervised(), epochs=0), fit(tiny_encoder, Supervised(), epochs=0)
    (told,) = clf.report_["unsupervised"]
    assert told["after"][figure] < 0.95 * told["before"][figure]
    assert told["texts"] + told["judges"] == len(TEXTS) + len(MORE)
    assert [len(pair) for pair in told.get("examples", [])] == ([2, 2, 2] if isinstance(objective, Denoising) else [])
    parts, start = clf.predictor_.hybrid, plain.predictor_.hybrid.psi.body.state_dict()
    moved = {name for name, value in parts.psi.body.state_dict().items() if not torch.equal(value, start[name])}
    assert any("layer.0" in name for name in moved)
    assert not any("embeddings" in name for name in moved)
    assert torch.equal(begun[0], weight_of(parts.psi))
    clf.save(tmp_path / "model")
    again = RuleNetClassifier.load(tmp_path / "model")
    np.testing.assert_allclose(again.predict_proba(MORE), clf.predict_proba(MORE), atol=1e-3)
    assert again.report_["unsupervised"] == clf.report_["unsupervised"]
    assert again.recipe_ == clf.recipe_


@pytest.mark.slow
@pytest.mark.parametrize(
    "objective", [MaskedLM(), SimCSE(), Denoising(), PseudoLabels(sure_from=0.6), Consistency(minded_from=0.5)],
    ids=lambda one: type(one).__name__,
)  # fmt: skip
def test_beside_supervision_it_learns_with_alpha_and_the_same_seed_gives_the_same(
    tiny_encoder: str, objective: Any
) -> None:
    one, two = (
        fit(tiny_encoder, Supervised(), objective, alpha=(0.3, 0.9), pseudo_confidence=1.0, frozen_layers=1)
        for _ in range(2)
    )
    np.testing.assert_array_equal(one.predict_proba(MORE), two.predict_proba(MORE))
    (told,) = one.report_["unsupervised"]
    assert (told["first"], told["texts"]) == (False, 41 + len(MORE))  # all but the held-out texts
    assert told["judges"] == 7
    assert told["before"].keys() == told["after"].keys() != set()
    assert one.report_["epochs"] == 2
    e = one.explain(MORE[:1])[0]
    sums = {label: e.bias[label] + sum(term.contributions.get(label, 0) for term in e.terms) for label in e.logits}
    assert {label: sums[label] + e.neural[label] for label in sums} == pytest.approx(e.logits, abs=1e-4)


@pytest.mark.parametrize(
    ("alpha", "means"),
    [(None, [1 + 0.5 * 10] * 2), (0.75, [0.75 + 0.25 * 5] * 2), ((0.0, 1.0), [0.2 * 1 + 0.8 * 5, 0.8 * 1 + 0.2 * 5])],
)
def test_alpha_weighs_the_sides_and_goes_from_one_number_to_the_other_over_the_steps(
    make: Callable[..., Any], alpha: Any, means: list[float]
) -> None:
    def term(loss: float, weight: float, *, is_supervised: bool) -> Any:
        made = Term()
        made.weight, made.is_supervised = weight, is_supervised
        made.loss = lambda *_: torch.tensor(loss, requires_grad=True)  # type: ignore[method-assign]
        return made

    run = make()
    recipe = Recipe.of(objectives=(Supervised(), SimCSE()), alpha=alpha, epochs=2, learning_rate=1e-3, batch_texts=8)
    terms = [term(1.0, 1.0, is_supervised=True), term(10.0, 0.5, is_supervised=False)]
    outcome = loop.train_psi(run["psi"], run["train"], None, recipe, terms, Job())
    # Five steps an epoch: α is 0 … 4/9, then 5/9 … 1.
    expected = (
        means if not isinstance(alpha, tuple) else [5 - 4 * np.mean(range(5)) / 9, 5 - 4 * np.mean(range(5, 10)) / 9]
    )
    assert outcome.train_loss == pytest.approx(expected)


@pytest.mark.slow
@pytest.mark.parametrize("steps", [2, 4])
def test_a_run_is_resumed_bit_for_bit_with_the_pseudo_labels_of_its_epoch(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, steps: int
) -> None:
    objectives = (Supervised(), PseudoLabels(sure_from=0.55), Consistency(minded_from=0.5), MaskedLM(), Denoising())
    recipe = Recipe.of(
        epochs=2, learning_rate=1e-2, tune=Full(), max_length=32, batch_texts=8, objectives=objectives, alpha=(0.2, 0.8)
    )

    def train(run: dict[str, Any], *, resume: bool = False) -> dict[str, Any]:
        known = run["train"]
        origin = np.where(np.arange(len(known)) % 5 < 2, Origin.NONE, Origin.GIVEN)
        corpus = replace(known, Y=np.where((origin == Origin.GIVEN)[:, None], known.Y, 0), origin=origin)
        setup = Setup(
            run["psi"], corpus, np.arange(len(corpus)), run["phi"].solved, PhiProblem(), new_cut(recipe, run["psi"])
        )
        torch.manual_seed(0)
        terms = [SupervisedTerm(Supervised(), run["phi"]), *start_all(objectives[1:], setup)]
        loop.train_psi(run["psi"], corpus, None, recipe, terms, Job(), Checkpoint(tmp_path, {"settings": {}}, resume))
        return {**state(run), "pseudo": terms[1].modules["pseudo_labels"]["target"].detach().clone()}  # type: ignore[index]

    whole = train(make())
    assert whole["pseudo"].sum(1).bool().any()
    with monkeypatch.context() as patch:
        patch.setattr(
            loop, "train_step", before_call(steps + 1, loop.train_step, raising(InterruptedError("broken off")))
        )
        patch.setattr(run_module, "SECONDS", 0.0)
        with pytest.raises(InterruptedError, match="broken off"):
            train(make())
    resumed = train(make(), resume=True)
    assert [name for name, value in whole.items() if not torch.equal(value, resumed[name])] == []


def test_what_cannot_be_mixed_is_one_line() -> None:
    beside = "recipe: alpha=0.5 weighs two sides, but no objective learns"
    for fields, message in [
        ({"alpha": 1.2}, "recipe: alpha=1.2 should be a number from 0 to 1, or two of them: from, to"),
        ({"alpha": (0.5, -0.1)}, r"recipe: alpha=\(0.5, -0.1\) should be a number from 0 to 1"),
        ({"alpha": (0.1, 0.2, 0.3)}, "should be one number, or two: from, to"),
        ({"alpha": True}, "recipe: alpha=True should be a number from 0 to 1"),
        ({"alpha": 0.5}, f"{beside} beside it from texts without labels"),
        ({"alpha": 0.5, "objectives": [Supervised(), MaskedLM(mask_epochs=1)]}, f"{beside} beside it"),
        ({"alpha": 0.5, "objectives": [SimCSE()]}, f"{beside} from labels"),
        ({"epochs": 0, "objectives": [Supervised(), SimCSE()]}, "epochs=0 leaves SimCSE beside supervision nothing"),
    ]:
        with pytest.raises(ParameterError, match=message):
            Recipe.of(**fields)


@pytest.mark.slow
def test_beside_supervision_there_must_be_a_layer_to_train(tiny_encoder: str) -> None:
    with pytest.raises(ParameterError, match=r"^SimCSE trains the encoder, but all its layers are frozen"):
        fit(tiny_encoder, Supervised(), SimCSE(), frozen_layers=2)


@pytest.mark.parametrize("objective", [PseudoLabels(), Consistency()], ids=["pseudo_labels", "consistency"])
def test_no_texts_without_labels_is_said_before_any_work(
    tiny_encoder: str, objective: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rulenet.training.stages.read_columns", None)
    with pytest.raises(
        InputError, match=f"^{type(objective).__name__} learns from texts without labels, and there are none"
    ):
        fit(tiny_encoder, Supervised(), objective, unlabeled=None)


def test_pseudo_labels_need_one_label_per_text() -> None:
    from rulenet.training.several import for_several

    with pytest.raises(ParameterError, match=r"^recipe: the objective PseudoLabels: needs one label per text"):
        for_several(Recipe.of(objectives=[Supervised(), PseudoLabels()]))
    assert for_several(Recipe.of(objectives=[Supervised(), MaskedLM()])).mixes


def test_masked_pieces_are_left_out_exchanged_or_kept() -> None:
    special, row = np.array([0, 1]), np.array([0, *range(10, 110), 1])
    term = SimpleNamespace(special=special, objective=MaskedLM(mask_share=0.5), mask=7, n_pieces=1000)
    fates = np.zeros(3)
    for seed in range(40):
        spoiled, places = MaskedLMTerm.spoiled(term, row, np.random.default_rng(seed))  # type: ignore[arg-type]
        assert len(places) == 50
        assert not np.isin(row[places], special).any()
        assert (np.delete(spoiled, places) == np.delete(row, places)).all()
        masked, same = spoiled[places] == 7, spoiled[places] == row[places]
        fates += [masked.sum(), (~masked & ~same).sum(), same.sum()]
    assert fates / fates.sum() == pytest.approx([0.8, 0.1, 0.1], abs=0.02)


def test_an_encoder_that_comes_with_a_head_keeps_it(tiny_encoder: str, tmp_path: Path) -> None:
    from transformers import AutoModel, AutoTokenizer, BertForMaskedLM

    from rulenet.model.encoders.load import load_encoder

    torch.manual_seed(1)
    whole = BertForMaskedLM(AutoModel.from_pretrained(tiny_encoder).config).eval()
    for weight in whole.cls.parameters():
        torch.nn.init.normal_(weight)
    whole.save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(tiny_encoder).save_pretrained(tmp_path)
    encoder = load_encoder(str(tmp_path), texts=[], max_length=32, seed=0)
    encoder.model.eval()
    head, ids = LMHead(encoder), torch.arange(4, 12)[None]
    found = head(encoder.model(input_ids=ids).last_hidden_state, encoder.model.get_input_embeddings().weight)
    assert head.is_own
    torch.testing.assert_close(found, whole(input_ids=ids).logits, atol=1e-5, rtol=1e-4)
    assert not LMHead(load_encoder(tiny_encoder, texts=[], max_length=32, seed=0)).is_own
