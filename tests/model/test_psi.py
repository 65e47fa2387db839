"""ψ against its formula, the bound, and the layers run separately."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from rulenet.model.encoders import e5  # noqa: E402
from rulenet.model.encoders.encoder import Encoder, Traits  # noqa: E402
from rulenet.model.encoders.load import load_encoder  # noqa: E402
from rulenet.model.layers import lower_states  # noqa: E402
from rulenet.model.psi import Psi  # noqa: E402
from tests.model.encoders import packed  # noqa: E402

TEXTS = ["the goal", "oil price lost", "a good film a bad film", "bank"]


@pytest.fixture
def encoder(tiny_encoder: str) -> Encoder:
    return load_encoder(tiny_encoder, texts=[], max_length=32, seed=0)


@pytest.fixture
def e5_like(tmp_path: Path) -> Encoder:
    """Like e5: a prefix, h(x) of one length, and two layers."""
    packed.pack(tmp_path / e5.FILE)
    return Encoder(e5.load(tmp_path / e5.FILE, "e5"), name="e5", max_length=32)


@pytest.fixture
def psi(encoder: Encoder) -> Psi:
    torch.manual_seed(1)
    psi = Psi(encoder, 3, bound=1.5, dropout=0.0).eval()
    torch.nn.init.normal_(psi.from_phi.weight)
    torch.nn.init.normal_(psi.from_text.weight)
    return psi


def test_psi_is_the_formula_and_padding_has_no_part_in_it(psi: Psi, encoder: Encoder) -> None:
    rows, phi = encoder.encode(TEXTS), np.array([[1.0, -1, 0], [0, 2, 0], [0, 0, 0], [3, 1, -2]])
    together = psi.predict(rows, phi, device="cpu")
    for i, row in enumerate(rows):
        with torch.inference_mode():
            hidden = encoder.model(torch.tensor([row.tolist()])).last_hidden_state[0]  # (L, H)
        h = hidden.mean(0).numpy()
        W_h, b, W_1 = (p.detach().numpy() for p in (psi.from_text.weight, psi.from_text.bias, psi.from_phi.weight))
        score = W_h @ h + b + W_1 @ phi[i]
        np.testing.assert_allclose(together[i], 1.5 * np.tanh(score), atol=1e-5)


def test_psi_never_leaves_its_bound_and_is_linear_without_one(encoder: Encoder) -> None:
    for bound in (0.5, 3.0, None):
        psi = Psi(encoder, 3, bound=bound, dropout=0.0)
        torch.nn.init.constant_(psi.from_phi.weight, 1e4)
        values = psi.predict(encoder.encode(TEXTS), np.ones((4, 3)), device="cpu")
        np.testing.assert_allclose(values, bound or 3e4, rtol=1e-4)


def test_batch_size_and_order_do_not_matter(
    psi: Psi, encoder: Encoder, e5_like: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    phi, other = np.arange(12.0).reshape(4, 3) / 10, Psi(e5_like, 3, bound=None, dropout=0.0).eval()
    torch.nn.init.normal_(other.from_text.weight)
    for one, texts in ((psi, TEXTS), (other, ["oil", "油价" * 10, "нефть oil " * 8, ""])):
        rows = one.encoder.encode(texts)
        with monkeypatch.context() as patch:
            patch.setattr("rulenet.model.batches.CPU_PIECES", 1)
            one_by_one = one.predict(rows, phi, device="cpu")
        backwards = one.predict(rows[::-1], phi[::-1], device="cpu")[::-1]
        assert len(np.unique(one_by_one.round(3), axis=0)) == 4
        np.testing.assert_allclose(one_by_one, backwards, atol=1e-5)


@pytest.mark.parametrize("layers", [0, 1])
def test_in_bfloat16_a_row_is_the_same_beside_any_others(
    encoder: Encoder, e5_like: Encoder, monkeypatch: pytest.MonkeyPatch, layers: int
) -> None:
    for read in (encoder, e5_like):
        torch.manual_seed(1)
        psi = Psi(read, 3, bound=None, dropout=0.0, precision="bfloat16").eval()
        texts = [*TEXTS, "the " * 15, "a goal " * 10, "oil", "the goal " * 8]
        rows: Any = read.encode(texts)
        if layers:
            rows = lower_states(read, rows, layers, [[i] for i in range(len(texts))], "bfloat16")
            assert rows[0].dtype == torch.bfloat16
        phi = np.random.default_rng(0).normal(size=(len(texts), 3))
        slow = psi.predict(rows, phi, device="cpu", layers=layers)  # on a CPU without it
        exact = psi.predict(rows, phi, device="cpu", layers=layers, exact=True)
        np.testing.assert_array_equal(slow, exact)
        with monkeypatch.context() as patch:
            patch.setattr("rulenet.model.device.has_bfloat16", lambda device: True)
            together = psi.predict(rows, phi, device="cpu", layers=layers)
            assert 0 < np.abs(together - exact).max() < 0.05
            for i in range(len(texts)):
                alone = psi.predict([rows[i]], phi[[i]], device="cpu", layers=layers)
                np.testing.assert_allclose(alone[0], together[i], atol=1e-6)


@pytest.mark.parametrize("layers", [1, 2])
def test_lower_layers_apart_give_the_same_psi(psi: Psi, encoder: Encoder, layers: int) -> None:
    rows, phi = encoder.encode(TEXTS), np.zeros((4, 3))
    whole = psi.predict(rows, phi, device="cpu")
    states = lower_states(encoder, rows, layers, [[0, 2], [1], [3]])
    assert [tuple(state.shape) for state in states] == [(len(row), encoder.width) for row in rows]
    np.testing.assert_allclose(psi.predict(states, phi, device="cpu", layers=layers), whole, atol=1e-5)
    assert len(encoder.model.encoder.layer) == 2  # and the body is whole again


def test_a_reading_is_states_mask_and_their_mean_or_the_first_state(psi: Psi, encoder: Encoder) -> None:
    inputs, mask = encoder.pad(encoder.encode(TEXTS))
    reading, phi = psi.read(inputs, mask), torch.zeros(4, 3)
    means = [hidden[: int(n)].mean(0) for hidden, n in zip(reading.hidden, mask.sum(1), strict=True)]
    torch.testing.assert_close(reading.h, torch.stack(means), atol=1e-6, rtol=0)
    assert torch.equal(psi.head(reading.h, phi), psi(inputs, mask, phi))
    encoder.traits = Traits(pooling="first")
    reading = psi.read(*encoder.pad(encoder.encode(TEXTS)))
    assert torch.equal(reading.h, reading.hidden[:, 0])
