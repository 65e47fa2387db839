"""Types that every layer uses. Imports numpy only."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
"""A numpy array; the docstring that uses it gives the shape."""
