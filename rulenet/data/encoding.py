"""Which encoding a text file is in. Imports charset-normalizer, late."""

from __future__ import annotations

import codecs
import re
from io import BufferedIOBase

SCAN = 64 * 1024 * 1024  # bytes that are looked through; a file that is UTF-8 up to there is taken for UTF-8
_CHUNK = 1024 * 1024
_SAMPLE = 64 * 1024  # bytes that are judged, from the first line that is not UTF-8
_SURE = 1000  # characters outside ASCII after which UTF-8 is certain
_ENOUGH = 32  # bytes outside ASCII from which charset-normalizer is asked
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is the beginning of this one
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"\x84\x31\x95\x33", "gb18030"),
)
_SIGNS = "“”‘’„‚–—…€«»°§·©®™№"
_WEST = "àâäáãåæçèéêëìíîïñòóôöõøœùúûüÿßÀÂÄÁÃÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÖÕØŒÙÚÛÜß¿¡"
_EAST = "ąćęłńóśźżĄĆĘŁŃÓŚŹŻáčďéěíňřšťúůýžÁČĎÉĚÍŇŘŠŤÚŮÝŽőűŐŰäöüÄÖÜßăâîşţĂÂÎŞŢđĐľĺŕôĽĹ"
_CJK = "、。！？，：；“”‘’（）《》〈〉…—·\u3000【】「」『』～￥％Ａ-Ｚａ-ｚ０-９"
_APART = r"(?<![^\x00-\x7f])[{0}]{{1,%d}}(?![^\x00-\x7f])"  # accented letters stand alone or in pairs, not in rows

# What texts in each encoding are made of, the likeliest encoding first; read in a wrong one, few characters are among these.
# Patterns that are not compiled before a file needs them: that takes 10 ms.
_TYPICAL = {
    "gb18030": f"[\u4e00-\u9fff{_CJK}]",
    "big5": f"[\u4e00-\u9fff{_CJK}]",
    "cp932": f"[\u3041-\u30ff\u4e00-\u9fff{_CJK}]",
    "cp949": f"[\uac00-\ud7a3{_CJK}]",
    "cp1252": (_APART % 3).format(_WEST.replace("ÿ", "") + _SIGNS),
    "cp1250": (_APART % 5).format(_EAST + _SIGNS),
    "cp1251": f"[Ѐ-ӿ]{{2,}}|[{_SIGNS}]",
}
_OTHERS = ["cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "koi8_r", "cp874"]
_COMMON = {
    "gb18030": (0xB0, 0xD7, 0xA1),
    "big5": (0xA4, 0xC6, 0x40),
    "cp932": (0x88, 0x97, 0x40),
    "cp949": (0xB0, 0xC8, 0xA1),
}
"""First and last leading byte of the frequent Han characters or Hangul, and their lowest second byte."""


def detect(file: BufferedIOBase) -> str:
    """Guess the encoding of a file from its bytes; ``"utf-8-sig"`` if it is UTF-8, or if nothing speaks for another one.

    A file that is UTF-8 but for a few bytes is damaged UTF-8: its reader says where.

    Examples
    --------
    >>> import io
    >>> detect(io.BytesIO("文本,标签\\n物流太慢了,差评\\n".encode("gb18030"))), detect(io.BytesIO("Käse;gut".encode("cp1252")))
    ('gb18030', 'cp1252')
    """
    head = file.read(_CHUNK)
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    if nameless := _utf16(head):
        return nameless
    decoder, n_valid, n_read, chunk = codecs.getincrementaldecoder("utf-8")(), 0, 0, head
    while chunk and n_read < SCAN:
        try:
            text = decoder.decode(chunk)
        except UnicodeDecodeError as error:
            start = error.object.rfind(b"\n", 0, error.start) + 1
            sample = error.object[start:] + file.read(_SAMPLE)
            if len(sample) > _SAMPLE:
                sample = sample[: sample.rfind(b"\n", 0, _SAMPLE) + 1 or _SAMPLE]
            n_valid += _foreign(error.object[: error.start].decode())
            return _judge(sample, n_valid)
        n_valid += _foreign(text)
        n_read += len(chunk)
        if n_valid > _SURE:
            break
        chunk = file.read(_CHUNK)
    return "utf-8-sig"


def _foreign(text: str) -> int:
    """Number of characters outside ASCII."""
    return 0 if text.isascii() else len(text) - len(text.encode("ascii", "ignore"))


def _utf16(head: bytes) -> str | None:
    """UTF-16 without a mark, which shows by the zeros of its ASCII characters."""
    for name, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[::2])):
        others = head[::2] if name == "utf-16-le" else head[1::2]
        if zeros.count(0) >= 8 and zeros.count(0) > 0.1 * len(zeros) and others.count(0) < 0.01 * len(others):
            return name
    return None


def _judge(sample: bytes, n_valid: int) -> str:
    shown = sample.decode("utf-8", "replace")
    n_broken = shown.count("\ufffd")
    if n_valid + _foreign(shown) - n_broken > n_broken:
        return "utf-8-sig"
    scores = {name: _score(sample, name) for name in _TYPICAL}
    best = max(scores, key=lambda name: scores[name])  # of equals the first
    found = best if scores[best] >= 0.85 else "utf-8-sig"
    if found not in ("cp1251", "utf-8-sig") or sum(byte > 0x7F for byte in sample) < _ENOUGH:
        return found
    from charset_normalizer import from_bytes  # knows languages, which tell Russian from Greek

    match = from_bytes(sample, cp_isolation=_OTHERS).best()
    return found if match is None else match.encoding.replace("_", "-")


def _score(sample: bytes, name: str) -> float:
    """Share of the characters outside ASCII that are typical for texts in this encoding; 0 if it cannot be."""
    try:
        text = sample.decode(name)
    except UnicodeDecodeError:
        return 0.0
    found = "".join(re.findall(_TYPICAL[name], text))
    if name in _COMMON:
        first, last, second = _COMMON[name]
        found = "".join(c for c in found if not "\u4e00" <= c <= "\ud7a3" or _lies(c.encode(name), first, last, second))
    # Frequent Chinese characters read as Korean are often syllables too, and as Japanese without any kana.
    if name == "cp949" and len({c for c in found if c >= "\uac00"}) < 12:
        return 0.0
    if name == "cp932" and sum("\u3041" <= c <= "\u30ff" for c in found) < 0.2 * len(found):
        return 0.0
    score = len(found) / max(_foreign(text), 1)
    return score + 0.01 if name == "cp949" and score == 1 else score


def _lies(code: bytes, first: int, last: int, second: int) -> bool:
    return len(code) == 2 and first <= code[0] <= last and code[1] >= second
