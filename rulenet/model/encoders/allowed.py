"""What the settings and the tokenizer of an encoder may say, in a model folder and in an encoder's own. Imports transformers, late.

Both are lists of what is allowed: kinds of transformers whose answers follow from the weights alone, parts of tokenizers that take
linear time on every text, and sizes that are bounded.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

KINDS = (
    *("albert", "bert", "camembert", "convbert", "deberta", "deberta-v2", "distilbert", "electra", "ernie", "eurobert"),
    *("modernbert", "mpnet", "roberta", "roformer", "xlm-roberta", "xlm-roberta-xl"),
)
# Entries that say how a model answers rather than what it is, with the only values that are read right here.
_FIXED = {
    "add_cross_attention": False,
    "chunk_size_feed_forward": 0,
    "is_decoder": False,
    "is_encoder_decoder": False,
    "output_attentions": False,
    "output_hidden_states": False,
    "return_dict": True,
    "use_return_dict": True,
    "position_embedding_type": "absolute",
}
# Entries of older versions of transformers, which have no effect.
_IGNORED = ("gradient_checkpointing", "position_embedding_type", "torch_dtype", "use_return_dict")
# Entries about tasks and other files; they are not saved.
UNSAVED = ("architectures", "id2label", "label2id", "problem_type")
_MAX_NUMBER = 10_000_000
_MAX_LAYERS = 500  # building one takes a moment, whatever its size
_MAX_LETTERS = 1_000

# The parts of tokenizers, each with the fields that may differ between encoders.
_PLAIN: dict[str, tuple[str, ...]] = dict.fromkeys(
    (
        *("NFC", "NFD", "NFKC", "NFKD", "Nmt", "Lowercase", "StripAccents", "BertPreTokenizer", "Whitespace"),
        *("WhitespaceSplit", "UnicodeScripts", "Fuse", "ByteFallback"),
    ),
    (),
)
_SIDES = ("trim_offsets", "add_prefix_space", "use_regex")
_META = ("replacement", "prepend_scheme", "split", "add_prefix_space", "str_rep")
_PARTS: dict[str, dict[str, tuple[str, ...]]] = {
    "normalizer": _PLAIN | {
        "Sequence": ("normalizers",), "BertNormalizer": ("clean_text", "handle_chinese_chars", "strip_accents", "lowercase"),
        "Strip": ("strip_left", "strip_right"), "Prepend": ("prepend",), "Replace": ("pattern", "content"),
        "Precompiled": ("precompiled_charsmap",), "ByteLevel": (),
    },
    "pre_tokenizer": _PLAIN | {
        "Sequence": ("pretokenizers",), "Punctuation": ("behavior",), "Digits": ("individual_digits",), "Metaspace": _META,
        "ByteLevel": _SIDES, "Split": ("pattern", "behavior", "invert"),
    },
    "post_processor": {
        "Sequence": ("processors",), "TemplateProcessing": ("single", "pair", "special_tokens"), "BertProcessing": ("sep", "cls"),
        "RobertaProcessing": ("sep", "cls", "trim_offsets", "add_prefix_space"), "ByteLevel": _SIDES,
    },
    "decoder": _PLAIN | {
        "Sequence": ("decoders",), "WordPiece": ("prefix", "cleanup"), "Metaspace": _META, "ByteLevel": _SIDES,
        "BPEDecoder": ("suffix",), "Replace": ("pattern", "content"), "Strip": ("content", "start", "stop"),
    },
    "model": {
        "WordPiece": ("unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab"),
        "BPE": ("dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", "byte_fallback",
                "ignore_merges", "vocab", "merges"),
        "Unigram": ("unk_id", "vocab", "byte_fallback"),
        "WordLevel": ("vocab", "unk_token"),
    },
}  # fmt: skip
_PATTERNS = (" {2,}", " +", r"\s+", r"\s")  # regular expressions that real tokenizers have; any other may take forever
_MAX_PIECES = 2_000_000
_MAX_LETTERS_OF_A_WORD = 1_000
_MAX_SPECIAL = 4  # special pieces around a text; the shortest row has 8
_LARGE = ("vocab", "merges", "precompiled_charsmap")  # bounded on their own


def is_failure(error: BaseException) -> bool:
    """Whether a library failed: with an Exception or, if it is written in Rust, with a PanicException, which is none."""
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"


def settings_to_save(settings: dict[str, Any]) -> dict[str, Any]:
    """The entries of an encoder's settings that say what it is.

    Raises
    ------
    ValueError
        If they cannot be saved, as `check_settings` would refuse them.
    """
    kept = {name: value for name, value in settings.items() if name not in UNSAVED and name in _names(settings)}
    check_settings(kept)
    return kept


def check_settings(settings: Any) -> None:
    """Refuse settings of a transformer that `settings_to_save` does not write.

    Raises
    ------
    ValueError
        It says which entries are not allowed.
    """
    if not isinstance(settings, dict):
        raise ValueError("the settings are not a mapping")
    if odd := sorted(map(_short, settings.keys() - _names(settings))):
        raise ValueError(f"{', '.join(odd[:8])} is not allowed in the settings of an encoder")
    faults = [name for name, value in _FIXED.items() if type(settings.get(name, value)) is not type(value)]
    faults += [name for name, value in _FIXED.items() if settings.get(name, value) != value]
    faults += [name for name, value in settings.items() if not _is_bounded(value)]
    layers = {
        name: settings[name] for name in ("num_hidden_layers", "n_layers", "num_hidden_groups") if name in settings
    }
    faults += [name for name, value in layers.items() if type(value) is not int or value > _MAX_LAYERS]
    if faults:
        raise ValueError(f"{faults[0]} has a value that no encoder needs")


def check_tokenizer(data: Any, n_pieces: int) -> None:
    """Refuse a tokenizer.json with parts that may be slow, fail or be very large, or with numbers that are no piece.

    Parameters
    ----------
    n_pieces
        Number of rows of the encoder's table of pieces.

    Raises
    ------
    ValueError
        It says which part is not allowed.
    """
    own = ("version", "truncation", "padding", "added_tokens", *_PARTS)
    if not isinstance(data, dict) or (odd := sorted(map(_short, data.keys() - set(own)))):
        raise ValueError(f"{', '.join(odd) if isinstance(data, dict) else 'the whole'} is not allowed in a tokenizer")
    for place in _PARTS:
        if data.get(place) is not None:
            _check_part(place, data[place], depth=0)
    _check_model(data.get("model"))
    small = {name: part for name, part in data.items() if name not in ("model", "added_tokens")}
    added = data.get("added_tokens") or []
    if not _is_bounded(small, depth=12) or not isinstance(added, list) or not all(map(_is_bounded, added)):
        raise ValueError("a part of the tokenizer is larger than any tokenizer needs")
    numbers = [
        *_ids(data["model"].get("vocab")),
        *(token.get("id") if isinstance(token, dict) else None for token in added),
    ]
    numbers += special_ids(data.get("post_processor"))
    if not all(type(number) is int and 0 <= number < n_pieces for number in numbers):
        raise ValueError(f"the tokenizer has a number that is none of the {n_pieces:,} word pieces of the encoder")


def _names(settings: Mapping[str, Any]) -> set[str]:
    """The entries that a transformer of this kind has."""
    from transformers import AutoConfig

    kind = settings.get("model_type")
    if kind not in KINDS:
        raise ValueError(f"model_type {_short(kind)} is none of {', '.join(KINDS)}")
    usual = set(AutoConfig.for_model(kind).to_dict()) | set(_IGNORED)
    return {name for name in usual if not name.startswith("_") and name != "quantization_config"}


def _check_part(place: str, part: Any, depth: int) -> None:
    """A part of a tokenizer, and the parts that a sequence consists of."""
    kind = part.get("type") if isinstance(part, dict) else part
    fields = _PARTS[place].get(kind) if isinstance(kind, str) and isinstance(part, dict) else None
    if fields is None or part.keys() - {"type", *fields} or depth > 2:
        raise ValueError(
            f"the {place} of type {_short(kind)} is not allowed in the tokenizer of an encoder, or has odd fields"
        )
    pattern = part.get("pattern")
    if isinstance(pattern, dict) and "Regex" in pattern and pattern["Regex"] not in _PATTERNS:
        raise ValueError(
            f"the regular expression {_short(pattern['Regex'])} is not allowed in the tokenizer of an encoder"
        )
    if part["type"] == "Sequence":
        inner = part.get(_PARTS[place]["Sequence"][0])
        if not isinstance(inner, list) or len(inner) > 20:
            raise ValueError(f"the {place} is not a short list of parts")
        for one in inner:
            _check_part(place, one, depth + 1)
    charsmap = part.get("precompiled_charsmap")
    if charsmap is not None and not (isinstance(charsmap, str) and len(charsmap) <= 2_000_000):
        raise ValueError("precompiled_charsmap is larger than any tokenizer needs")
    if part["type"] == "TemplateProcessing":
        _check_template(part)


def _check_template(part: dict[str, Any]) -> None:
    """The special pieces around a text: few, and all of them known, as the tokenizers panic where one is not."""
    special, single, pair = (part.get(name) for name in ("special_tokens", "single", "pair"))
    if not isinstance(special, dict) or not isinstance(single, list) or not isinstance(pair, list):
        raise ValueError("the post_processor is not a template")
    known = [{"SpecialToken": name} for name in special] + [{"Sequence": "A"}, {"Sequence": "B"}]
    pieces = [
        {kind: value.get("id") if isinstance(value, dict) else value for kind, value in piece.items()}
        if isinstance(piece, dict)
        else piece
        for piece in (*single, *pair)
    ]
    if len(single) > _MAX_SPECIAL + 1 or len(pair) > 2 * _MAX_SPECIAL or len(special_ids(part)) > 4 * _MAX_SPECIAL:
        raise ValueError("the post_processor adds more special pieces than any encoder needs")
    if not all(piece in known for piece in pieces) or {"Sequence": "B"} in pieces[: len(single)]:
        raise ValueError("the post_processor adds a piece that it does not name")


def _check_model(model: Any) -> None:
    if model is None:
        raise ValueError("the tokenizer has no model")
    vocab, merges = model.get("vocab"), model.get("merges", [])
    if (
        not isinstance(vocab, (dict, list))
        or not isinstance(merges, list)
        or max(len(vocab), len(merges)) > _MAX_PIECES
    ):
        raise ValueError(f"the tokenizer has no vocabulary of at most {_MAX_PIECES:,} pieces")
    pieces = vocab if isinstance(vocab, dict) else [row[0] if isinstance(row, list) and row else None for row in vocab]
    if not all(isinstance(piece, str) and len(piece) <= _MAX_LETTERS for piece in pieces):
        raise ValueError(f"the tokenizer has a piece that is no string of at most {_MAX_LETTERS} characters")
    if model.get("dropout") is not None:
        raise ValueError("the tokenizer answers at random (dropout)")
    longest = model.get("max_input_chars_per_word", 100)
    small = {name: value for name, value in model.items() if name not in _LARGE}
    if type(longest) is not int or not 0 < longest <= _MAX_LETTERS_OF_A_WORD or not _is_bounded(small):
        raise ValueError("the model of the tokenizer has a value that no encoder needs")


def _ids(vocab: Any) -> list[Any]:
    """The numbers of the pieces of a vocabulary; a list of them is numbered by its order."""
    return list(vocab.values()) if isinstance(vocab, dict) else list(range(len(vocab)))


def special_ids(part: Any) -> list[Any]:
    """The numbers of the pieces that a post-processor adds."""
    if isinstance(part, dict):
        pairs = [
            value[1]
            for name, value in part.items()
            if name in ("sep", "cls") and isinstance(value, list) and len(value) == 2
        ]
        own = part["ids"] if isinstance(part.get("ids"), list) else []
        return [*pairs, *own, *(number for value in part.values() for number in special_ids(value))]
    return [number for value in part for number in special_ids(value)] if isinstance(part, list) else []


def _is_bounded(value: Any, depth: int = 4) -> bool:
    """Whether a value of JSON is small: finite numbers, short texts, short lists, and not deeply nested."""
    if isinstance(value, (dict, list)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        inner: Iterator[Any] = (part for name, part in items if name != "precompiled_charsmap")
        keys = value if isinstance(value, dict) else ()
        return (
            depth > 0
            and len(value) <= 10_000
            and all(map(_is_bounded, keys))
            and all(_is_bounded(v, depth - 1) for v in inner)
        )
    if isinstance(value, (int, float)):
        return -_MAX_NUMBER <= value <= _MAX_NUMBER and math.isfinite(value)
    return value is None or (isinstance(value, str) and len(value) <= _MAX_LETTERS)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
