"""rulenet.store.history: steps from pointer to pointer."""

from __future__ import annotations

from typing import Any

import pytest

from rulenet.store import history
from rulenet.store.manifest import ModelConfig, State

STATE: dict[str, Any] = {
    **{"protocol": 3, "rulenet": "0.1.0", "labels": ["a", "b"], "label_type": "str", "language": "en", "recipe": {}},
    **{"phi_scale": 1.0, "psi_scale": 1.0, "has_rules": False, "encoder": None, "parts": {}},
}


def state(number: int) -> State:
    return State(**STATE, report={"n_texts": number})


def after(*numbers: int) -> ModelConfig:
    config = history.push(None, state(numbers[0]))
    for number in numbers[1:]:
        config = history.push(config, state(number))
    return config


def numbers(config: ModelConfig) -> tuple[list[int], int, list[int]]:
    """Where undo leads, in this order from the right; the present state; where redo leads, from the right."""
    sides = [[kept.report["n_texts"] for kept in side] for side in (config.undo, config.redo)]
    return sides[0], config.report["n_texts"], sides[1]


def test_each_step() -> None:
    config = after(1, 2, 3)
    assert numbers(config) == ([1, 2], 3, [])
    config = history.undone(history.undone(config))
    assert numbers(config) == ([], 1, [3, 2])
    assert numbers(history.redone(config)) == ([1], 2, [3])
    assert numbers(history.push(config, state(4))) == ([1], 4, [])


def test_the_same_state_again_is_not_a_step() -> None:
    config = history.undone(after(1, 2))
    assert history.push(config, state(1)) is config


@pytest.mark.parametrize(("kept", "undo"), [(0, []), (2, [3, 4])])
def test_only_so_many_are_kept(monkeypatch: pytest.MonkeyPatch, kept: int, undo: list[int]) -> None:
    monkeypatch.setattr(history, "KEPT", kept)
    assert numbers(after(1, 2, 3, 4, 5)) == (undo, 5, [])


def test_all_parts_of_all_states_are_named() -> None:
    parts = [{"rules.yaml": {"sha256": digit * 64, "bytes": 1}} for digit in "0123"]
    states = [State(**{**STATE, "parts": entry}, report={}) for entry in parts]
    config = history.push(None, states[0])
    for one in states[1:]:
        config = history.push(config, one)
    assert history.undone(config).files == {f"parts/rules-{digit * 16}.yaml" for digit in "0123"}
