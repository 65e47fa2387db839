"""Two processes under torchrun give the model of one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import load_file  # noqa: E402

from rulenet.base.progress import Progress, is_main_process  # noqa: E402
from rulenet.training.checkpoint import FILE, Checkpoint, identity_of  # noqa: E402
from rulenet.training.recipe import Recipe  # noqa: E402
from rulenet.training.tuning.full import Full  # noqa: E402
from tests.training.runs import state, train_run  # noqa: E402

pytestmark = pytest.mark.slow

# Batches of 7 leave 40 texts with one batch of 5; a batch of 1 leaves nothing for the second process.
RECIPES = {
    "uneven": Recipe.of(epochs=2, batch_texts=7, joint_epochs=1, phi_dropout=0.2, accumulate=2),
    "empty share": Recipe.of(epochs=1, batch_texts=1),
}
SETTINGS = {"learning_rate": 1e-3, "tune": Full(), "max_length": 32}

CASES = [("uneven", "none"), ("empty share", "none"), ("uneven", "memory")]

CHILD = """
import os, sys, warnings
from pathlib import Path
import torch
from safetensors.torch import save_file
test, encoder, out = sys.argv[1:]
sys.path.insert(0, str(Path(test).parent))
import test_processes as here
from tests.training import runs
from rulenet.model.psi import Psi

rank, read = os.environ["RANK"], Psi.read
def tight(self, inputs, *rest, **how):
    if self.training and len(inputs) > 1:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")
    return read(self, inputs, *rest, **how)

for case, (recipe, strain) in enumerate(here.CASES):
    Psi.read = tight if strain == "memory" and rank == "1" else read
    run = runs.new_run(encoder, dropout=0.0)
    if rank == "1":  # what a process begins with must not matter: the first one's weights count
        torch.nn.init.normal_(run["psi"].from_text.weight)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", UserWarning)
        here.train(run, recipe, Path(out) / f"kept{case}-{rank}")
    cut = [w for w in said if "did not fit into the memory" in str(w.message)]
    assert len(cut) == (1 if strain == "memory" and rank == "0" else 0), cut
    save_file(here.state(run), Path(out) / f"{case}-{rank}.safetensors")
"""


def train(run: dict[str, Any], recipe: str, folder: Path | None = None) -> Any:
    held_out = run["train"].take(np.arange(0, 40, 3))
    kept = Checkpoint(folder, identity_of([], {}, {}, {})) if folder else None
    chosen = RECIPES[recipe].with_changes(**SETTINGS)
    return train_run(run, chosen, held_out, kept, device="auto")


@pytest.fixture(scope="module")
def together(tiny_encoder: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes under torchrun came to, in all cases."""
    folder = tmp_path_factory.mktemp("together")
    (folder / "child.py").write_text(CHILD)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*launcher, str(folder / "child.py"), __file__, tiny_encoder, str(folder)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("case", range(len(CASES)), ids=["-".join(case) for case in CASES])
@pytest.mark.skipif(torch.cuda.is_available(), reason="compares processes on the CPU")
def test_two_processes_give_the_weights_of_one(make: Callable[..., Any], together: Path, case: int) -> None:
    alone = make(dropout=0.0)
    train(alone, CASES[case][0])
    first, second = (load_file(together / f"{case}-{rank}.safetensors") for rank in (0, 1))
    for name, value in state(alone).items():
        torch.testing.assert_close(first[name], value, atol=1e-5, rtol=0, msg=lambda m, n=name: f"{n}: {m}")
        assert torch.equal(first[name], second[name])
    assert (together / f"kept{case}-0" / FILE).exists()
    assert not (together / f"kept{case}-1").exists()  # only the first process writes


def test_only_the_first_process_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_main_process()
    monkeypatch.setenv("RANK", "1")
    assert not is_main_process()
    assert Progress(1).verbose == 0
    monkeypatch.setenv("RANK", "0")
    assert Progress(1).verbose == 1
