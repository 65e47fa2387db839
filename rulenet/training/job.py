"""The circumstances of a training run, as far as they are not texts or recipe. Imports progress."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from rulenet.base.progress import Progress

CHECKPOINT = "training.safetensors"  # file of the checkpoint in `work_dir`
STAGE = "stage-"  # folder with the checkpoint of a stage in `work_dir`, if the recipe has stages
WORD_PIECES = "word-pieces"  # folder with the encoder's cache in `work_dir`


@dataclass(frozen=True)
class Job:
    """Seed, device and folder of a training run.

    Attributes
    ----------
    device
        ``"auto"``, ``"cpu"`` or ``"cuda"``.
    work_dir
        Folder for ψ's checkpoint and the texts' word pieces, which stay there after training: delete them with
        `remove` when the model is saved. None: nothing is kept.
    resume
        Whether to continue from the checkpoint in `work_dir`.
    """

    seed: int = 0
    device: str = "cpu"
    progress: Progress = field(default_factory=Progress)
    work_dir: Path | None = None
    resume: bool = False


def has_checkpoint(folder: Path) -> bool:
    """Whether a run is kept in a folder."""
    return (folder / CHECKPOINT).exists() or any(folder.glob(f"{STAGE}*/{CHECKPOINT}"))


def remove(folder: Path) -> None:
    """Delete the files of training in a folder, and the folder if it is empty then."""
    for name in (CHECKPOINT, Path(CHECKPOINT).with_suffix(".part").name):
        (folder / name).unlink(missing_ok=True)
    for stage in folder.glob(f"{STAGE}*"):
        shutil.rmtree(stage, ignore_errors=True)
    shutil.rmtree(folder / WORD_PIECES, ignore_errors=True)
    with contextlib.suppress(OSError):
        folder.rmdir()
