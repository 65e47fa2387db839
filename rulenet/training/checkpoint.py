"""A training run on disk, so that a killed one can be resumed: one safetensors file, whose metadata hold the rest as JSON.

One file means one rename: it is complete or it is the one before. Reading it runs no code. It stays when training ends, as only a
saved model makes it superfluous; `remove` is for whoever saved that. Imports torch, safetensors and errors.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from operator import methodcaller
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import torch
from safetensors.torch import save_file
from torch import Tensor

from rulenet.base.files import sync
from rulenet.errors import TrainingError

FILE = "training.safetensors"
WORD_PIECES = "word-pieces"  # folder with the encoder's cache
PROTOCOL = 1
Parameters = dict[str, torch.nn.Parameter]


@dataclass
class Position:
    """How far training has come.

    Attributes
    ----------
    epoch, step
        Epochs behind us, and steps of the present one.
    steps
        Steps in all, for the learning rate.
    parts
        Parts that a batch is cut into.
    skipped
        Steps skipped in a row, as their gradients were NaN or infinite.
    losses
        Of the steps of the present epoch.
    train_loss, held_out_loss
        One per epoch.
    best_epoch
        The epoch with the best weights so far; 0: not known.
    """

    epoch: int = 0
    step: int = 0
    steps: int = 0
    parts: int = 1
    skipped: int = 0
    losses: list[float] = field(default_factory=list)
    train_loss: list[float] = field(default_factory=list)
    held_out_loss: list[float] = field(default_factory=list)
    best_epoch: int = 0


@dataclass(frozen=True)
class Checkpoint:
    """Where a run is kept, and which run it is.

    Attributes
    ----------
    folder
        Made if it is not there.
    identity
        All that decides what training comes to, from `identity_of`; a run with another one is not resumed.
    resume
        Whether to go on with the run found there.
    """

    folder: Path
    identity: dict[str, Any]
    resume: bool = False

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / FILE

    def write(
        self, parameters: Parameters, optimizer: torch.optim.Optimizer, best: dict[str, Tensor], position: Position
    ) -> None:
        """Put the run on disk. A full disk is warned of and does not end training."""
        tensors = {f"now.{name}": value.detach() for name, value in parameters.items()}
        tensors |= {f"best.{name}": value for name, value in best.items()}
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
            warnings.warn(
                f"checkpoint {self.path} cannot be written, training continues without it: {error}", stacklevel=2
            )

    def read(
        self, parameters: Parameters, optimizer: torch.optim.Optimizer
    ) -> tuple[Position, dict[str, Tensor]] | None:
        """Put a run back as it was written; its position and best weights, or None if nothing is stored.

        Raises
        ------
        TrainingError
            If the file is damaged, or of another run.
        """
        if not self.path.exists():
            return None
        again = f"To train from the beginning, leave out resume or delete {self.path}."
        try:
            about, tensors = _load(self.path)
            differences = _differences(about["identity"], json.loads(json.dumps(self.identity)))
            if not differences:
                position = Position(**about["position"])
                best = _under("best.", tensors)
                _restore(parameters, optimizer, tensors)
        except (OSError, safetensors.SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
            raise TrainingError(f"checkpoint {self.path} is damaged: {error}. {again}") from error
        if differences:
            raise TrainingError(f"checkpoint {self.path} is of another run: {'; '.join(differences)}. {again}")
        return position, best


def remove(folder: Path) -> None:
    """Delete what training keeps in a folder, and the folder if nothing else is in it."""
    for name in (FILE, Path(FILE).with_suffix(".part").name):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / WORD_PIECES, ignore_errors=True)
    with contextlib.suppress(OSError):
        folder.rmdir()


def identity_of(
    rows: Iterable[Any], arrays: dict[str, Any], weights: dict[str, Tensor], settings: dict[str, Any]
) -> dict[str, Any]:
    """What makes a run what it is: settings as they are, all else by checksum.

    Parameters
    ----------
    rows
        Word pieces of each text.
    arrays
        Further numbers by name: targets, φ.
    weights
        Of ψ before training.
    settings
        Seed, recipe and the like, for JSON.

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
    machine = {
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "processes": int(os.environ.get("WORLD_SIZE", "1")),
    }
    return {
        "settings": json.loads(json.dumps({**settings, **machine}, default=methodcaller("item"))),
        "texts": texts.hexdigest(),
        **sums,
        "weights of the encoder": _checksum("", {name: value.cpu() for name, value in weights.items()}),
    }


def _differences(stored: Any, present: Any) -> list[str]:
    """What differs between two identities, in words."""
    found = [f"the {name} differ" for name in present if name != "settings" and stored.get(name) != present[name]]
    before, now = stored["settings"], present["settings"]
    found += [
        f"{name} was {before.get(name)!r}, is {now.get(name)!r}"
        for name in sorted({*before, *now})
        if before.get(name) != now.get(name)
    ]
    return found


def _load(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    with safetensors.safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if metadata["sha256"] != _checksum(metadata["rulenet"], tensors):
        raise ValueError("its content does not fit its checksum")
    about = json.loads(metadata["rulenet"])
    if about["protocol"] != PROTOCOL:
        raise ValueError(f"its format {about['protocol']} is not {PROTOCOL}; another version of rulenet wrote it")
    return about, tensors


@torch.no_grad()
def _restore(parameters: Parameters, optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    now = _under("now.", tensors)
    for name, parameter in parameters.items():
        parameter.copy_(now[name])
    order = [id(parameter) for group in optimizer.param_groups for parameter in group["params"]]
    moments: dict[int, dict[str, Tensor]] = {}
    for key, value in _under("moment.", tensors).items():
        moment, name = key.split(".", 1)
        moments.setdefault(order.index(id(parameters[name])), {})[moment] = value
    optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _checksum(text: str, tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        digest.update(f"{name} {tuple(tensors[name].shape)}".encode())
        digest.update(tensors[name].contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
