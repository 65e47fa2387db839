"""Texts with named parts, such as a title and a body. Imports only the standard library."""

from __future__ import annotations

from collections.abc import Mapping

SEPARATOR = "\n\n"


class Record(str):
    """A text with named fields; as a string, it is all fields with a blank line between them.

    Examples
    --------
    >>> mail = Record.of({"title": "Refund", "body": "Where is it?"})
    >>> mail, mail.fields
    ('Refund\\n\\nWhere is it?', {'title': (0, 6), 'body': (8, 20)})
    """

    fields: dict[str, tuple[int, int]]  # start and end of each in the text

    @classmethod
    def of(cls, parts: Mapping[str, str]) -> Record:
        """Join the parts in the order given."""
        record, at = cls(SEPARATOR.join(parts.values())), 0
        record.fields = {}
        for name, text in parts.items():
            record.fields[name] = (at, at + len(text))
            at += len(text) + len(SEPARATOR)
        return record
