"""A multilingual encoder made small for its training texts: fewer word pieces, weights in 16 bits. Imports encoder; torch late.

Of the 118 million parameters of multilingual-e5-small, 96 are the table of its 250,037 pieces, of which any texts use few. A smaller
table trains faster and is saved in less. What is left out is read in smaller pieces, as the tokenizer itself does with that vocabulary.
This happens before training, so that the model learns from, and is judged on, what it will read; saving changes nothing.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rulenet.base.types import Array
from rulenet.model.encoders.allowed import special_ids
from rulenet.model.encoders.encoder import Body

LARGE = 100_000  # pieces, from which a vocabulary is one of many languages
# Beside single characters, the commonest pieces that make up this share of the texts are kept, and as many as this at least.
COVERED, ENOUGH = 0.97, 11_000
UNSURE = 0.05  # share of the texts that pieces of one script seen only once make up, as new texts then have as many that were not seen


def is_large(body: Body) -> bool:
    """Whether an encoder has the vocabulary of many languages, with a score for each piece (Unigram), as XLM-R and E5 have."""
    n_pieces = body.tokenizer.get_vocab_size(with_added_tokens=False)
    is_whole = n_pieces == body.tokenizer.get_vocab_size()  # special pieces are in the same list
    return type(body.tokenizer.model).__name__ == "Unigram" and n_pieces > LARGE and is_whole


def compact(body: Body, counts: Array) -> Body:
    """The same encoder with fewer pieces, and its weights rounded to 16 bits.

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
    round_weights(body.model)
    tokenizer = type(body.tokenizer).from_str(json.dumps(data))
    return replace(body, tokenizer=tokenizer, traits=replace(body.traits, sixteen_bits=True))


def round_weights(model: Any) -> None:
    """Round the weights of a model to what 16 bits can hold, if they are small enough for that; they stay floats of 32."""
    import torch

    with torch.no_grad():
        for weight in model.parameters():
            rounded = weight.half().float()
            if rounded.isfinite().all():
                weight.copy_(rounded)


def worth_keeping(pieces: Sequence[str], counts: Array) -> set[int]:
    """Numbers of the pieces that matter for texts which have them so often.

    These are Han, ASCII and other characters that are no letters, the letters of all scripts in the texts, and the commonest pieces of the
    texts; if they are few, the first pieces of the vocabulary in these scripts (it begins with the likeliest); all pieces of a script of
    which the texts show too little.
    """
    scripts, seen = [script_of(piece) for piece in pieces], np.flatnonzero(counts)
    known = {scripts[i] for i in seen} | {"CJK", "ASCII", ""}
    once = Counter(scripts[i] for i in np.flatnonzero(counts == 1))
    unsure = {script for script, n in once.items() if n > UNSURE * counts.sum()}
    kept = {i for i, script in enumerate(scripts) if script in unsure or (len(pieces[i]) == 1 and script in known)}
    ranked = [i for i in seen[np.argsort(-counts[seen], kind="stable")].tolist() if i not in kept]
    missing = counts.sum() - counts[list(kept)].sum() - np.cumsum(counts[ranked])
    n = max(ENOUGH, int((missing > (1 - COVERED) * counts.sum()).sum()) + 1)
    ranked += [i for i, script in enumerate(scripts) if script in known and counts[i] == 0 and i not in kept]
    return kept | set(ranked[:n])


def script_of(piece: str) -> str:
    """The script of the first letter of a piece; ``"ASCII"`` if that is all it consists of, and empty without letters.

    Examples
    --------
    >>> [script_of(piece) for piece in ("▁oil", "▁café", "油价", "нефть", "▁", "...")]
    ['ASCII', 'LATIN', 'CJK', 'CYRILLIC', '', '']
    """
    letter = next(filter(str.isalpha, piece), "")
    is_ascii = letter and piece.removeprefix("▁").isascii()
    return "ASCII" if is_ascii else unicodedata.name(letter, "").partition(" ")[0] if letter else ""


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
