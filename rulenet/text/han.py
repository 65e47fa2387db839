"""Traditional Chinese characters → simplified ones, one for one, so that positions stay valid.

Imports OpenCC when first used (extra ``zh``).
"""

from __future__ import annotations

from functools import lru_cache

from rulenet.base.extras import need

_RANGES = ((0x3400, 0x4DC0), (0x4E00, 0xA000), (0xF900, 0xFB00), (0x20000, 0x2A6E0))


@lru_cache(maxsize=1)
def _table() -> dict[int, str]:
    """Build the table for `str.translate`. Characters are converted one by one, because whole words would change lengths."""
    opencc = need("opencc", purpose="fold_traditional: true in a rule file")
    characters = [chr(code) for first, last in _RANGES for code in range(first, last)]
    converted = opencc.OpenCC("t2s").convert("\n".join(characters)).split("\n")
    return {ord(a): b for a, b in zip(characters, converted, strict=True) if a != b and len(b) == 1}


def simplified(text: str) -> str:
    """Return the text with simplified characters, of the same length.

    Examples
    --------
    >>> simplified("軟件後來 2")
    '软件后来 2'
    """
    return text if text.isascii() else text.translate(_table())
