"""Fitted parts → a model folder: the one writer, for save, export, edits of the rules, undo and redo. Imports history and below.

A writer takes the lock of the folder, adds parts under names made from their content, and replaces config.json: that is the commit. If
it is killed earlier, the folder keeps its state, and the next writer deletes the files that nobody needs. The parts of all states that
undo and redo lead to stay, and the state before the commit is one of them: who has just read its config.json can finish loading it.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from pydantic import BaseModel

from rulenet.base.files import sync, write_file
from rulenet.base.version import __version__
from rulenet.decide.policy import Policy
from rulenet.errors import ModelFileError
from rulenet.model.hybrid import Hybrid
from rulenet.model.link import AnyOf
from rulenet.model.onnx.engine import OnnxPsi
from rulenet.store import history
from rulenet.store.manifest import (
    HELD_OUT,
    ONNX,
    PROTOCOL,
    EncoderEntry,
    HeldOutEntry,
    ModelConfig,
    SeveralEntry,
    State,
    check_parts,
    check_target,
    entries_of,
    is_intact,
    part_file,
    read_config,
    validated,
)
from rulenet.training.recipe import Recipe

PATIENCE = 30.0  # seconds that a writer waits for another one
Step = Callable[[ModelConfig | None], ModelConfig]
"""From the present pointer of a folder, None if there is no readable one, to the next."""


def save_model(
    path: str | os.PathLike[str], hybrid: Hybrid, policy: Policy, *, labels: Any, names: Sequence[str], recipe: Recipe,
    report: dict[str, Any],
) -> None:  # fmt: skip
    """Write a model folder. A model that is already there becomes the state that `undo` leads back to."""
    folder, parts, encoder = check_target(path), _phi_parts(hybrid) | _held_out_part(hybrid), None
    if hybrid.psi is not None:
        encoder, more = _psi_parts(hybrid.psi)
        parts |= more
    given = np.asarray(labels).tolist()
    fields = {"protocol": PROTOCOL, "rulenet": __version__, "labels": given, "label_type": type(given[0]).__name__}
    fields |= {"names": list(names) if list(names) != list(map(str, given)) else None}
    fields |= {"language": hybrid.features.language, "recipe": recipe.to_dict(), "encoder": encoder, "report": report}
    fields |= {"cascade": policy.mode, "cascade_risk": policy.risk, **_settings(hybrid), "parts": entries_of(parts)}
    state = _state(folder, fields)
    commit(folder, parts, lambda now: history.push(now, state))


def save_edit(folder: Path, hybrid: Hybrid, *, report: dict[str, Any], seen: ModelConfig) -> None:
    """Write the rules and φ of a model to its folder, if that is still as `seen` when the model was loaded; all else stays."""
    parts = _phi_parts(hybrid)
    kept = {name: entry for name, entry in seen.parts.items() if name != "rules.yaml"}
    changes = {"rulenet": __version__, **_settings(hybrid), "report": report, "parts": {**kept, **entries_of(parts)}}
    _push(folder, parts, {**changes, "made_by": "rules"}, seen)


def save_calibration(
    folder: Path, hybrid: Hybrid, policy: Policy, *, report: dict[str, Any], seen: ModelConfig
) -> None:
    """Write the held-out texts and the cascade of a model to its folder; `seen` as in `save_edit`."""
    parts = _held_out_part(hybrid)
    changes = {
        "rulenet": __version__,
        **_settings(hybrid),
        "report": report,
        "parts": {**seen.parts, **entries_of(parts)},
    }
    changes |= {"cascade": policy.mode, "cascade_risk": policy.risk, "made_by": "calibrate"}
    _push(folder, parts, changes, seen)


def save_onnx(folder: Path, psi: Any, *, seen: ModelConfig) -> None:
    """Add the ONNX form of ψ, an `OnnxPsi`, to the folder of its model; `seen` as in `save_edit`."""
    parts = {ONNX: psi.graph}
    _push(folder, parts, {"parts": {**seen.parts, **entries_of(parts)}, "made_by": "export"}, seen)


def undo(folder: Path) -> None:
    """Go back to the state before the latest save, edit or export, bit for bit; `redo` leads to the present one."""
    _step(folder, "undo", history.undone)


def redo(folder: Path) -> None:
    """Undo the latest `undo`."""
    _step(folder, "redo", history.redone)


# ---------------------------------------------------------------------- the one writer


def commit(folder: Path, parts: dict[str, bytes], step: Step) -> None:
    """Add parts to a folder and replace its pointer; however this ends, the folder has the state before or the state after."""
    folder = check_target(folder)
    pointer = folder / "config.json"
    try:
        if not (folder / "parts").exists():
            (folder / "parts").mkdir(parents=True, exist_ok=True)
            sync(folder.parent)
        with _locked(folder):
            _sweep(folder)
            try:
                after = step(_present(folder))
                for name, content in parts.items():
                    file = folder / part_file(name, after.parts[name])
                    if not is_intact(file, after.parts[name]):
                        write_file(file, content, like=pointer if pointer.exists() else None)
                check_parts(folder, after)
                write_file(pointer, after.model_dump_json(indent=1).encode())
            finally:
                _sweep(folder)
    except OSError as error:
        raise ModelFileError(f"{folder} cannot be written: {error.strerror or error}") from error


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One writer of a folder at a time; others wait. A process that is killed loses the lock."""
    from filelock import FileLock, Timeout  # takes 40 ms to import, and readers do not need it

    try:
        with FileLock(folder / ".lock", timeout=PATIENCE):
            yield
    except Timeout:
        locked = f"{folder} has been locked by another writer for {PATIENCE:.0f} seconds"
        raise ModelFileError(f"{locked}; nothing was written, try again") from None


