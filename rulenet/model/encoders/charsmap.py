"""A map of characters in the form that the tokenizers of SentencePiece models read: a double array (darts-clone). Imports only NumPy.

One trie over the bytes of UTF-8. From a node at place p, whose number says how far away its children are, byte b leads to
``p ^ offset ^ b``, if the number there is labelled b. Every node with children gets a block of 256 places, so none has to be searched
for, and every end gets one of the places that are left over: 7 ms and 209 kB for the 4,837 characters of multilingual-e5.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

_BLOCK = 256
_END = 1 << 31  # the number is the place of a replacement
_HAS_END = 1 << 8
_MAX_BLOCKS = 8_000  # offsets have 21 bits


def charsmap(replacements: Mapping[str, str]) -> bytes:
    """The bytes of a `tokenizers.normalizers.Precompiled` that replaces single characters.

    Raises
    ------
    ValueError
        If a key is not one character, or there are too many of them.

    Examples
    --------
    >>> from tokenizers.normalizers import Precompiled
    >>> Precompiled(charsmap({"Ａ": "A", "\\t": " ", "\\x01": ""})).normalize_str("Ａ\\x01\\tb")
    'A b'
    """
    keys = {character.encode(): replacement.encode() for character, replacement in replacements.items()}
    if any(len(character) != 1 or character == "\0" for character in replacements):
        raise ValueError("a key of the map is not one character")
    parents = sorted({key[:n] for key in keys for n in range(len(key))}, key=lambda prefix: (len(prefix), prefix))
    n_blocks = len(parents) + 1 + len(keys) // (_BLOCK // 2)
    if n_blocks > _MAX_BLOCKS:
        raise ValueError("the map has more characters than any tokenizer needs")
    block = {prefix: number * _BLOCK for number, prefix in enumerate(parents)}
    numbers = np.zeros(n_blocks * _BLOCK, dtype=np.uint32)
    place = {prefix: block[prefix[:-1]] ^ prefix[-1] for prefix in [*parents[1:], *keys]} | {b"": 0}
    for prefix in parents:
        numbers[place[prefix]] = (place[prefix] ^ block[prefix]) << 10 | (prefix[-1] if prefix else 0)
    taken = set(place.values())
    free = (at for at in range(1, len(numbers)) if at % _BLOCK and at not in taken)
    texts = bytearray()
    for key, at in zip(keys, free, strict=False):
        numbers[place[key]] = (place[key] ^ at) << 10 | _HAS_END | key[-1]
        numbers[at] = _END | len(texts)
        texts += keys[key] + b"\0"
    array = numbers.astype("<u4").tobytes()
    return len(array).to_bytes(4, "little") + array + bytes(texts)
