"""Checked rule files, kept on disk by the hash of their text, so that a large one is read and checked once. Imports files and schema.

What is kept is data (JSON), read back through the schema; automata and regexes are built anew, which is quick. Kept in
``$RULENET_CACHE``, else in the user's cache folder; ``RULENET_CACHE=off`` keeps nothing.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from pydantic import ValidationError

from rulenet.files import write_file
from rulenet.rules.schema import RuleFile

MIN_CHARACTERS = 200_000  # smaller files are read in less than a tenth of a second
FORMAT = 1  # to be raised whenever checks become stricter: what is kept is not checked again


def _place(text: str) -> Path | None:
    folder = os.environ.get("RULENET_CACHE")
    if folder == "off" or len(text) < MIN_CHARACTERS:
        return None
    root = Path(folder) if folder else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rulenet"
    return root / f"rules-{FORMAT}-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}.json"


def recall(text: str) -> RuleFile | None:
    """The checked content of a text without faults that was kept before; None if it was not, or not worth it."""
    try:
        place = _place(text)
        return None if place is None else RuleFile.model_validate_json(place.read_bytes())
    except (OSError, RuntimeError, ValidationError):
        return None


def keep(text: str, file: RuleFile) -> None:
    """Keep the content of a text without faults. A cache that cannot be written is no reason to complain."""
    try:
        place = _place(text)
        if place is None:
            return
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_file(place, file.model_dump_json(exclude_defaults=True).encode())
    except (OSError, RuntimeError):
        return