def _sweep(folder: Path) -> None:
    """Delete the parts that no state names and all temporary files: under the lock, their writers must be dead."""
    config = _present(folder)
    if config is None and (folder / "config.json").exists():
        return  # damaged: someone may want to repair it
    kept = config.files if config else set()
    for file in [*folder.glob(".config.json.*"), *(folder / "parts").iterdir()]:
        if file.relative_to(folder).as_posix() not in kept:
            with suppress(OSError):  # Windows keeps what is open; the next writer deletes it
                file.unlink()


def _present(folder: Path) -> ModelConfig | None:
    with suppress(ModelFileError):
        return read_config(folder)
    return None


def _push(folder: Path, parts: dict[str, bytes], changes: dict[str, Any], seen: ModelConfig) -> None:
    """Commit a state that was made from another one, if the folder is still in that one."""
    state = _state(folder, {**seen.state.model_dump(), **changes})

    def step(now: ModelConfig | None) -> ModelConfig:
        if now != seen:
            raise ModelFileError(f"{folder} was changed by someone else; nothing was written. Look at it and try again")
        return history.push(now, state)

    commit(folder, parts, step)


def _step(folder: Path, name: str, move: Callable[[ModelConfig], ModelConfig]) -> None:
    def step(now: ModelConfig | None) -> ModelConfig:
        config = now or read_config(folder)
        if not getattr(config, name):
            raise ModelFileError(f"{folder}: there is nothing to {name}")
        return move(config)

    read_config(folder)  # commit would make a folder where there is none
    commit(folder, {}, step)


def _state(folder: Path, fields: dict[str, Any]) -> State:
    """A state as it will be read back, so that one which has not changed is equal to itself."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return validated(State, json.loads(_json({**fields, "saved": now})), folder / "config.json")


def _json(data: Any) -> bytes:
    return json.dumps(data, ensure_ascii=False, default=_plain).encode()


def _plain(value: Any) -> Any:
    # numpy's numbers, as they come from a grid of parameters, can become Python's.
    return value.model_dump() if isinstance(value, BaseModel) else value.item()


# ---------------------------------------------------------------------- content of the parts


def _settings(hybrid: Hybrid) -> dict[str, Any]:
    """What config.json says about φ and the held-out texts."""
    held_out = hybrid.held_out and HeldOutEntry(is_stale=hybrid.held_out.is_stale)
    scales = {"phi_scale": hybrid.phi_scale, "psi_scale": hybrid.psi_scale}
    several = None
    if isinstance(hybrid.link, AnyOf):
        several = SeveralEntry(thresholds=list(hybrid.link.thresholds), as_matrix=hybrid.link.as_matrix)
    return {**scales, "has_rules": hybrid.features.ruleset is not None, "held_out": held_out, "several": several}


def _phi_parts(hybrid: Hybrid) -> dict[str, bytes]:
    features, terms, weights = hybrid.features, hybrid.features.terms, hybrid.weights
    idf = np.asarray(terms.idf if terms else np.zeros(0))
    words = {"words": list(features.tokeniser.words), "terms": terms.names if terms else []}
    shared = {name: of for name, of in (("shared", weights.shared), ("like", weights.like)) if of is not None}
    phi = safetensors.numpy.save({"coef": weights.coef, "bias": weights.bias, "idf": idf, **shared})
    parts = {"phi.safetensors": phi, "vocabulary.json": _json(words)}
    if features.ruleset is not None:
        parts["rules.yaml"] = features.ruleset.source.encode()
    return parts


def _held_out_part(hybrid: Hybrid) -> dict[str, bytes]:
    if hybrid.held_out is None:
        return {}
    arrays = {name: np.asarray(getattr(hybrid.held_out, name)) for name in ("phi", "psi", "y")}
    return {HELD_OUT: safetensors.numpy.save(arrays)}


def _psi_parts(psi: Any) -> tuple[EncoderEntry, dict[str, bytes]]:
    from safetensors.torch import save

    from rulenet.model.encoders.allowed import settings_to_save
    from rulenet.model.encoders.bits import in_fewest_bits

    parts = {}
    if isinstance(psi, OnnxPsi):
        parts[ONNX] = psi.graph
        psi = psi.original
    encoder = psi.encoder
    parts["encoder.json"] = _json(settings_to_save(encoder.model.config.to_dict()))
    parts["tokenizer.json"] = encoder.tokenizer.to_str().encode()
    body, head = psi.body.state_dict(), psi.head_state()
    parts["encoder.safetensors"] = save(in_fewest_bits(body))
    parts["head.safetensors"] = save({name: x.detach().cpu().contiguous() for name, x in head.items()})
    same = {name: getattr(encoder, name) for name in ("name", "pad_id", "max_length", "long_texts", "max_chunks")}
    traits = encoder.traits
    return EncoderEntry(**same, bound=psi.bound, pooling=traits.pooling, prefix=traits.prefix), parts
