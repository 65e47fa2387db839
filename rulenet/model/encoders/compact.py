"""A multilingual encoder made small for its training texts: fewer word pieces, fewer bits. Imports text, encoder and bits; torch late.

Of the 118 million parameters of multilingual-e5-small, 96 are the table of its 250,037 pieces, of which any texts use few. A smaller
table takes less memory and less time to train. What is left out is read in smaller pieces, as the tokenizer itself does with that
vocabulary. This happens before training, so that the model learns from, and is judged on, what it will read; saving changes nothing.

All pieces of a script are kept, as those that few texts do not have are needed later: with the pieces of 4,500 texts and single
characters alone, 5 % of the answers on other AG News texts changed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rulenet.base.types import Array
from rulenet.model.encoders.allowed import special_ids
from rulenet.model.encoders.bits import in_four
from rulenet.model.encoders.encoder import Body
from rulenet.text.language import script

LARGE = 100_000  # pieces, from which a vocabulary is one of many languages
COMMON = 0.01  # share of the texts from which a script is one of theirs


def is_large(body: Body) -> bool:
    """Whether an encoder has the vocabulary of many languages, with a score for each piece (Unigram), as XLM-R and E5 have."""
    n_pieces = body.tokenizer.get_vocab_size(with_added_tokens=False)
    is_whole = n_pieces == body.tokenizer.get_vocab_size()  # special pieces are in the same list
    return type(body.tokenizer.model).__name__ == "Unigram" and n_pieces > LARGE and is_whole


def compact(body: Body, counts: Array) -> Body:
    """The same encoder with fewer pieces.

    Parameters
    ----------
    counts
        How often each piece is in the training texts, shape (n_pieces,).
    """
    data = json.loads(body.tokenizer.to_str())
    model, vocabulary = data["model"], data["model"]["vocab"]
    special = {*range(body.pad_id + 1), model["unk_id"], *special_ids(data["post_processor"])}
    special |= {token["id"] for token in data["added_tokens"]}
    kept = sorted(special | worth_keeping([piece for piece, _ in vocabulary], counts))
    number = {old: new for new, old in enumerate(kept)}
    data["model"] = model | {"vocab": [vocabulary[old] for old in kept], "unk_id": number[model["unk_id"]]}
    for token in data["added_tokens"]:
        token["id"] = number[token["id"]]
    data["post_processor"] = _renumbered(data["post_processor"], number)
    _keep_rows(body.model, kept)
    tokenizer = type(body.tokenizer).from_str(json.dumps(data))
    return replace(body, tokenizer=tokenizer, traits=replace(body.traits, sixteen_bits=True))


def round_weights(model: Any) -> None:
    """Round what was trained of a model to what 16 bits hold, if it is small enough and not in 4; it stays in floats of 32."""
    import torch

    with torch.no_grad():
        for weight in model.parameters():
            rounded = weight.half().float()
            if weight.requires_grad and rounded.isfinite().all() and in_four(weight) is None:
                weight.copy_(rounded)


def worth_keeping(pieces: Sequence[str], counts: Array) -> set[int]:
    """Numbers of the pieces that matter for texts which have them so often.

    These are all pieces of the scripts of the texts, and in any case of ASCII and Han; numbers; the pieces in the texts; and the single
    characters of all scripts that are in them.
    """
    scripts, n_seen, seen = [script_of(piece) for piece in pieces], Counter[str](), set(np.flatnonzero(counts).tolist())
    for i in seen:
        n_seen[scripts[i]] += int(counts[i])
    whole = {"ASCII", "CJK"} | {script for script, n in n_seen.items() if script and n > COMMON * n_seen.total()}
    return {
        i
        for i, (piece, script) in enumerate(zip(pieces, scripts, strict=True))
        if script in whole
        or i in seen
        or (not script and any(map(str.isdigit, piece)))
        or (len(piece) == 1 and (not script or script in n_seen))
    }


def script_of(piece: str) -> str:
    """The script of the first letter of a piece; ``"ASCII"`` if that is all it consists of, and empty without letters.

    Examples
    --------
    >>> [script_of(piece) for piece in ("▁oil", "▁café", "油价", "нефть", "▁", "...")]
    ['ASCII', 'LATIN', 'CJK', 'CYRILLIC', '', '']
    """
    letter = next(filter(str.isalpha, piece), None)
    if letter is None:
        return ""
    return "ASCII" if piece.removeprefix("▁").isascii() else script(letter)


def _keep_rows(model: Any, kept: list[int]) -> None:
    import torch

    old = model.get_input_embeddings()
    new = torch.nn.Embedding(
        len(kept), old.embedding_dim, padding_idx=old.padding_idx, _weight=old.weight.detach()[kept]
    )
    model.set_input_embeddings(new)
    model.config.vocab_size = len(kept)


def _renumbered(part: Any, number: dict[int, int]) -> Any:
    """A post-processor with the new numbers of its pieces."""
    if isinstance(part, list):
        return [_renumbered(one, number) for one in part]
    if not isinstance(part, dict):
        return part
    found = {name: _renumbered(value, number) for name, value in part.items()}
    for name in ("sep", "cls"):
        if isinstance(part.get(name), list):
            found[name] = [part[name][0], number[part[name][1]]]
    return found | ({"ids": [number[i] for i in part["ids"]]} if "ids" in part else {})
