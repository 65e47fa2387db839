"""Vectors of single words, from an encoder that reads each word alone: [CLS] word [SEP], pooled as for texts. Imports torch, late.

They are kept in the user's cache by encoder and word, so that a word is read once: MiniLM reads about 1,250 words a second on one core
that has bfloat16, e5 330. An encoder is known by the checksum of its files. Words of one length are read in batches of one shape, and
vectors are rounded to 16 bits, so that a vector does not depend on the other words that are asked for. A prefix that texts get is left
out: with e5's, THUCNews titles with 150 labels were 0.8 points worse, and reading took longer.
"""

from __future__ import annotations

import contextlib
import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import safetensors.numpy

from rulenet.base.cache import cache_folder
from rulenet.base.files import write_file
from rulenet.base.types import Array
from rulenet.errors import DataError
from rulenet.model.device import settled_precision
from rulenet.model.encoders.load import load_encoder, source_of
from rulenet.text.fold import is_unspaced

if TYPE_CHECKING:
    from rulenet.model.encoders.encoder import Encoder

BATCH = 64
MAX_PIECES = 32  # of a word; the rest of a longer one is not read
MAX_KEPT = 200_000  # words of an encoder in the cache, the latest
MAX_BYTES = 1_000_000_000
MAX_FILES = 8  # encoders in the cache
_FORMAT = "3"  # raise it when a word's vector is made in another way


@dataclass(frozen=True)
class Lexicon:
    """Words and their vectors.

    Attributes
    ----------
    index
        Row of each word.
    vectors
        Float16, (n_words, width).
    own
        Whole words that are single pieces of the encoder's vocabulary, the most frequent first.
    """

    index: dict[str, int]
    vectors: Array
    own: tuple[str, ...]


class WordReader:
    """Reads words with an encoder, which is loaded only for words that are not in the cache; see `load_encoder` for its name.

    Raises
    ------
    EncoderError, MissingExtraError
        If it cannot be loaded.
    """

    def __init__(self, name: str, *, device: str = "cpu") -> None:
        self.name, self.device = name, device
        self._file = _file(name)
        kept = None if self._file is None else _kept(self._file)
        if kept is None:
            width, own = self._encoder.width, whole_words(self._encoder)
            kept = Lexicon({}, np.zeros((0, width), dtype=np.float16), own)
        self._known = kept

    @property
    def own(self) -> tuple[str, ...]:
        """Whole words that the encoder knows, the most frequent first."""
        return self._known.own

    @cached_property
    def _encoder(self) -> Encoder:
        encoder = load_encoder(self.name, texts=[], max_length=MAX_PIECES, seed=0)
        encoder.traits = replace(encoder.traits, prefix="")
        return encoder

    def vectors(self, words: Sequence[str]) -> Array:
        """The vector of each word, float32, (n_words, width)."""
        known = self._known
        if new := [word for word in dict.fromkeys(words) if word not in known.index]:
            more = read_alone(self._encoder, new, self.device)
            index = {word: i for i, word in enumerate([*known.index, *new])}
            self._known = known = Lexicon(index, np.vstack([known.vectors, more]), known.own)
            if self._file is not None:
                _keep(self._file, known)
        return known.vectors[[known.index[word] for word in words]].astype(np.float32)


def read_alone(encoder: Encoder, words: Sequence[str], device: str) -> Array:
    """The vector of each word, float16, (n_words, width)."""
    import torch

    from rulenet.model.psi import Psi

    # Rounded to 16 bits anyway: products in bfloat16 turn a vector by less than a degree.
    precision = settled_precision(None, device)
    psi = Psi(encoder, 2, bound=None, dropout=0.0, precision=precision).eval().to(device)
    rows, vectors = encoder.encode(words), np.zeros((len(words), encoder.width), dtype=np.float16)
    with torch.inference_mode():
        for length in np.unique(rows.lengths):
            same = np.flatnonzero(rows.lengths == length)
            for at in range(0, len(same), BATCH):
                batch = np.resize(same[at : at + BATCH], BATCH)  # the last one is filled up with words it has
                pieces, mask = encoder.pad([rows[i] for i in batch.tolist()])
                vectors[batch] = psi.read(pieces.to(device), mask.to(device)).h.float().cpu().numpy()
    return vectors


