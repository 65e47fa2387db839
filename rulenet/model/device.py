"""Where ψ runs, on how many threads, and with how many bits.

Products in bfloat16, and sums, weights and all else in float32: MiniLM learned from 1.4 and predicted 1.6 times as many AG News texts
per CPU-second. torch is asked for GPUs only where there is an NVIDIA driver: importing it takes seconds.
"""

from __future__ import annotations

import ctypes
import os
from typing import Any, Literal

from rulenet.base.cores import n_threads

Precision = Literal["float32", "bfloat16"]


def choose_device(device: str) -> str:
    """``"cuda"`` if that is wanted (``"auto"``, ``"cuda"``) and there, else ``"cpu"``.

    Examples
    --------
    >>> choose_device("cpu")
    'cpu'
    """
    if device == "cpu" or not _has_driver():
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def settled_precision(asked: Precision | None, device: str) -> Precision:
    """What ψ computes its products in: as asked; None: bfloat16 where the hardware has it.

    Examples
    --------
    >>> settled_precision("float32", "cpu")
    'float32'
    """
    return asked or ("bfloat16" if has_bfloat16(choose_device(device)) else "float32")


def has_bfloat16(device: str) -> bool:
    """Whether a device multiplies in bfloat16 itself: a CPU with AVX512-BF16 or AMX, or a GPU. Not known of other CPUs, such as ARM."""
    import torch

    if device != "cpu":
        return bool(torch.cuda.is_bf16_supported())
    # torch's own check of mkldnn is true of any AVX-512, which imitates bfloat16 and is slower than float32.
    has: Any = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(has.get("avx512_bf16") or has.get("amx_bf16"))


def predicting(trained: Precision, device: Any) -> Precision:
    """What a model trained at a precision predicts with: not worth imitating bfloat16; on a GPU, a row would depend on its batch."""
    return trained if str(device).startswith("cpu") and has_bfloat16("cpu") else "float32"


def limit_threads() -> None:
    """Let torch use no more threads than this process has cores: it knows OMP_NUM_THREADS and affinity, but no control groups."""
    import torch

    if torch.get_num_threads() > (allowed := n_threads()):
        torch.set_num_threads(allowed)


def autocast(precision: Precision, device: Any) -> Any:
    """A context in which torch's products are computed at a precision."""
    import torch

    return torch.autocast(torch.device(device).type, dtype=torch.bfloat16, enabled=precision == "bfloat16")


def _has_driver() -> bool:
    try:
        ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
    except OSError:
        return False
    return True
