"""rulenet.model.device: what is asked of the hardware, and what becomes of the answer."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

from rulenet.model import device  # noqa: E402

REAL = device.has_bfloat16  # before the tests are told that there is none


@pytest.mark.parametrize(
    ("capabilities", "settled"),
    [
        ({"avx512_f": True, "avx512_bf16": True}, "bfloat16"),
        ({"amx_bf16": True}, "bfloat16"),
        ({"avx512_f": True, "avx512_bf16": False}, "float32"),  # mkldnn would imitate it
        ({"architecture": "aarch64", "bf16": True}, "float32"),
        (None, "float32"),  # an older torch
    ],
)
def test_bfloat16_is_chosen_where_the_hardware_has_it(
    monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, Any] | None, settled: str
) -> None:
    monkeypatch.setattr(device, "has_bfloat16", REAL)
    if capabilities is None:
        monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    else:
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert device.settled_precision(None, "cpu") == settled
    assert device.settled_precision("bfloat16", "cpu") == "bfloat16"  # as asked
    assert device.predicting("bfloat16", torch.device("cpu")) == settled
    assert device.predicting("float32", "cpu") == device.predicting("bfloat16", "cuda") == "float32"


def test_torch_gets_no_more_threads_than_there_are_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quota is unknown to torch; fewer threads than allowed are somebody's choice."""
    seen: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", seen.append)
    for has, allowed in [(64, 1), (2, 4), (1, 1)]:
        monkeypatch.setattr(torch, "get_num_threads", lambda has=has: has)
        monkeypatch.setattr(device, "n_threads", lambda allowed=allowed: allowed)
        device.limit_threads()
    assert seen == [1]
