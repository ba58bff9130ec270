"""Loads preference spaces, the named coordinates of a person, from TOML.

A file has ``name``, ``version``, optionally ``extends`` (spaces whose dimensions come first), and
one ``[[dimension]]`` table for each dimension, with the fields of `Dimension`. Two come with the
package: ``values`` (the universal values) and ``style`` (how to be answered; extends ``values``).
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from befit.core.errors import ConfigError, UnknownComponentError
from befit.core.preference import TOPIC, Dimension, PreferenceSpace

_FIELDS = {f.name: f for f in fields(Dimension)}
_TOP = ("name", "version", "extends", "dimension")
_FOLDER = files("befit.memory").joinpath("spaces_data")


@lru_cache(maxsize=64)
def load_space(name_or_path: str) -> PreferenceSpace:
    """A space by the name of one that comes with the package, or by the path of a TOML file.

    Raises:
        UnknownComponentError: No space of that name; the hint lists the names.
        ConfigError: The file does not read, or a field is wrong; ``field`` names it.
    """
    return _space(name_or_path, seen=())


def _space(name: str, seen: tuple[str, ...]) -> PreferenceSpace:
    if name in seen:
        raise _wrong(f"the space {name} extends itself", "extends", "remove the cycle")
    table = _read(name)
    _known(table, _TOP, "")
    extended = _texts(table.get("extends", []), "extends")
    inherited = [d for base in extended for d in _space(base, (*seen, name)).dimensions]
    tables = table.get("dimension", [])
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        raise _wrong("dimension is not a list of tables", "dimension", "write [[dimension]]")
    own = [_dimension(each, number) for number, each in enumerate(tables)]
    dimensions = (*inherited, *own)
    names = [d.name for d in dimensions]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice or not names:
        fault = f"{twice[0]} is there twice" if twice else "there is no dimension"
        raise _wrong(f"{name}: {fault}", "dimension", "name each dimension once")
    title, version = table.get("name"), table.get("version")
    if not isinstance(title, str) or not isinstance(version, str):
        raise _wrong(f"{name} lacks a name or a version", "name", 'set name and version = "1"')
    return PreferenceSpace(title, version, dimensions)


def _read(name: str) -> dict[str, Any]:
    ours = {each.name.removesuffix(".toml"): each for each in _FOLDER.iterdir()}
    path = Path(name) if name.endswith(".toml") else None
    if not (path.exists() if path else name in ours):
        raise UnknownComponentError(
            f"there is no preference space {name!r}",
            hint=f"one of {', '.join(sorted(ours))}, or the path of a .toml file",
            field="space",
        )
    try:
        return tomllib.loads((path or ours[name]).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _wrong(f"the space {name} does not read: {error}", "space", "mend it") from error


def _dimension(table: Mapping[str, Any], number: int) -> Dimension:
    where = f"dimension[{number}]"
    _known(table, _FIELDS, where)
    for key, option in _FIELDS.items():
        if option.default is MISSING and not table.get(key):
            raise _wrong(f"{where} lacks {key}", f"{where}.{key}", f"set {key}")
    values: dict[str, Any] = {}
    for key, value in table.items():
        option = _FIELDS[key]
        asked = str if option.default is MISSING else type(option.default)
        if asked is tuple:
            value = _texts(value, f"{where}.{key}")  # noqa: PLW2901
        elif not isinstance(value, asked):
            raise _wrong(f"{where}.{key} is not {asked.__name__}", f"{where}.{key}", "correct it")
        values[key] = value
    if values["name"].startswith(TOPIC):
        raise _wrong(f"{where}.name starts with {TOPIC}", f"{where}.name", "rename it")
    return Dimension(**values)


def _texts(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise _wrong(f"{where} is not a list of strings", where, "write a list of strings")
    return tuple(value)


def _known(table: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    for key in table:
        if key not in known:
            path = f"{where}.{key}" if where else key
            raise _wrong(f"nothing reads {path}", path, f"one of {', '.join(known)}")


def _wrong(message: str, field: str, hint: str) -> ConfigError:
    return ConfigError(message, hint=hint, field=field)
