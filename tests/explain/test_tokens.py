"""rulenet.explain.tokens: Σ shares + bias = ψ's say, against captum's own integral; pieces put together to words of the text."""

from __future__ import annotations

import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("captum")

from rulenet.errors import MissingExtraError  # noqa: E402
from rulenet.explain import tokens as attribution  # noqa: E402
from rulenet.explain.tokens import Attribution, attribute, neutral_piece, psi_of_phi  # noqa: E402
from rulenet.model.encoders.load import load_encoder  # noqa: E402
from rulenet.model.onnx.engine import in_torch  # noqa: E402
from rulenet.model.psi import Psi  # noqa: E402
from rulenet.text.tokenise import Tokeniser  # noqa: E402

TEXTS = ["the goal", "oil price lost", "a good film a bad film", "bank", ""]
PHI = np.array([[1.0, -1, 0], [0, 2, 0], [0, 0, 0], [3, 1, -2], [0, 0, 1]])
# Class 0 against class 2, twice as much, is what is asked of every text.
SIDES = np.tile([2.0, 0, -2.0], (5, 1))
EN = Tokeniser("en")


def new_psi(tiny_encoder: str, *, bound: float | None = 1.5, **options: object) -> Psi:
    encoder = load_encoder(tiny_encoder, texts=[], max_length=32, seed=0, **options)  # type: ignore[arg-type]
    torch.manual_seed(1)
    psi = Psi(encoder, 3, bound=bound, dropout=0.5)
    torch.nn.init.normal_(psi.from_phi.weight, std=0.3)
    torch.nn.init.normal_(psi.from_text.weight)
    return psi


@pytest.fixture
def psi(tiny_encoder: str) -> Psi:
    return new_psi(tiny_encoder)


