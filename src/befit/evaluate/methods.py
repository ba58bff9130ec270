"""Finds the methods that are compared: by registered name, by module, or in a file of one's own.

``module:Class`` is found on PYTHONPATH, ``path/to/file.py:Class`` anywhere; so a researcher's own
code, or an adapter of somebody else's, stands beside befit's methods without being installed.
Fits nothing.
"""

import sys
from hashlib import sha256
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from befit.align.rewards.method import Method
from befit.core.errors import UnknownComponentError
from befit.core.registry import find, missing_extra, names

_FILE = ".py"


class _Fresh(SourceFileLoader):
    """Runs what the file says now: kept bytecode of a file edited within a second is stale."""

    def path_stats(self, path: str) -> Any:
        """Not told, so that no bytecode is kept or read.

        Raises:
            OSError: Always; the import system then reads the source.
        """
        raise OSError(path)


def method_named(name: str) -> Method:
    """A method with its default hyper-parameters.

    Raises:
        UnknownComponentError: There is none of that name; the hint lists those there are.
        MissingExtraError: A library that its file imports is not installed.
    """
    method: Method = method_class(name)()
    return method


def method_class(name: str) -> type:
    """The class behind a name, ``module:Class`` or ``path/to/file.py:Class``.

    Raises:
        UnknownComponentError: There is none of that name; the hint lists those there are.
        MissingExtraError: A library that its file imports is not installed.
    """
    path = own_file(name)
    if path is not None:
        return _from_file(path, name.rpartition(":")[2])
    if ":" not in name and name not in names("method"):
        raise UnknownComponentError(
            f"there is no method named {name!r}",
            hint=f"known: {', '.join(names('method'))}; or give module:Class or file.py:Class",
            field="method",
        )
    return find("method", name)


def own_file(name: str) -> Path | None:
    """The file of a method that is named by one; None of others."""
    file, mark, _ = name.rpartition(":")
    return Path(file) if mark and file.endswith(_FILE) else None


def short(name: str) -> str:
    """What a method is called where there is little room: the class without where it lies."""
    return name.rpartition(":")[2]


def load_file(path: Path) -> ModuleType:
    """A Python file as a module, run once for each content that it has.

    Raises:
        UnknownComponentError: The file does not read, or imports what is not there.
        MissingExtraError: It imports a library of an extra that is not installed.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnknownComponentError(
            f"the file {path} does not read: {error}", hint="give file.py:Class", field="method"
        ) from error
    name = f"befit_method_{sha256(content).hexdigest()[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    loader = _Fresh(name, str(path))
    module = module_from_spec(ModuleSpec(name, loader, origin=str(path)))
    sys.modules[name] = module  # before it runs: dataclasses look their module up
    loaded = False
    try:
        loader.exec_module(module)
        loaded = True
    except ModuleNotFoundError as error:
        raise missing_extra(error) from error
    finally:
        if not loaded:
            del sys.modules[name]
    return module


def _from_file(path: Path, attribute: str) -> type:
    found = getattr(load_file(path), attribute, None)
    if not isinstance(found, type):
        raise UnknownComponentError(
            f"{path} has no class {attribute!r}", hint="give file.py:Class", field="method"
        )
    return found
