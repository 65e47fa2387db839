"""rulenet.training.parameters: constructor arguments that cannot be used are all named."""

from __future__ import annotations

import pytest

from rulenet.errors import EncoderError, ParameterError
from rulenet.estimator import RuleNetClassifier
from rulenet.training.parameters import check_parameters
from rulenet.training.recipe import Recipe

FINE = RuleNetClassifier(None, None).get_params(deep=False)


def test_parameters_that_are_fine_give_the_recipe() -> None:
    assert check_parameters(FINE) == Recipe()
    assert check_parameters({**FINE, "recipe": Recipe.of(C=2.0), "work_dir": "w"}, resume=True) == Recipe.of(C=2.0)


def test_what_cannot_be_used_is_named_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rulenet.training.parameters.choose_device", lambda device: "cpu")
    for changes, message in (
        ({"cascade": "sometimes"}, r"^cascade='sometimes' is not 'off', 'certified' or 'statistical'$"),
        ({"cascade": None}, r"^cascade=None is not"),
        ({"cascade": True}, r"^cascade=True is not"),
        ({"cascade_risk": 0.0}, r"^cascade_risk=0\.0 is not a share between 0 and 1$"),
        ({"cascade_risk": 1}, r"^cascade_risk=1 is not"),
        ({"cascade_risk": float("nan")}, r"^cascade_risk=nan is not"),
        ({"cascade_risk": "0.1"}, r"^cascade_risk='0\.1' is not"),
        ({"work_dir": 3}, r"^work_dir=3 is not a folder or None$"),
        ({"random_state": True}, r"^random_state=True is not a whole number"),
        ({"cascade": "x", "cascade_risk": 2.0, "n_jobs": 0}, r"(?=.*cascade='x')(?=.*cascade_risk=2\.0)(?=.*n_jobs=0)"),
        ({"encoder": "e5", "device": "cuda"}, r"^device='cuda', but torch sees no GPU; use device='auto' or 'cpu'$"),
        ({"encoder": "scratch", "recipe": Recipe.of(epochs=0)}, r"^epochs=0 leaves ψ as it began, .* give at least 1$"),
        ({"recipe": Recipe.of(word_vectors="minillm")}, r"^encoder 'minillm' is not known \(did you mean 'minilm'"),
    ):
        with pytest.raises((ParameterError, EncoderError), match=message):
            check_parameters({**FINE, **changes})


def test_resuming_needs_a_place_to_resume_from() -> None:
    with pytest.raises(ParameterError, match=r"^resume=True needs work_dir=…, the folder where"):
        check_parameters(FINE, resume=True)
