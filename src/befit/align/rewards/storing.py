"""Writes a fitted method into a folder and reads it back, whatever its family.

A fitted method is a frozen dataclass; arrays go to one safetensors file, all else to JSON beside
it. Only fields that were given are written; what a constructor derives it derives again. A folder
names the method that it came from, and only classes of befit and of that method's module are made
from it: reading a folder runs nothing that was not installed.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from sys import modules
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from befit.align.rewards.method import Fitted
from befit.core.errors import ModelFileError
from befit.core.registry import find

ARRAYS, FACTS = "fitted.safetensors", "fitted.json"
_FORMAT = 2
_PLAIN = (str, int, float, bool, type(None))


def save(fitted: Fitted, folder: Path, method: str, features: str) -> None:
    """Write it.

    Args:
        fitted: What a method fitted.
        folder: Made where missing.
        method: The name of the method, or ``module:Class``.
        features: Name of the features that it was fitted on.
    """
    arrays: dict[str, Any] = {}
    facts = {
        "format": _FORMAT,
        "method": method,
        "features": features,
        "fitted": _packed(fitted, "fitted", arrays),
    }
    folder.mkdir(parents=True, exist_ok=True)
    save_file(arrays, folder / ARRAYS)
    facts["sha256"] = _sha256(folder / ARRAYS)
    (folder / FACTS).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def load(folder: Path, features: str) -> Fitted:
    """Read it.

    Raises:
        ModelFileError: A file is missing or damaged, or it was fitted on other features.
    """
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        if facts["features"] != features:
            raise ModelFileError(
                f"the reward in {folder} was fitted on {facts['features']}, and here is {features}",
                hint="fit it again, or give it the features it was fitted on",
                field="folder",
            )
        _check(facts, folder)
        arrays = load_file(folder / ARRAYS)
        allowed = ("befit.", find("method", facts["method"]).__module__)
        fitted: Fitted = _unpacked(facts["fitted"], arrays, allowed)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        raise ModelFileError(
            f"the reward in {folder} does not read: {error}", hint="fit it again", field="folder"
        ) from error
    return fitted


def _check(facts: Mapping[str, Any], folder: Path) -> None:
    if facts["format"] != _FORMAT:
        raise ValueError(f"the format is {facts['format']}, not {_FORMAT}")
    if facts["sha256"] != _sha256(folder / ARRAYS):
        raise ValueError("it is not what was saved")


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _packed(value: object, place: str, arrays: dict[str, Any]) -> object:
    if isinstance(value, np.ndarray):
        arrays[place] = np.ascontiguousarray(value)
        return {"array": place}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, (list, tuple)):
        return {"list": [_packed(v, f"{place}.{i}", arrays) for i, v in enumerate(value)]}
    if isinstance(value, Mapping):
        return {"map": {k: _packed(v, f"{place}.{k}", arrays) for k, v in value.items()}}
    if is_dataclass(value) and not isinstance(value, type):
        kind = type(value)
        return {
            "class": f"{kind.__module__}:{kind.__qualname__}",
            "fields": {
                f.name: _packed(getattr(value, f.name), f"{place}.{f.name}", arrays)
                for f in fields(value)
                if f.init
            },
        }
    raise TypeError(f"{place} is a {type(value).__name__}, which is not written")


def _unpacked(value: Any, arrays: Mapping[str, Any], allowed: tuple[str, ...]) -> Any:
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return arrays[value["array"]]
    if "list" in value:
        return tuple(_unpacked(each, arrays, allowed) for each in value["list"])
    if "map" in value:
        return {name: _unpacked(each, arrays, allowed) for name, each in value["map"].items()}
    module, _, name = value["class"].partition(":")
    kind = getattr(modules.get(module), name, None) if module.startswith(allowed) else None
    if not (isinstance(kind, type) and is_dataclass(kind)):
        raise ValueError(f"{value['class']} is no part of a fitted method")
    given = {name: _unpacked(each, arrays, allowed) for name, each in value["fields"].items()}
    return kind(**given)
