"""Weights in the fewest bits that lose nothing: 4 where they came in 4 and were not trained, 16 where they were rounded so, else 32.

In 4 bits, 32 neighbours in a row are whole numbers from -8 to 7 times a scale of 16 bits; one of them, the largest, is -8. Two are in a
byte, the first of 32 with the seventeenth. This is how the data file of e5 keeps them. Imports NumPy, and torch late.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rulenet.base.types import Array

SIZE = 32
PAIRS, SCALE = ".4bit.pairs", ".4bit.scale"  # what the two parts of a tensor are called


def unpacked(pairs: Array, scale: Array) -> Array:
    """Floats from bytes (n_blocks, 16) and scales (n_blocks,): shape (n_blocks, 32)."""
    found, factor = np.empty((len(pairs), 2, SIZE // 2), np.float32), scale.astype(np.float32)[:, None]
    with np.errstate(invalid="ignore"):  # of a scale that is not finite
        np.multiply((pairs & 15).astype(np.int8) - np.int8(8), factor, out=found[:, 0])
        np.multiply((pairs >> 4).astype(np.int8) - np.int8(8), factor, out=found[:, 1])
    return found.reshape(-1, SIZE)


def packed(weights: Array) -> tuple[Array, Array] | None:
    """Bytes and scales of floats (n_blocks, 32) of which 4 bits are enough; None of others.

    Examples
    --------
    >>> weights = np.linspace(-8, 7, 32).round()[None].astype(np.float32) / 64
    >>> bool((unpacked(*packed(weights)) == weights).all()), packed(weights + 0.001)
    (True, None)
    """
    largest = np.take_along_axis(weights, np.abs(weights).argmax(axis=1)[:, None], axis=1)[:, 0]
    scale = (largest / -8).astype(np.float16)
    if (scale == 0).any() or not np.isfinite(scale).all():
        return None
    numbers = (weights / scale.astype(np.float32)[:, None]).round() + 8
    if numbers.min() < 0 or numbers.max() > 15:
        return None
    numbers = numbers.astype(np.uint8)
    pairs = numbers[:, : SIZE // 2] | numbers[:, SIZE // 2 :] << 4
    return (pairs, scale) if np.array_equal(unpacked(pairs, scale), weights) else None


def in_fewest_bits(state: dict[str, Any]) -> dict[str, Any]:
    """The tensors of a model, each in the fewest bits that lose nothing."""
    found: dict[str, Any] = {}
    for name, tensor in state.items():
        found |= _smallest(name, tensor.detach().cpu().contiguous().clone())
    return found


def in_floats(state: dict[str, Any]) -> dict[str, Any]:
    """Undo `in_fewest_bits`.

    Raises
    ------
    ValueError
        If parts of a tensor do not fit together.
    """
    import torch

    found = {name: x.float() if x.dtype == torch.float16 else x for name, x in state.items() if ".4bit." not in name}
    names = {name.removesuffix(end) for name in state for end in (PAIRS, SCALE) if name.endswith(end)}
    for name in sorted(names):
        pairs, scale = state.get(name + PAIRS), state.get(name + SCALE)
        if pairs is None or scale is None or (pairs.dtype, scale.dtype) != (torch.uint8, torch.float16):
            raise ValueError(f"{name} is not whole")
        if pairs.ndim != 2 or scale.ndim != 2 or pairs.shape != (len(scale), scale.shape[1] * SIZE // 2):
            raise ValueError(f"the parts of {name} do not fit together")
        floats = unpacked(pairs.numpy().reshape(-1, SIZE // 2), scale.numpy().ravel())
        found[name] = torch.from_numpy(floats.reshape(len(pairs), -1))
    return found


def in_four(tensor: Any) -> tuple[Any, Any] | None:
    """The two parts of a matrix of floats of which 4 bits are enough; None of others."""
    import torch

    if tensor.ndim != 2 or tensor.shape[1] % SIZE or not len(tensor):
        return None
    blocks, n_rows = tensor.detach().cpu().numpy().reshape(-1, SIZE), len(tensor)
    if packed(blocks[:1]) is None or (parts := packed(blocks)) is None:  # of most, the first block is enough to tell
        return None
    pairs, scale = (torch.from_numpy(part.reshape(n_rows, -1)) for part in parts)
    return pairs, scale


def _smallest(name: str, tensor: Any) -> dict[str, Any]:
    import torch

    if tensor.dtype != torch.float32:
        return {name: tensor}
    if (four := in_four(tensor)) is not None:
        return dict(zip((name + PAIRS, name + SCALE), four, strict=True))
    half = tensor.half()
    return {name: half if half.float().equal(tensor) else tensor}
