"""Loads preference spaces, the named coordinates of a person, from TOML.

A file has ``name``, ``version``, optionally ``extends`` (spaces whose dimensions come first; what
two of them share is there once), and one ``[[dimension]]`` table for each dimension, with the
fields of `Dimension`. Four come with the package: ``values`` (the universal values), ``style`` (how
to be answered), ``needs`` (needs, values and interests) and ``whole`` (all of them).

``sensitive = "health"`` marks a dimension that may show a special category of personal data, and
says which (`CATEGORIES`). A space that changes keeps its past with ``[[migration]]`` tables, which
say how observations made under an earlier version read now: ``from`` and ``to`` (this file's
version where left out), ``drop``, ``flip`` (the ends changed places) and ``rename``, applied in
that order.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from befit.core.errors import ConfigError, UnknownComponentError
from befit.core.preference import TOPIC, Dimension, PreferenceSpace

#: What the law calls special categories; GDPR article 9(1).
CATEGORIES = ("health", "belief", "politics", "origin", "union", "sexuality", "genetics")

_FIELDS = {f.name: f for f in fields(Dimension)}
_TOP = ("name", "version", "extends", "dimension", "migration")
_MIGRATION = ("from", "to", "drop", "flip", "rename")
_SENSITIVE = "sensitive"  # of a dimension's table; says who may ask, not what is asked
_PATHS: dict[str, str] = {}  # name of a space -> the file that it was read from in this process
_FOLDER = files("befit.memory").joinpath("spaces_data")


@lru_cache(maxsize=64)
def load_space(name_or_path: str) -> PreferenceSpace:
    """A space by the name of one that comes with the package, or by the path of a TOML file.

    Raises:
        UnknownComponentError: No space of that name; the hint lists the names.
        ConfigError: The file does not read, or a field is wrong; ``field`` names it.
    """
    made = _space(name_or_path, seen=())
    _PATHS[made.name] = name_or_path
    return made


def shipped() -> tuple[str, ...]:
    """Names of the spaces that come with the package."""
    return tuple(sorted(_ours()))


def special(name_or_path: str) -> Mapping[str, str]:
    """The dimensions of a space that need explicit consent, each with its special category.

    They may show health, faith, politics, union membership or sexuality: nothing may infer them
    from behaviour, or ask for them, unless the person agreed to exactly that. After Regulation
    (EU) 2016/679 (GDPR), article 9.

    Args:
        name_or_path: As for `load_space`, or the name of a space that was loaded before.

    Raises:
        UnknownComponentError: No space of that name.
        ConfigError: The file does not read.
    """
    return _special(_PATHS.get(name_or_path, name_or_path))


def marked() -> Mapping[str, str]:
    """The same of all spaces that ship and all that were loaded in this process."""
    return _marked(tuple(sorted({*_ours(), *_PATHS.values()})))


def sensitive(name_or_path: str) -> frozenset[str]:
    """Names of the dimensions that need explicit consent; see `special`.

    Raises:
        UnknownComponentError: No space of that name.
        ConfigError: The file does not read.
    """
    return frozenset(special(name_or_path))


@lru_cache(maxsize=64)
def _special(name_or_path: str) -> Mapping[str, str]:
    load_space(name_or_path)  # refuses what is malformed, cycles included
    table = _read(name_or_path)
    found: dict[str, str] = {}
    for base in table.get("extends", []):
        found |= _special(base)
    own = table.get("dimension", [])
    return found | {each["name"]: each[_SENSITIVE] for each in own if each.get(_SENSITIVE)}


@lru_cache(maxsize=8)
def _marked(names: tuple[str, ...]) -> Mapping[str, str]:
    return {name: category for each in names for name, category in _special(each).items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """How observations made under one version of a space read under another.

    Attributes:
        before: The version under which they were made.
        after: The version that this leads to.
        drop: Dimensions, by their old names, that no longer exist.
        flip: Dimensions, by their old names, whose ends changed places.
        rename: Old name -> new name; where several lead to one, the mean stands.
    """

    before: str
    after: str
    drop: frozenset[str] = frozenset()
    flip: frozenset[str] = frozenset()
    rename: Mapping[str, str] = field(default_factory=dict)

    def apply(self, values: Mapping[str, float]) -> dict[str, float]:
        """Observed positions, under their new names; open topics and other names stay."""
        moved: dict[str, list[float]] = {}
        for name, value in values.items():
            if name not in self.drop:
                turned = -value if name in self.flip else value
                moved.setdefault(self.rename.get(name, name), []).append(turned)
        return {name: sum(seen) / len(seen) for name, seen in moved.items()}


@lru_cache(maxsize=64)
def migrations(name_or_path: str) -> tuple[Migration, ...]:
    """The migrations that a space keeps itself, in the order of its file.

    Raises:
        UnknownComponentError: No space of that name.
        ConfigError: The file does not read, or a migration leads to no dimension.
    """
    space = load_space(name_or_path)
    tables = _tables(_read(name_or_path), "migration")
    found = tuple(_migration(each, number, space) for number, each in enumerate(tables))
    starts = [each.before for each in found]
    for number, start in enumerate(starts):
        if start in starts[:number]:
            where = f"migration[{number}].from"
            raise _wrong(f"two migrations start at version {start}", where, "keep one")
    return found


def migrate(name_or_path: str, values: Mapping[str, float], *, since: str) -> dict[str, float]:
    """What was observed under version ``since``, in the coordinates of the present version.

    A space that extends others changes its own version, and says so here, when they change.

    Args:
        name_or_path: The space, as for `load_space`.
        values: Dimension or topic -> observed position in [-1, 1].
        since: The version under which it was observed.

    Raises:
        UnknownComponentError: No space of that name.
        ConfigError: No chain of migrations leads from there to here; ``field`` is ``since``.
    """
    space = load_space(name_or_path)
    steps = {step.before: step for step in migrations(name_or_path)}
    moved, version, passed = dict(values), since, {since}
    while version != space.version:
        if version not in steps or steps[version].after in passed - {space.version}:
            raise _wrong(
                f"nothing leads from version {since} of {space.name} to {space.version}",
                "since",
                f'add a [[migration]] with from = "{version}"',
            )
        moved = steps[version].apply(moved)
        version = steps[version].after
        passed.add(version)
    return moved


def _migration(table: Mapping[str, Any], number: int, space: PreferenceSpace) -> Migration:
    where = f"migration[{number}]"
    _known(table, _MIGRATION, where)
    before, after = table.get("from"), table.get("to", space.version)
    if not isinstance(before, str) or not isinstance(after, str) or before == after:
        raise _wrong(f"{where} leads nowhere", f"{where}.from", 'set from = "1", another version')
    rename = table.get("rename", {})
    if not isinstance(rename, dict) or not all(isinstance(each, str) for each in rename.values()):
        raise _wrong(f"{where}.rename is no table", f"{where}.rename", 'write {old = "new"}')
    names = {d.name for d in space.dimensions}
    lost = sorted(set(rename.values()) - names) if after == space.version else []
    if lost:
        raise _wrong(f"{where} leads to {lost[0]}", f"{where}.rename", "name a dimension")
    return Migration(
        before=before,
        after=after,
        drop=frozenset(_texts(table.get("drop", []), f"{where}.drop")),
        flip=frozenset(_texts(table.get("flip", []), f"{where}.flip")),
        rename=rename,
    )


def _space(name: str, seen: tuple[str, ...]) -> PreferenceSpace:
    if name in seen:
        raise _wrong(f"the space {name} extends itself", "extends", "remove the cycle")
    table = _read(name)
    _known(table, _TOP, "")
    extended = _texts(table.get("extends", []), "extends")
    bases = [d for base in extended for d in _space(base, (*seen, name)).dimensions]
    inherited = list(dict.fromkeys(bases))  # two bases may extend one
    own = [_dimension(each, number) for number, each in enumerate(_tables(table, "dimension"))]
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


def _ours() -> dict[str, Traversable]:
    return {each.name.removesuffix(".toml"): each for each in _FOLDER.iterdir()}


def _read(name: str) -> dict[str, Any]:
    ours = _ours()
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
    _known(table, (*_FIELDS, _SENSITIVE), where)
    if table.get(_SENSITIVE, CATEGORIES[0]) not in CATEGORIES:
        known = ", ".join(CATEGORIES)
        raise _wrong(f"{where}.{_SENSITIVE} is no category", f"{where}.{_SENSITIVE}", known)
    for key, option in _FIELDS.items():
        if option.default is MISSING and not table.get(key):
            raise _wrong(f"{where} lacks {key}", f"{where}.{key}", f"set {key}")
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key == _SENSITIVE:
            continue
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


def _tables(table: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    tables = table.get(key, [])
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        raise _wrong(f"{key} is not a list of tables", key, f"write [[{key}]]")
    return tables


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
