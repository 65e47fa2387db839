"""What tests do with a model folder: look into it, and forge it as someone would who wants it to be loaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import safetensors.numpy

from rulenet.store.manifest import ModelConfig, entries_of, part_file


def files(folder: Path) -> set[str]:
    """Names of all files of a folder."""
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


def content(folder: Path) -> dict[str, bytes]:
    """All files of a folder but the lock, which comes with the first attempt to write."""
    return {name: (folder / name).read_bytes() for name in files(folder) - {".lock"}}


def config_of(folder: Path) -> dict[str, Any]:
    """config.json."""
    data: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return data


def write_config(folder: Path, config: Any) -> None:
    """Write config.json."""
    text = config if isinstance(config, str) else json.dumps(config)
    (folder / "config.json").write_text(text, encoding="utf-8")


def part(folder: Path, name: str) -> Path:
    """The file of a part of the present state."""
    return folder / part_file(name, ModelConfig.model_validate(config_of(folder)).parts[name])


def present(folder: Path) -> dict[str, bytes]:
    """The present state bit for bit: what config.json says without its history, and all parts."""
    config = ModelConfig.model_validate(config_of(folder))
    parts = {name: part(folder, name).read_bytes() for name in config.parts}
    return {"config.json": config.state.model_dump_json().encode(), **parts}


def forge(folder: Path, name: str, new: bytes) -> None:
    """Replace a part, its checksum and the name that it has for it."""
    config = config_of(folder)
    if name in config["parts"]:
        part(folder, name).unlink()
    entry = entries_of({name: new})[name]
    (folder / part_file(name, entry)).write_bytes(new)
    config["parts"][name] = entry.model_dump()
    write_config(folder, config)


def forge_json(folder: Path, name: str, **changes: Any) -> None:
    """Change entries of a JSON part."""
    forge(folder, name, json.dumps({**json.loads(part(folder, name).read_text(encoding="utf-8")), **changes}).encode())


def forge_tensors(folder: Path, name: str, change: Callable[[dict[str, Any]], None]) -> None:
    """Change arrays of a safetensors part."""
    tensors = safetensors.numpy.load_file(part(folder, name))
    change(tensors)
    forge(folder, name, safetensors.numpy.save(tensors))