def asked(psi: Psi, texts: list[str], phi: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """What predictions say of Σ_k sides_k ψ_k."""
    return (psi.predict(psi.encoder.encode(texts), phi, device="cpu") * sides).sum(axis=1)


@pytest.mark.parametrize("bound", [1.5, None])
def test_shares_and_bias_add_up_to_what_psi_says(tiny_encoder: str, bound: float | None) -> None:
    psi = new_psi(tiny_encoder, bound=bound)
    found = attribute(psi, TEXTS, PHI, SIDES)
    for share, expected in zip(found, asked(psi, TEXTS, PHI, SIDES), strict=True):
        assert share.total == pytest.approx(expected, abs=1e-5)
        assert share.gap <= max(0.01 * abs(expected), 1e-3)
        assert share.values.sum() + share.bias == pytest.approx(expected, abs=max(0.011 * abs(expected), 1.1e-3))
    assert max(abs(share.values).max() for share in found) > 0.1


def test_the_bias_is_psi_of_as_many_masks(psi: Psi) -> None:
    mask = psi.encoder.tokenizer.token_to_id("[MASK]")
    assert neutral_piece(psi) == mask
    masked = [[2, *[mask] * (len(row) - 2), 3] for row in psi.encoder.encode(TEXTS)]
    expected = (psi.predict(masked, PHI, device="cpu") * SIDES).sum(axis=1)
    assert [share.bias for share in attribute(psi, TEXTS, PHI, SIDES)] == pytest.approx(expected, abs=1e-5)


def test_captums_own_integral_says_the_same(psi: Psi, monkeypatch: pytest.MonkeyPatch) -> None:
    from captum.attr import LayerIntegratedGradients

    monkeypatch.setattr(attribution, "FIRST_NODES", 96)
    psi.eval()
    text, phi, sides = TEXTS[2], torch.tensor(PHI[2:3], dtype=torch.float32), torch.tensor(SIDES[2:3])
    ids = torch.tensor(np.asarray(psi.encoder.encode([text])[0])[None]).long()
    masked = torch.where(ids > 4, neutral_piece(psi), ids)

    def of(ids: torch.Tensor) -> torch.Tensor:
        given = phi.expand(len(ids), -1)
        return (psi(ids, torch.ones_like(ids), given) * sides).sum(1)

    engine = LayerIntegratedGradients(of, psi.body.get_input_embeddings())
    expected = engine.attribute(ids, masked, n_steps=200, method="gausslegendre").sum(-1)[0].detach().numpy()
    np.testing.assert_allclose(attribute(psi, [text], PHI[2:3], SIDES[2:3])[0].values, expected, atol=1e-3)


def test_the_other_side_has_the_other_sign(psi: Psi) -> None:
    for one, other in zip(attribute(psi, TEXTS, PHI, SIDES), attribute(psi, TEXTS, PHI, -SIDES), strict=True):
        np.testing.assert_allclose(one.values, -other.values, atol=1e-6)


def test_neither_neighbours_nor_batch_size_change_a_share(psi: Psi) -> None:
    together = attribute(psi, TEXTS, PHI, SIDES)
    for budget in (1, 40, 100_000):
        for i in (0, 2):
            alone = attribute(psi, TEXTS[i : i + 1], PHI[i : i + 1], SIDES[i : i + 1], budget=budget)[0]
            np.testing.assert_allclose(alone.values, together[i].values, atol=1e-5)


def test_special_pieces_and_texts_without_words_have_no_share(psi: Psi) -> None:
    found = attribute(psi, TEXTS, PHI, SIDES)
    assert all(share.values[0] == share.values[-1] == 0 for share in found)
    assert found[0].places == [(0, 0), (0, 3), (4, 8), (0, 0)]
    assert (found[4].places, found[4].values.tolist(), found[4].gap) == ([(0, 0), (0, 0)], [0, 0], 0)
    assert found[4].bias == found[4].total


def test_nodes_are_doubled_where_needed_and_the_gap_is_told_where_not_enough(
    psi: Psi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attribution, "FIRST_NODES", 1)
    patient = attribute(psi, TEXTS, PHI, SIDES)
    assert {share.nodes for share in patient} > {1}
    assert all(share.is_complete for share in patient)
    monkeypatch.setattr(attribution, "MOST_NODES", 1)
    hasty = attribute(psi, TEXTS, PHI, SIDES)
    assert {share.nodes for share in hasty} == {1}
    assert not all(share.is_complete for share in hasty)
    assert max(share.gap for share in hasty) > 0.01


def test_the_model_is_left_as_it_was(psi: Psi) -> None:
    psi.train()
    psi.from_text.bias.requires_grad_(False)
    before = [weight.requires_grad for weight in psi.parameters()]
    attribute(psi, TEXTS, PHI, SIDES)
    assert psi.training
    assert [weight.requires_grad for weight in psi.parameters()] == before
    assert all(weight.grad is None for weight in psi.parameters())


@pytest.mark.parametrize("long_texts", ["head", "head_tail", "chunks"])
def test_long_texts_have_shares_of_what_is_read(tiny_encoder: str, long_texts: str) -> None:
    psi = new_psi(tiny_encoder, long_texts=long_texts)
    text = "goal " * 30 + "oil " * 30 + "bank"  # 61 pieces, of which a window holds 30
    share = attribute(psi, [text], PHI[:1], SIDES[:1])[0]
    assert share.gap <= max(0.01 * abs(share.total), 1e-3)
    assert share.total == pytest.approx(asked(psi, [text], PHI[:1], SIDES[:1])[0], abs=1e-5)
    read = [text[a:b] for a, b, _ in share.words(text, EN)]
    expected = {
        "head": ["goal"] * 30,
        "head_tail": ["goal"] * 15 + ["oil"] * 14 + ["bank"],
        "chunks": ["goal"] * 30 + ["oil"] * 30 + ["bank"],
    }
    assert read == expected[long_texts]


def test_without_captum_the_pip_line_is_told(psi: Psi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "captum", None)
    with pytest.raises(MissingExtraError, match=r"token attribution needs .*pip install 'rulenet\[explain\]'"):
        attribute(psi, TEXTS, PHI, SIDES)


def test_an_engine_that_only_predicts_keeps_its_original(psi: Psi) -> None:
    class Engine:
        original = psi

    assert in_torch(Engine()) is in_torch(psi) is psi


def test_psi_of_phi_is_psi(psi: Psi) -> None:
    of = psi_of_phi(psi, TEXTS[1])
    expected = psi.predict(psi.encoder.encode(TEXTS[1:2] * 5), PHI, device="cpu")
    np.testing.assert_allclose(of(PHI), expected, atol=1e-5)
    assert np.ptp(expected, axis=0).max() > 0.1


# Pieces → words. Each case: text, places of the pieces in the cleaned text, words that they make


@pytest.mark.parametrize(
    ("text", "places", "words"),
    [
        ("oil price", [(0, 3), (4, 9)], ["oil", "price"]),
        ("goalkeeper", [(0, 4), (4, 6), (6, 10)], ["goalkeeper"]),
        ("Don't stop", [(0, 3), (3, 4), (4, 5), (6, 10)], ["Don't", "stop"]),
        ("U.S.-led", [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 8)], ["U", ".", "S", ".", "-", "led"]),
        ("AT&amp;T rose", [(0, 2), (2, 3), (3, 4), (5, 9)], ["AT", "&amp;", "T", "rose"]),
        ("&frac12; mile", [(0, 1), (1, 2), (2, 3), (4, 8)], ["&frac12;", "mile"]),
        ("ﬁlm", [(0, 2), (2, 4)], ["ﬁlm"]),
        ("<b>oil</b>", [(1, 4)], ["oil"]),
        ("unread half", [(0, 2), (2, 4)], ["unre"]),
        ("oil price", [(0, 3), (3, 9)], ["oil", "price"]),  # the space counts to the piece after it
        ("oil price", [(0, 0), (0, 3), (3, 4), (4, 9), (0, 0)], ["oil", " ", "price"]),
    ],
)
def test_pieces_are_put_together_to_words(text: str, places: list[tuple[int, int]], words: list[str]) -> None:
    values = np.arange(1.0, len(places) + 1)
    found = Attribution(places, values, 0.0, 0.0, 1).words(text, EN)
    assert [text[a:b] for a, b, _ in found] == words
    special = sum(value for value, (a, b) in zip(values, places, strict=True) if a == b)
    assert sum(value for _, _, value in found) == values.sum() - special


def test_a_word_has_the_sum_of_its_pieces() -> None:
    share = Attribution([(0, 0), (0, 4), (4, 10), (11, 14), (0, 0)], np.array([0, 0.5, -0.2, 1.0, 0]), 0.0, 1.3, 1)
    assert share.words("goalkeeper ran", EN) == [(0, 10, pytest.approx(0.3)), (11, 14, 1.0)]


def test_chinese_characters_are_put_together_to_words_of_the_tokeniser() -> None:
    pytest.importorskip("jieba")
    text = "油价再次下跌"
    share = Attribution([(i, i + 1) for i in range(6)], np.arange(6.0), 0.0, 15.0, 1)
    found = share.words(text, Tokeniser("zh", ["油价"]))
    assert [(text[a:b], value) for a, b, value in found] == [("油价", 1.0), ("再次", 5.0), ("下跌", 9.0)]
