"""The circumstances of a training run, as far as they are not texts or recipe. Imports progress."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from rulenet.base.progress import Progress


@dataclass(frozen=True)
class Job:
    """Seed, device and folder of a training run.

    Attributes
    ----------
    device
        ``"auto"``, ``"cpu"`` or ``"cuda"``.
    work_dir
        Folder for ψ's checkpoint and the texts' word pieces, which stay there after training: delete them with
        `rulenet.training.checkpoint.remove` when the model is saved. None: nothing is kept.
    resume
        Whether to continue from the checkpoint in `work_dir`.
    """

    seed: int = 0
    device: str = "cpu"
    progress: Progress = field(default_factory=Progress)
    work_dir: Path | None = None
    resume: bool = False
