"""A training run on disk, so that a killed one can be resumed: one safetensors file, with the rest as JSON in its metadata.

One file means one rename: it is either complete or the previous one. Reading it runs no code. It stays when training ends, as only a
saved model makes it superfluous; whoever saves that calls `job.remove`. Imports torch, safetensors and errors.
"""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from operator import methodcaller
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.optim import Optimizer

from rulenet.base.files import sync
from rulenet.errors import TrainingError
from rulenet.training.job import CHECKPOINT as FILE
from rulenet.training.job import STAGE
from rulenet.training.job import WORD_PIECES as WORD_PIECES
from rulenet.training.job import remove as remove

PROTOCOL = 3
CAUSES = ("the texts differ", "the labels differ", "the rules differ")  # all else follows from these and the settings
Parameters = dict[str, torch.nn.Parameter]
Tensors = dict[str, Tensor]


@dataclass
class Position:
    """How far training has come."""

    epoch: int = 0  # finished epochs
    step: int = 0  # finished steps of the current epoch
    steps: int = 0  # finished steps of all epochs, for the learning rate
    parts: int = 1  # that a batch is cut into
    skipped: int = 0  # steps skipped in a row, as their gradients were NaN or infinite
    losses: list[float] = field(default_factory=list)  # of the steps of the current epoch
    term_losses: list[list[float]] = field(default_factory=list)  # the same of each term, without its weight
    learning_rate: float = 0.0  # of the latest step: the encoder's, or the head's if that alone learns
    train_loss: list[float] = field(default_factory=list)  # one per epoch
    held_out_loss: list[float] = field(default_factory=list)  # one per epoch
    curve: list[dict[str, Any]] = field(default_factory=list)  # one per epoch; see `rulenet.training.curves`
    averaged: int = 0  # steps whose weights are in the average
    best_epoch: int = 0  # with the best weights so far; 0: the start, or not known
    best_score: float | None = None  # of the held-out texts with the best weights, if these are not chosen by loss
    epochs: int = 0  # of all, once it is known that there are fewer than the recipe says; else 0
    best_losses: list[float] = field(default_factory=list)  # of the held-out texts with the best weights


