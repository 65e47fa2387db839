"""A small file of the format of e5's: two layers, 32 wide, a few pieces."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

WIDTH, LAYERS, HEADS, INNER, POSITIONS = 32, 2, 2, 64, 48
PIECES = [
    "<s>",
    "<pad>",
    "</s>",
    "<unk>",
    "▁",
    "▁que",
    "ry",
    ":",
    "o",
    "i",
    "l",
    "▁oil",
    "油",
    "价",
    "油价",
    "A",
    *"нефть",
    "▁нефть",
    "▁да",
    "<mask>",
]
SCORES = (
    [0.0] * 4 + [-3.0, -8.0, -8.0, -4.0] + [-6.0] * 3 + [-7.0, -9.0, -9.0, -10.0, -5.0, *[-9.0] * 5, -10.0, -10.0, 0.0]
)
ROWS = len(PIECES) + 3
REPLACED = {"\t": " ", "Ａ": "A", "\x01": "", "㏄": "cc"}


def tensors() -> dict[str, np.ndarray]:
    """Weights by their names in the file; matrices are such that 4 bits hold them."""
    rng = np.random.default_rng(0)

    def matrix(n: int, m: int) -> np.ndarray:
        found = rng.integers(-8, 8, (n, m)).astype(np.float32) / 64
        found[:, ::32] = -8 / 64  # the largest of a block
        return found

    def vector(n: int) -> np.ndarray:
        return rng.normal(0, 0.1, n).astype(np.float32)

    found = {"emb.word": matrix(ROWS, WIDTH), "emb.pos": vector(POSITIONS * WIDTH), "emb.type": vector(2 * WIDTH)}
    found |= {"emb.ln.w": vector(WIDTH) + 1, "emb.ln.b": vector(WIDTH)}
    for i in range(LAYERS):
        for name in ("q", "k", "v", "ao", "fi", "fo"):
            after, before = INNER if name == "fi" else WIDTH, INNER if name == "fo" else WIDTH
            found |= {f"l{i}.{name}.w": matrix(after, before), f"l{i}.{name}.b": vector(after)}
        found |= {f"l{i}.{name}.{part}": vector(WIDTH) + (part == "w") for name in ("aln", "oln") for part in "wb"}
    return found


def pack(
    path: Path, *, head: bytes = b"E5S1", extra: str = "", sizes: tuple[int, ...] = (), scale: float = 1 / 64
) -> bytes:
    """Write such a file, or one with a fault."""
    letters = [piece.encode() for piece in PIECES]
    content = head + struct.pack("<I7i", 1, *(sizes or (WIDTH, LAYERS, HEADS, INNER, ROWS, POSITIONS, 2)))
    content += struct.pack("<fi5iQ", 1e-12, 32, len(PIECES), 0, 2, 1, 3, len(b"".join(letters)))
    content += np.cumsum([0, *map(len, letters)]).astype("<u4").tobytes() + np.array(SCORES, "<f4").tobytes()
    content += b"".join(letters)
    entries = [struct.pack(f"<IB{len(new)}I", ord(old), len(new), *map(ord, new)) for old, new in REPLACED.items()]
    content += struct.pack("<iI", len(entries), len(b"".join(entries))) + b"".join(entries)
    parts: dict[str, tuple[int, int, bytes]] = {}
    for name, array in tensors().items():
        if array.ndim == 1:
            parts[name] = 0, array.size, array.astype("<f4").tobytes()
            continue
        blocks = (array * 64 + 8).round().astype(np.uint8).reshape(-1, 2, 16)
        rows = np.empty(len(blocks), [("scale", "<f2"), ("pairs", "u1", (16,))])
        rows["scale"], rows["pairs"] = scale, blocks[:, 0] | blocks[:, 1] << 4
        parts[name] = 1, array.size, rows.tobytes()
    if extra:
        parts[extra] = parts.pop("l1.oln.b")
    at = len(content) + 4 + sum(2 + len(name) + 21 for name in parts)
    content += struct.pack("<i", len(parts))
    for name, (kind, count, data) in parts.items():
        content += struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", kind, count, at, len(data))
        at += len(data)
    content += b"".join(data for _, _, data in parts.values())
    path.write_bytes(content)
    return content
