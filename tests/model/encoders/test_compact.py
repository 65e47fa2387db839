"""A smaller vocabulary: what is kept, the same pieces and weights for what is, smaller pieces for the rest, the same model after saving."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from rulenet import Recipe, RuleNetClassifier  # noqa: E402
from rulenet.model.encoders import compact, e5  # noqa: E402
from rulenet.model.encoders.encoder import Encoder  # noqa: E402
from rulenet.model.encoders.load import load_encoder  # noqa: E402
from tests.model.encoders import packed  # noqa: E402

TEXTS = ["oil", "油 oil", "A lily", "价 oil A"]


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small e5, counted as large."""
    packed.pack(tmp_path / "packed")
    monkeypatch.setattr(e5, "file", lambda: tmp_path / "packed")
    monkeypatch.setattr(compact, "LARGE", 10)
    monkeypatch.setattr(compact, "ENOUGH", 3)


def tokens(encoder: Encoder, text: str) -> list[str]:
    return [encoder.tokenizer.id_to_token(piece) for piece in encoder.encode([text])[0].tolist()][4:-1]


def test_what_is_left_out_is_read_in_smaller_pieces_and_the_rest_as_before(small: None) -> None:
    options: dict[str, Any] = {"max_length": 16, "seed": 0}
    whole, kept = (load_encoder("e5", texts=texts, **options) for texts in ([], TEXTS * 2))
    assert kept.model.config.vocab_size == kept.tokenizer.get_vocab_size() == len(packed.PIECES) - 1
    assert tokens(whole, "油价 oil") == ["▁", "油价", "▁oil"]
    assert tokens(kept, "油价 oil") == ["▁", "油", "价", "▁oil"]
    assert kept.traits.sixteen_bits
    assert not whole.traits.sixteen_bits
    for text in (*TEXTS, "ÿ unknown"):
        assert tokens(kept, text) == tokens(whole, text)
        with torch.inference_mode():
            a, b = (
                encoder.model(encoder.pad(encoder.encode([text]))[0]).last_hidden_state for encoder in (whole, kept)
            )
        torch.testing.assert_close(a, b, atol=0.01, rtol=0)  # of weights in 16 bits


def test_what_is_worth_keeping(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = ["▁", "a", "é", "油", "ж", "!", "▁oil", "▁gas", "▁été", "油价", "油田", "▁нефть", "▁да", "▁coal"]
    few = np.array([0, 0, 0, 0, 0, 0, 9, 2, 0, 40, 0, 0, 30, 0])
    for enough, covered, counts, kept in (
        (0, 0.0, few, "▁ a 油 ж ! 油价"),  # no é: there are no accents in the texts
        (0, 0.5, few, "▁ a 油 ж ! 油价 ▁да"),
        (0, 1.0, few, "▁ a 油 ж ! 油价 ▁да ▁oil ▁gas"),
        (6, 0.0, few, "▁ a 油 ж ! 油价 ▁да ▁oil ▁gas 油田 ▁нефть"),  # then the likeliest of the same scripts
        (
            0,
            0.0,
            np.array([0] * 7 + [1, 0, 5, 0, 0, 0, 0]),
            "▁ a 油 ! ▁oil ▁gas ▁coal 油价",
        ),  # too little ASCII to choose
    ):
        monkeypatch.setattr(compact, "ENOUGH", enough)
        monkeypatch.setattr(compact, "COVERED", covered)
        assert {pieces[i] for i in compact.worth_keeping(pieces, counts)} == set(kept.split()), (enough, covered)


@pytest.mark.slow
def test_a_saved_model_answers_the_same_from_half_the_bytes(small: None, tmp_path: Path) -> None:
    texts, labels = ["油 价 oil", "A lily", "油", "A oil A"] * 12, [1, 0, 1, 0] * 12
    clf = RuleNetClassifier(
        None, "e5", recipe=Recipe.of(epochs=8, learning_rate=0.005, max_length=16, tfidf=False)
    ).fit(texts, labels)
    assert clf.report_["n_pieces"] == len(packed.PIECES) - 1
    clf.save(tmp_path / "model")
    loaded = RuleNetClassifier.load(tmp_path / "model")
    texts += ["价油价 lily", "ÿ"]
    before, after = (one.predictor_.hybrid.psi for one in (clf, loaded))
    rows, phi = before.encoder.encode(texts), np.zeros((len(texts), 2))
    np.testing.assert_array_equal(after.encoder.encode(texts).values, rows.values)
    np.testing.assert_array_equal(after.predict(rows, phi, device="cpu"), before.predict(rows, phi, device="cpu"))
    np.testing.assert_array_equal(loaded.predict_proba(texts), clf.predict_proba(texts))
    (weights,) = (tmp_path / "model/parts").glob("encoder-*.safetensors")
    assert weights.stat().st_size < 2.2 * sum(weight.numel() for weight in before.body.parameters()) + 10_000
    loaded.save(tmp_path / "again")
    assert weights.name in {part.name for part in (tmp_path / "again/parts").iterdir()}
