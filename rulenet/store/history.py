"""Steps from pointer to pointer: a new state, undo and redo. Imports manifest; write.py carries the steps out."""

from __future__ import annotations

from collections import deque
from typing import Any

from rulenet.store.manifest import ModelConfig, State

KEPT = 10  # states that undo can lead to


def push(now: ModelConfig | None, state: State) -> ModelConfig:
    """The pointer to a new state; undo leads to the present one. The same state again is not a step."""
    if now is None:
        return _pointer(state, [], [])
    if now.state == state:
        return now
    return _pointer(state, list(deque([*now.undo, now.state], KEPT)), [])


def undone(now: ModelConfig) -> ModelConfig:
    """The pointer to the state before; redo leads to the present one."""
    return _pointer(now.undo[-1], now.undo[:-1], [*now.redo, now.state])


def redone(now: ModelConfig) -> ModelConfig:
    """The pointer to the state that the latest undo left."""
    return _pointer(now.redo[-1], [*now.undo, now.state], now.redo[:-1])


def _pointer(state: State, undo: list[State], redo: list[State]) -> ModelConfig:
    fields: dict[str, Any] = {name: getattr(state, name) for name in State.model_fields}
    return ModelConfig(**fields, undo=undo, redo=redo)
