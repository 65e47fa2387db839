"""`rulenet rules schema`."""

from __future__ import annotations

from rulenet.cli.console import print_json


def schema() -> None:
    """Print the JSON Schema of rule files, for completion and checks in editors.

    Example: `rulenet rules schema > rulenet.schema.json`
    """
    from rulenet.rules.file.schema import json_schema

    print_json(json_schema())
