"""The contrastive start: its loss, what it samples, and that the head is solved and judged as it should after it."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from rulenet import Recipe, RuleNetClassifier  # noqa: E402
from rulenet.model.link import ONE_OF  # noqa: E402
from rulenet.training.corpus import Corpus, Origin  # noqa: E402
from rulenet.training.objectives.contrast import BATCH, Contrastive, ContrastiveTerm, contrastive_loss  # noqa: E402

TEXTS = ["the goal", "win the match", "a goal a win", "oil price", "the bank", "stock market"]
LABELS = ["sport"] * 3 + ["money"] * 3


def test_the_loss_is_its_formula_and_forgets_texts_without_another_of_their_label() -> None:
    rng = np.random.default_rng(0)
    h, y = rng.normal(size=(5, 4)), [0, 0, 1, 1, 2]
    z = h / np.linalg.norm(h, axis=1, keepdims=True)
    losses = []
    for i in range(4):
        others = [k for k in range(5) if k != i]
        log_p = {j: z[i] @ z[j] / 0.5 - np.log(sum(np.exp(z[i] @ z[k] / 0.5) for k in others)) for j in others}
        losses.append(-np.mean([log_p[j] for j in others if y[j] == y[i]]))
    alike = torch.eye(3, dtype=torch.float64)[y] @ torch.eye(3, dtype=torch.float64)[y].T
    assert float(contrastive_loss(torch.tensor(h), alike, 0.5)) == pytest.approx(np.mean(losses))
    assert float(contrastive_loss(torch.tensor(h[[0, 2]]), alike[[0, 2]][:, [0, 2]], 0.5)) == 0


@pytest.mark.parametrize(
    ("counts", "size"),
    [
        ([16_000, 20_000, 4_000], 30),  # ten of each
        ([8, 8], 16),  # all
        ([40, 1], 17),  # what there is
        ([3] * 100, BATCH),  # two each of sixteen labels
        ([40], 0),  # nothing to draw apart
        ([1, 1, 1], 0),  # nothing to draw together
    ],
)
def test_batches_have_as_many_texts_of_each_label(counts: list[int], size: int) -> None:
    y = np.repeat(np.arange(len(counts)), counts)
    origin = np.append(np.full(len(y), Origin.GIVEN), [Origin.NONE, Origin.GUESSED])
    Y = np.vstack([np.eye(len(counts))[y], np.zeros((1, len(counts))), np.eye(len(counts))[:1]])
    corpus = Corpus([""] * len(Y), None, Y, origin)
    term = ContrastiveTerm(Contrastive(contrast_steps=50), ONE_OF)
    batches = term.batches(corpus, np.random.default_rng(0))
    assert [len(batch) for batch in batches] == [size] * (50 if size else 0)
    assert batches == term.batches(corpus, np.random.default_rng(0))
    if size:
        n = np.bincount(
            y[list(chain.from_iterable(batches))]
        )  # an index beyond y, of a text without a given label, is an error
        assert n.min() > 0
        assert n.max() - n.min() <= (2 if min(counts) > 1 else np.inf)


def fit(encoder: str, labels: list[str], **fields: Any) -> RuleNetClassifier:
    recipe = Recipe.of(
        **{"max_length": 32, "contrast_steps": 20, "contrast_learning_rate": 1e-2, "word_vectors": None, **fields}
    )
    return RuleNetClassifier(None, encoder, recipe=recipe, random_state=0).fit(TEXTS, labels)


def apart(clf: RuleNetClassifier) -> float:
    """How much more alike texts of one label are than others."""
    psi = clf.predictor_.hybrid.psi
    h = psi.hidden(psi.encoder.encode(TEXTS), device="cpu")
    z = h / np.linalg.norm(h, axis=1, keepdims=True)
    alike = z @ z.T
    return float(alike[:3, :3].mean() + alike[3:, 3:].mean() - 2 * alike[:3, 3:].mean())


@pytest.mark.slow
def test_few_texts_move_the_encoder_and_the_head_is_solved_on_it(tiny_encoder: str, tmp_path: Path) -> None:
    still, moved = (fit(tiny_encoder, LABELS, contrast_steps=steps) for steps in (None, 20))
    assert [clf.report_["settled"]["contrast_steps"] for clf in (still, moved)] == [0, 20]
    assert apart(moved) > apart(still) + 0.5
    bodies = [clf.predictor_.hybrid.psi.body.state_dict() for clf in (still, moved)]
    changed = {name for name, weight in bodies[0].items() if not torch.equal(weight, bodies[1][name])}
    assert any("layer.0" in name for name in changed)
    assert not any(name.startswith("embeddings") for name in changed)
    psi = moved.predictor_.hybrid.parts(TEXTS).psi
    assert (psi.argmax(1) == np.array([1] * 3 + [0] * 3)).all()
    again = fit(tiny_encoder, LABELS)
    np.testing.assert_array_equal(again.predict_proba(TEXTS), moved.predict_proba(TEXTS))
    moved.save(tmp_path / "model")
    loaded = RuleNetClassifier.load(tmp_path / "model")
    np.testing.assert_allclose(loaded.predict_proba(TEXTS), moved.predict_proba(TEXTS), atol=1e-3)
    assert loaded.recipe_ == moved.recipe_


@pytest.mark.slow
def test_labels_by_chance_are_learned_by_the_encoder_but_do_not_make_it_sure(tiny_encoder: str) -> None:
    by_chance = fit(tiny_encoder, ["sport", "money"] * 3)
    right = fit(tiny_encoder, LABELS)
    leads = [ONE_OF.lead(clf.predictor_.hybrid.parts(TEXTS).logits).mean() for clf in (by_chance, right)]
    assert leads[0] < leads[1]
