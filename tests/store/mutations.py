"""Changes to a saved model, one at a time: each value of its JSON files, each of its arrays, each of its files."""

from __future__ import annotations

import copy
import json
import math
import shutil
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from rulenet import RuleNetClassifier
from rulenet.errors import RuleNetError
from tests.store.folders import config_of, forge, part, write_config

Change = Callable[[Path], None]
GONE = object()
DEEP: Any = None
for _ in range(200):
    DEEP = [DEEP]
# What takes the place of a value: extreme numbers, other types, long, deep, nothing.
VALUES = [
    *(0, -1, 2, 10**6, 10**18, 10**400, 1e308, -1e308, 5e-324, math.inf, -math.inf, math.nan, 0.5, True, False, None),
    *("", "x", "x" * 100_000, "\x1b[2J\u202e", "(a+)+$", [], {}, [None] * 3, {"a": 1}, DEEP, GONE),
]
TEXTS = ["good film", "what a bad\tfilm", "", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa! 中文 é 😀"]
SECONDS = 20.0


def json_changes(folder: Path, name: str, *, every: int = 1) -> Iterator[tuple[str, Change]]:
    """Every `every`-th change of a JSON file; of the pieces of a vocabulary, the first few stand for all."""
    data = config_of(folder) if name == "config.json" else json.loads(part(folder, name).read_text(encoding="utf-8"))
    number = 0
    for path in _paths(data):
        values = VALUES if path != (EXTRA,) else ["x"]
        for value in values:
            number += 1
            if number % every == 0:
                shown = "gone" if value is GONE else repr(value)[:20]
                yield f"{name} {'.'.join(map(str, path))} = {shown}", _json_change(name, path, value)


EXTRA = "an extra entry"


def _paths(data: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if at:
        yield at
    items = list(data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ())
    for key, value in items if len(items) <= 40 else items[:3]:
        yield from _paths(value, (*at, key))
    if isinstance(data, dict):
        yield (*at, EXTRA)


def _json_change(name: str, path: tuple[Any, ...], value: Any) -> Change:
    def change(folder: Path) -> None:
        data = (
            config_of(folder) if name == "config.json" else json.loads(part(folder, name).read_text(encoding="utf-8"))
        )
        inner = data
        for key in path[:-1]:
            inner = inner[key]
        if value is not GONE:
            inner[path[-1]] = copy.deepcopy(value)
        elif path[-1] != EXTRA:
            del inner[path[-1]]
        if name == "config.json":
            write_config(folder, data)
        else:
            forge(folder, name, json.dumps(data).encode())

    return change


def array_changes(folder: Path, name: str) -> Iterator[tuple[str, Change]]:
    """All changes of the arrays of a safetensors file, and of the file as a whole."""
    for key in safetensors.numpy.load_file(part(folder, name)):
        for number in (math.nan, math.inf, -math.inf, 1e300, -1e30, 1e15, 1e6):
            yield f"{name} {key} first = {number}", _array_change(name, key, _first(number))
            yield (
                f"{name} {key} all = {number}",
                _array_change(name, key, lambda array, number=number: np.full_like(array, number)),
            )
        for dtype in ("int8", "int64", "float16", "float64", "complex64", "bool"):
            yield f"{name} {key} {dtype}", _array_change(name, key, lambda array, dtype=dtype: array.astype(dtype))
        yield f"{name} {key} shorter", _array_change(name, key, lambda array: array[:-1].copy())
        yield (
            f"{name} {key} flat",
            _array_change(name, key, lambda array: np.concatenate([array.ravel(), array.ravel()])),
        )
        yield f"{name} {key} a row", _array_change(name, key, lambda array: array[None].copy())
        yield f"{name} {key} nothing", _array_change(name, key, lambda array: array[:0].copy())
        yield f"{name} {key} gone", _array_change(name, key, lambda array: None)
    for share in (0.0, 0.01, 0.5, 0.99):
        yield (
            f"{name} cut to {share:.0%}",
            lambda folder, share=share: forge(
                folder, name, part(folder, name).read_bytes()[: int(share * part(folder, name).stat().st_size)]
            ),
        )


def _first(number: float) -> Callable[[Any], Any]:
    def change(array: Any) -> Any:
        changed = array.copy()
        changed.flat[:1] = np.array([number]).astype(array.dtype)
        return changed

    return change


def _array_change(name: str, key: str, change: Callable[[Any], Any]) -> Change:
    def changed(folder: Path) -> None:
        arrays = safetensors.numpy.load_file(part(folder, name))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # numbers that do not fit the type
            new = change(arrays.pop(key))
        forge(folder, name, safetensors.numpy.save(arrays if new is None else {**arrays, key: new}))

    return changed


def outcome(model: Path, change: Change, work: Path) -> str:
    """What becomes of a changed copy of a model: "answers", "refused", or what is wrong."""
    copied = work / "copy"
    shutil.copytree(model, copied)
    try:
        change(copied)
        started = time.process_time()
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            found = _answers(copied)
        seconds = time.process_time() - started
        return found if seconds < SECONDS else f"took {seconds:.0f} s"
    finally:
        shutil.rmtree(copied)


def _answers(folder: Path) -> str:
    try:
        clf = RuleNetClassifier.load(folder)
        numbers = [clf.predict_proba(TEXTS).ravel(), clf.decision_function(TEXTS).ravel()]
        numbers += [[*e.proba.values(), *e.logits.values()] for e in clf.explain(TEXTS[:1])]
        if not all(map(math.isfinite, np.concatenate(numbers).tolist())):
            return "answers are not finite"
    except RuleNetError as error:
        message = str(error)
        return "refused" if "\n" not in message and len(message) < 5000 else f"refused at length: {message[:300]}"
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return f"{type(error).__name__}: {error}"[:300]
    return "answers"
