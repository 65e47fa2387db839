"""rulenet.errors: one family, each also of the standard class a caller would expect."""

from __future__ import annotations

import builtins
import inspect
import pickle

import pytest

from rulenet import errors
from rulenet.errors import Code, Fault, RuleFileError, RuleNetError

CLASSES = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, Exception)]
CODE = Code("RN001", "bad", "error", "Something bad.")
STANDARD = {
    "InputError": ValueError,
    "LabelError": ValueError,
    "ParameterError": ValueError,
    "DataError": ValueError,
    "RuleFileError": ValueError,
    "ModelFileError": ValueError,
    "EncoderError": OSError,
    "TrainingError": RuntimeError,
    "ExportError": RuntimeError,
    "MissingExtraError": ImportError,
    "RuleNetError": Exception,
}


def test_each_is_ours_and_a_standard_one() -> None:
    assert {cls.__name__ for cls in CLASSES} == set(STANDARD)
    for cls in CLASSES:
        assert issubclass(cls, RuleNetError)
        assert issubclass(cls, STANDARD[cls.__name__])
        assert vars(builtins)[STANDARD[cls.__name__].__name__] is STANDARD[cls.__name__]
        assert cls.__doc__


@pytest.mark.parametrize(
    ("fault", "shown"),
    [
        (Fault(CODE, "is empty"), "is empty [RN001 bad]"),
        (Fault(CODE, "is empty", 3), "3: is empty [RN001 bad]"),
        (Fault(CODE, "unknown field 'x'", 3, "a.b"), "3: rule 'a.b': unknown field 'x' [RN001 bad]"),
        (Fault(CODE, "unknown field: 'x'", 0, "a: b"), "rule 'a: b': unknown field: 'x' [RN001 bad]"),
    ],
)
def test_a_fault_names_its_place_if_it_has_one(fault: Fault, shown: str) -> None:
    assert str(fault) == shown


def test_a_rule_file_error_lists_all_faults_in_order_and_survives_a_process() -> None:
    error = RuleFileError("spam.yaml", [Fault(CODE, "late", 9), Fault(CODE, "whole"), Fault(CODE, "early", 2, "r")])
    expected = (
        "3 faults in spam.yaml\nspam.yaml: whole [RN001 bad]\nspam.yaml:2: rule 'r': early [RN001 bad]\n"
        "spam.yaml:9: late [RN001 bad]"
    )
    assert str(error) == expected
    twin = pickle.loads(pickle.dumps(error))
    assert (str(twin), twin.faults, twin.source) == (expected, error.faults, "spam.yaml")
    assert str(RuleFileError("a", [Fault(CODE, "x", 1)])).startswith("1 fault in a\n")
