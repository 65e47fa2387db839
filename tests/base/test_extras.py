"""rulenet.base.extras: an optional part that is missing is named with its pip line; one that is broken is not called missing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rulenet.base.extras import EXTRAS, need
from rulenet.errors import MissingExtraError


def test_what_is_there_is_imported() -> None:
    assert need("json.decoder", purpose="a test").__name__ == "json.decoder"


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for extra, modules in EXTRAS.items():
        for module in modules:
            monkeypatch.setitem(sys.modules, module, None)  # as if it were not installed
            message = rf"^encoder='x' needs the package '{module}', .*pip install 'rulenet\[{extra}\]'$"
            with pytest.raises(MissingExtraError, match=message):
                need(module, purpose="encoder='x'")


def test_a_package_without_an_extra_is_named_by_itself() -> None:
    with pytest.raises(
        MissingExtraError, match=r"^this needs the package 'no_such_package'.* pip install no_such_package$"
    ):
        need("no_such_package.part", purpose="this")


def test_a_fault_inside_an_installed_package_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rulenet_broken.py").write_text("import no_such_dependency")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match=r"^No module named 'no_such_dependency'$") as caught:
        need("rulenet_broken", purpose="this")
    assert not isinstance(caught.value, MissingExtraError)
