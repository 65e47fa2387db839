"""Fixtures of the training tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.training.runs import new_run


@pytest.fixture(scope="session")
def make(tiny_encoder: str) -> Callable[..., dict[str, Any]]:
    """Makes a run; called twice, it makes two of the same."""
    return lambda **options: new_run(tiny_encoder, **options)
