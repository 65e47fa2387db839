"""A smaller vocabulary and fewer bits: the same states for what is kept, smaller pieces for the rest, the same model after saving."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch

torch = pytest.importorskip("torch")

from rulenet import Recipe, RuleNetClassifier  # noqa: E402
from rulenet.model.encoders import bits, compact, e5  # noqa: E402
from rulenet.model.encoders.encoder import Encoder  # noqa: E402
from rulenet.model.encoders.load import load_encoder  # noqa: E402
from tests.model.encoders import packed  # noqa: E402

TEXTS = ["oil", "油价 oil", "A lily", "价 oil A н"]


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small e5, counted as large."""
    packed.pack(tmp_path / "packed")
    monkeypatch.setattr(e5, "file", lambda: tmp_path / "packed")
    monkeypatch.setattr(compact, "LARGE", 10)
    monkeypatch.setattr(compact, "COMMON", 0.1)


def tokens(encoder: Encoder, text: str) -> list[str]:
    return [encoder.tokenizer.id_to_token(piece) for piece in encoder.encode([text])[0].tolist()][4:-1]


def test_what_is_left_out_is_read_in_smaller_pieces_and_the_rest_as_before(small: None) -> None:
    options: dict[str, Any] = {"max_length": 16, "seed": 0}
    whole, kept = (load_encoder("e5", texts=texts, **options) for texts in ([], TEXTS))
    assert kept.model.config.vocab_size == kept.tokenizer.get_vocab_size() == len(packed.PIECES) - 2
    assert tokens(whole, "нефть oil") == ["▁нефть", "▁oil"]
    assert tokens(kept, "нефть oil") == ["▁", *"нефть", "▁oil"]
    assert kept.traits.sixteen_bits
    assert not whole.traits.sixteen_bits
    for text in (*TEXTS, "ÿ unknown"):
        assert tokens(kept, text) == tokens(whole, text)
        with torch.inference_mode():
            a, b = (
                encoder.model(encoder.pad(encoder.encode([text]))[0]).last_hidden_state for encoder in (whole, kept)
            )
        torch.testing.assert_close(a, b, atol=0, rtol=0)


def test_what_is_worth_keeping() -> None:
    pieces = ["▁", "a", "é", "油", "ж", "▁oil", "▁été", "油田", "▁нефть", "▁да", "▁2008", "!!", "한", "▁한국"]
    always = "▁ a 油 ▁oil 油田 ▁2008"
    for counts, kept in (
        ([9] + 13 * [0], always),
        ([0, 0, 0, 0, 0, 950, 0, 0, 0, 50, 0, 0, 0, 0], f"{always} ж ▁да ▁нефть"),
        ([0, 0, 0, 0, 0, 995, 0, 0, 0, 5, 0, 1, 0, 0], f"{always} ж ▁да !!"),  # a few words of another script
    ):
        assert {pieces[i] for i in compact.worth_keeping(pieces, np.array(counts))} == set(kept.split())


def test_weights_are_kept_in_the_fewest_bits_that_lose_nothing() -> None:
    numbers = torch.randint(-8, 8, (6, 64), generator=torch.Generator().manual_seed(0)).float()
    numbers[:, ::32] = -8
    state = {"four": numbers * torch.tensor([[1.0], [-1], [3], [0.1], [1e-4], [7]]).half()}
    state |= {"half": torch.randn(3, 32).half().float(), "float": torch.randn(3, 32), "one": torch.ones(5)}
    saved = bits.in_fewest_bits(state)
    assert {name: str(tensor.dtype).removeprefix("torch.") for name, tensor in saved.items()} == {
        "four.4bit.pairs": "uint8", "four.4bit.scale": "float16", "half": "float16", "float": "float32", "one": "float16"
    }  # fmt: skip
    back = bits.in_floats(saved)
    assert state.keys() == back.keys()
    assert all(back[name].equal(tensor) for name, tensor in state.items())
    for change in ({"four.4bit.scale": None}, {"four.4bit.pairs": torch.ones(6, 31, dtype=torch.uint8)}):
        damaged = {name: tensor for name, tensor in {**saved, **change}.items() if tensor is not None}
        with pytest.raises(ValueError, match="four"):
            bits.in_floats(damaged)


@pytest.mark.slow
def test_a_saved_model_answers_the_same_from_few_bits(small: None, tmp_path: Path) -> None:
    texts, labels = ["油 价 oil", "A lily н", "油", "A oil A"] * 12, [1, 0, 1, 0] * 12
    recipe = Recipe.of(epochs=2, max_length=16, tfidf=False, frozen_layers=1)
    clf = RuleNetClassifier(None, "e5", recipe=recipe).fit(texts, labels)
    upper = clf.predictor_.hybrid.psi.body.encoder.layer[1].output.dense
    with torch.no_grad():
        upper.weight.mul_(1.01)  # as if these epochs had paid
    compact.round_weights(clf.predictor_.hybrid.psi.body)
    assert clf.report_["n_pieces"] == len(packed.PIECES) - 2
    clf.save(tmp_path / "model")
    loaded = RuleNetClassifier.load(tmp_path / "model")
    texts += ["价油价 lily", "ÿ"]
    before, after = (one.predictor_.hybrid.psi for one in (clf, loaded))
    rows, phi = before.encoder.encode(texts), np.zeros((len(texts), 2))
    np.testing.assert_array_equal(after.encoder.encode(texts).values, rows.values)
    np.testing.assert_array_equal(after.predict(rows, phi, device="cpu"), before.predict(rows, phi, device="cpu"))
    np.testing.assert_array_equal(loaded.predict_proba(texts), clf.predict_proba(texts))
    (weights,) = (tmp_path / "model/parts").glob("encoder-*.safetensors")
    saved = safetensors.torch.load_file(weights)
    for name, kind in {
        "embeddings.word_embeddings.weight.4bit.pairs": torch.uint8,
        "encoder.layer.0.output.dense.weight.4bit.pairs": torch.uint8,  # as it came
        "encoder.layer.1.output.dense.weight": torch.float16,  # trained
        "encoder.layer.1.output.dense.bias": torch.float16,
    }.items():
        assert saved[name].dtype == kind
    loaded.save(tmp_path / "again")
    assert weights.name in {part.name for part in (tmp_path / "again/parts").iterdir()}
