"""rulenet.training.parameters: constructor arguments that cannot be used are all named."""

from __future__ import annotations

from typing import Any

import pytest

from rulenet.errors import ParameterError
from rulenet.estimator import RuleNetClassifier
from rulenet.training.parameters import check_parameters
from rulenet.training.recipe import Recipe

FINE = RuleNetClassifier(None, None).get_params(deep=False)


def test_parameters_that_are_fine_give_the_recipe() -> None:
    assert check_parameters(FINE) == Recipe()
    assert check_parameters({**FINE, "recipe": Recipe.of(C=2.0), "work_dir": "w"}, resume=True) == Recipe.of(C=2.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
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
    ],
)
def test_parameters_that_cannot_be_used_are_all_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        check_parameters({**FINE, **changes})


def test_resuming_needs_a_place_to_resume_from() -> None:
    with pytest.raises(ParameterError, match=r"^resume=True needs work_dir=…, the folder where"):
        check_parameters(FINE, resume=True)
