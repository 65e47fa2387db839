"""What the tests of model folders share: a small model with and without an encoder, saved afresh for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from rulenet import Recipe, RuleNetClassifier, RuleSet

TEXTS = ["good film", "a good story", "what a bad film", "bad acting", "good and bad", "film"]
LABELS = ["pos", "pos", "neg", "neg", "pos", "neg"]
RULES = RuleSet.from_yaml(
    """
# Comments are kept.
rulenet: 1
rules:
  - {id: praise, label: pos, word: good}
  - {id: blame, label: neg, word: bad, weight: 2}
"""
)


@pytest.fixture(scope="session")
def phi() -> RuleNetClassifier:
    """A model without an encoder."""
    return RuleNetClassifier(RULES, None, recipe=Recipe.of(C=2.0)).fit(TEXTS, LABELS)


@pytest.fixture(scope="session")
def hybrid(tiny_encoder: str) -> RuleNetClassifier:
    """A model with an encoder."""
    return RuleNetClassifier(RULES, tiny_encoder, recipe=Recipe.of(epochs=1)).fit(TEXTS, LABELS)


@pytest.fixture
def phi_folder(phi: RuleNetClassifier, tmp_path: Path) -> Path:
    """The model without an encoder, saved."""
    phi.save(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def hybrid_folder(hybrid: RuleNetClassifier, tmp_path: Path) -> Path:
    """The model with an encoder, saved."""
    hybrid.save(tmp_path / "model")
    return tmp_path / "model"
