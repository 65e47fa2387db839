"""Where a user's cache is: what takes time to make and can be made again. Imports nothing of rulenet."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """The folder for rulenet's cache, which may not exist yet: ``RULENET_CACHE``, or else where the system has caches.

    Examples
    --------
    >>> cache_folder().name
    'rulenet'
    """
    if own := os.environ.get("RULENET_CACHE"):
        return Path(own) / "rulenet"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "rulenet"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "rulenet"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rulenet"
