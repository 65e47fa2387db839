"""Where ψ runs. torch is asked only where there is an NVIDIA driver: importing it takes seconds."""

from __future__ import annotations

import ctypes
import os


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


def _has_driver() -> bool:
    try:
        ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
    except OSError:
        return False
    return True