def whole_words(encoder: Encoder) -> tuple[str, ...]:
    """Pieces of an encoder's vocabulary that are whole words, folded as terms are, in its order: the most frequent first.

    WordPiece marks pieces inside a word with ##, others mark the first piece with ▁ or Ġ; words of a script without spaces have no mark.
    """
    vocabulary = encoder.tokenizer.get_vocab(with_added_tokens=False)
    pieces = sorted(vocabulary, key=vocabulary.__getitem__)
    marks = next(
        (mark for mark in ("▁", "Ġ") if sum(piece.startswith(mark) for piece in pieces) > len(pieces) / 10), ""
    )
    found = (piece.removeprefix(marks).casefold() for piece in pieces if piece.startswith(marks) or is_unspaced(piece))
    return tuple(dict.fromkeys(word for word in found if word.isalpha()))


@lru_cache(maxsize=16)
def _checksum(files: tuple[tuple[str, int, int], ...]) -> str:
    """Checksum of the content of files; it is taken again where one has another size or time."""
    digest = hashlib.sha256(_FORMAT.encode())
    for path, size, _ in files:
        digest.update(f"{Path(path).name} {size} ".encode())
        with open(path, "rb") as handle:
            while block := handle.read(1 << 22):
                digest.update(block)
    return digest.hexdigest()


def _file(name: str) -> Path | None:
    """Where the words of an encoder are kept; None if its files are not on this machine."""
    files = source_of(name).files(name)
    if not files:
        return None
    stats = tuple((str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in sorted(files))
    return cache_folder() / "words" / f"{_checksum(stats)[:32]}.safetensors"


def _kept(file: Path) -> Lexicon | None:
    """The words in a file of the cache; None, with a warning where it is damaged, if there is none that can be used."""
    try:
        if not file.is_file() or file.stat().st_size > MAX_BYTES:
            return None
        return _opened(file, file.stat().st_mtime_ns)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, safetensors.SafetensorError) as error:
        warnings.warn(f"{file} cannot be read ({error}); the word vectors are made again", stacklevel=2)
        return None


@lru_cache(maxsize=2)
def _opened(file: Path, changed: int) -> Lexicon:
    found = safetensors.numpy.load_file(file)
    words, own = (_split(found[name]) for name in ("words", "own"))
    vectors = found["vectors"]
    if vectors.dtype != np.float16 or vectors.ndim != 2 or len(vectors) != len(words) or not np.isfinite(vectors).all():
        raise ValueError("its vectors do not fit its words")
    return Lexicon({word: i for i, word in enumerate(words)}, vectors, own)


def _split(letters: Array) -> tuple[str, ...]:
    return tuple(letters.astype(np.uint8).tobytes().decode().split("\n")) if len(letters) else ()


def _keep(file: Path, found: Lexicon) -> None:
    """Write the words of an encoder into the cache, whole or not at all; a cache that cannot be written is a warning."""
    words = list(found.index)[-MAX_KEPT:]
    texts = {
        name: np.frombuffer("\n".join(of).encode(), dtype=np.uint8)
        for name, of in (("words", words), ("own", found.own))
    }
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_file(file, safetensors.numpy.save({**texts, "vectors": np.ascontiguousarray(found.vectors[-MAX_KEPT:])}))
        others = sorted(file.parent.glob("*.safetensors"), key=lambda other: other.stat().st_mtime_ns)
        for other in others[:-MAX_FILES]:
            with contextlib.suppress(FileNotFoundError):
                other.unlink()
    except (OSError, DataError) as error:
        warnings.warn(f"word vectors cannot be kept: {error}", stacklevel=2)
