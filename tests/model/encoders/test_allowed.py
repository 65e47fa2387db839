"""rulenet.model.encoders.allowed: what fit refuses, load refuses, and the other way round."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from rulenet.errors import EncoderError
from rulenet.model.encoders import allowed
from rulenet.model.encoders.encoder import Body, Encoder
from rulenet.model.encoders.hub import read_body


def test_the_settings_of_every_kind_are_saved_and_allowed() -> None:
    from transformers import AutoConfig

    for kind in allowed.KINDS:
        own = {"id2label": {0: "a"}, "architectures": ["Odd"], "auto_map": {"AutoModel": "x.Evil"}, "a note": "x"}
        saved = allowed.settings_to_save({**AutoConfig.for_model(kind).to_dict(), **own})
        allowed.check_settings(json.loads(json.dumps(saved)))
        assert not own.keys() & saved.keys()
        assert (
            AutoConfig.for_model(**saved).to_dict().items()
            >= {"model_type": kind, "vocab_size": saved["vocab_size"]}.items()
        )


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"return_dict": False}, "return_dict has a value"),
        ({"chunk_size_feed_forward": 7}, "chunk_size_feed_forward has a value"),
        ({"is_decoder": 1}, "is_decoder has a value"),
        ({"num_hidden_layers": 10**5}, "num_hidden_layers has a value"),
        ({"num_hidden_layers": 2.0}, "num_hidden_layers has a value"),
        ({"layer_norm_eps": float("nan")}, "layer_norm_eps has a value"),
        ({"hidden_act": "x" * 5000}, "hidden_act has a value"),
        ({"model_type": "gpt2"}, "model_type 'gpt2' is none of albert"),
        ({"model_type": ["bert"]}, "model_type .* is none of"),
        ({"quantization_config": {}}, "'quantization_config' is not allowed"),
    ],
)
def test_settings_that_are_refused(entry: dict[str, Any], message: str) -> None:
    from transformers import AutoConfig

    settings = allowed.settings_to_save(AutoConfig.for_model("bert").to_dict())
    with pytest.raises(ValueError, match=message):
        allowed.check_settings({**settings, **entry})


def a_pipe(folder: Path) -> None:
    (folder / "added_tokens.json").unlink(missing_ok=True)
    os.mkfifo(folder / "added_tokens.json")


def a_regex(folder: Path) -> None:
    data = json.loads((folder / "tokenizer.json").read_text())
    data["normalizer"] = {"type": "Replace", "pattern": {"Regex": "(a+)+$"}, "content": ""}
    (folder / "tokenizer.json").write_text(json.dumps(data))


def many_layers(folder: Path) -> None:
    data = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**data, "num_hidden_layers": 10**6}))


@pytest.mark.skipif(os.name != "posix", reason="pipes are POSIX")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (a_pipe, r"added_tokens\.json is not a regular file"),
        (a_regex, r"regular expression '\(a\+\)\+\$' is not allowed"),
        (many_layers, r"num_hidden_layers has a value that no encoder needs"),
    ],
)
def test_a_hostile_encoder_is_refused_by_fit_as_by_load(
    tiny_encoder: str, tmp_path: Path, change: Callable[[Path], None], message: str
) -> None:
    shutil.copytree(tiny_encoder, tmp_path / "encoder")
    change(tmp_path / "encoder")
    with pytest.raises(EncoderError, match=message):
        read_body(str(tmp_path / "encoder"), "mine")


def test_a_tokenizer_that_panics_is_an_error_of_ours(tiny_encoder: str) -> None:
    body = read_body(tiny_encoder, "tiny")

    class Panicking:
        """A tokenizer that fails as one in Rust does, or as Ctrl-C would."""

        def __init__(self, error: BaseException) -> None:
            self.error = error

        def __getattr__(self, name: str) -> Any:
            return lambda *_: None

        def encode_batch_fast(self, texts: list[str]) -> None:
            raise self.error

    panic = type("PanicException", (BaseException,), {})("no entry found for key")
    for error, kind in (
        (panic, EncoderError),
        (Exception("boom"), EncoderError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ):
        broken = Encoder(Body(body.model, Panicking(error), 0), name="tiny", max_length=8)
        with pytest.raises(kind, match=r"the tokenizer of 'tiny' fails on these texts: (no entry|boom)|^$"):
            broken.encode(["a text"])