@dataclass(frozen=True)
class Checkpoint:
    """Where a run is kept, and which run it is."""

    folder: Path
    identity: dict[str, Any]  # from `identity_of`: everything that determines the result; only the same run is resumed
    resume: bool = False  # whether to resume the run in the folder

    @property
    def path(self) -> Path:
        return self.folder / FILE

    def of_stage(self, number: int) -> Checkpoint:
        """That of a stage, counted from 1; the first must be there if a run is resumed, later ones may not have begun."""
        own = Checkpoint(self.folder / f"{STAGE}{number}", {**self.identity, "stage": number})
        return replace(own, resume=self.resume and (number == 1 or own.path.exists()))

    def write(
        self, parameters: Parameters, optimizer: Optimizer, best: Tensors, mean: Tensors, position: Position
    ) -> None:
        """Write the run to disk; if the disk is full, warn and let training continue."""
        tensors = {f"now.{name}": value.detach() for name, value in parameters.items()}
        tensors |= {f"best.{name}": value for name, value in best.items()}
        tensors |= {f"mean.{name}": value for name, value in mean.items()}
        for name, parameter in parameters.items():
            tensors |= {f"moment.{key}.{name}": value for key, value in optimizer.state.get(parameter, {}).items()}
        tensors = {name: value.cpu().contiguous() for name, value in tensors.items()}
        about = {"protocol": PROTOCOL, "identity": self.identity, "position": asdict(position)}
        text = json.dumps(about, default=methodcaller("item"))
        part = self.path.with_suffix(".part")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            save_file(tensors, part, metadata={"rulenet": text, "sha256": _checksum(text, tensors)})
            sync(part)
            os.replace(part, self.path)
            sync(self.folder)
        except (OSError, safetensors.SafetensorError) as error:
            message = f"checkpoint {self.path} cannot be written, training continues without it: {error}"
            warnings.warn(message, stacklevel=2)

    def read(self, parameters: Parameters, optimizer: Optimizer) -> tuple[Position, Tensors, Tensors] | None:
        """Restore parameters and optimizer; returns position, best and mean weights, or None if there is no file.

        A TrainingError if the file is damaged, or of another run.
        """
        if not self.path.exists():
            return None
        again = f"To train from the beginning, delete {self.path}."
        try:
            about, tensors = _load(self.path)
            differences = _differences(about["identity"], json.loads(json.dumps(self.identity)))
            if not differences:
                position = Position(**about["position"])
                best, mean = _under("best.", tensors), _under("mean.", tensors)
                _restore(parameters, optimizer, tensors)
        except (OSError, safetensors.SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
            raise TrainingError(f"checkpoint {self.path} is damaged: {error}. {again}") from error
        if differences:
            raise TrainingError(f"checkpoint {self.path} is of another run: {'; '.join(differences)}. {again}")
        return position, best, mean


def identity_of(
    rows: Iterable[Any], arrays: dict[str, Any], weights: Tensors, settings: dict[str, Any]
) -> dict[str, Any]:
    """Settings, and checksums of everything else that a run starts from: word pieces, arrays, ψ's initial weights.

    An array may follow from those before it: if several differ, the first one says why.

    Examples
    --------
    >>> one, two = (identity_of([[1, 2]], {"φ": np.zeros(2)}, {}, {"seed": seed}) for seed in (0, 1))
    >>> one["texts"] == two["texts"], one["settings"] == two["settings"]
    (True, False)
    """
    texts = hashlib.sha256()
    for row in rows:
        data = np.asarray(row, dtype=np.int64)
        texts.update(len(data).to_bytes(8, "little"))
        texts.update(data.tobytes())
    sums = {name: hashlib.sha256(np.asarray(array).tobytes()).hexdigest() for name, array in arrays.items()}
    n_processes = int(os.environ.get("WORLD_SIZE", "1"))
    machine = {"torch": torch.__version__, "threads": torch.get_num_threads(), "processes": n_processes}
    whole = json.loads(json.dumps({**settings, **machine}, default=methodcaller("item")))
    encoder = _checksum("", {name: value.cpu() for name, value in weights.items()})
    return {"settings": whole, "texts": texts.hexdigest(), **sums, "weights of the encoder": encoder}


def _differences(stored: Any, present: Any) -> list[str]:
    """The differences between two identities, in words."""
    differ = [f"the {name} differ" for name in present if name != "settings" and stored.get(name) != present[name]]
    before, now = stored["settings"], present["settings"]
    changed = [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
    settings = [f"{name} was {before.get(name)!r}, is {now.get(name)!r}" for name in changed]
    causes = [line for line in differ if line in CAUSES]
    return (causes[:1] or ([] if settings else differ[:1])) + settings


def _load(path: Path) -> tuple[dict[str, Any], Tensors]:
    with safetensors.safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if metadata["sha256"] != _checksum(metadata["rulenet"], tensors):
        raise ValueError("its content does not match its checksum")
    about = json.loads(metadata["rulenet"])
    if about["protocol"] != PROTOCOL:
        raise ValueError(f"its format {about['protocol']} is not {PROTOCOL}; another version of rulenet wrote it")
    return about, tensors


@torch.no_grad()
def _restore(parameters: Parameters, optimizer: Optimizer, tensors: Tensors) -> None:
    now = _under("now.", tensors)
    for name, parameter in parameters.items():
        parameter.copy_(now[name])
    order = [id(parameter) for group in optimizer.param_groups for parameter in group["params"]]
    moments: dict[int, Tensors] = {}
    for key, value in _under("moment.", tensors).items():
        moment, name = key.split(".", 1)
        moments.setdefault(order.index(id(parameters[name])), {})[moment] = value
    optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})


def _under(prefix: str, tensors: Tensors) -> Tensors:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _checksum(text: str, tensors: Tensors) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        digest.update(f"{name} {tuple(tensors[name].shape)}".encode())
        digest.update(tensors[name].contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
