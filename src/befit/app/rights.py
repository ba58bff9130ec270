"""Puts around any memory and journal what makes them heed their people; says how in one place."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from befit.core.errors import ConfigError, MissingExtraError
from befit.core.protocols import Journal, Memory
from befit.features.statements import read_statement
from befit.memory.consented import ConsentedMemory
from befit.memory.consented_journal import ConsentedJournal
from befit.memory.ledger import HasLedger, Ledger, SqliteLedger
from befit.memory.personal_data import Finder, PersonalData
from befit.memory.spaces import load_space
from befit.values.injection import InjectionScreen


def heeding(
    memory: Memory, options: Mapping[str, Any], finder: Finder | None = None
) -> ConsentedMemory:
    """A memory that does what its people allowed; one that does already is left as it is.

    Args:
        memory: Where evidence is kept.
        options: The settings of the memory; where it does not say where decisions on it are kept,
            they lie beside its ``path``.
        finder: Finds personal data; None is our own checks alone.
    """
    if isinstance(memory, ConsentedMemory):
        return memory
    beside = SqliteLedger(path=f"{options.get('path', 'befit.db')}.rights")
    ledger: Ledger = memory.ledger() if isinstance(memory, HasLedger) else beside
    space = load_space(str(options.get("space", "style")))
    return ConsentedMemory(
        memory=memory,
        ledger=ledger,
        screen=InjectionScreen(),
        read=lambda text: read_statement(space, text),
        finder=finder or PersonalData(),
    )


def finder_of(table: Mapping[str, Any]) -> Finder:
    """What finds personal data, from its table: ``use`` is "own" or "presidio", with its options.

    Raises:
        ConfigError: There is no such finder, or an option that it does not have.
        MissingExtraError: Presidio is not installed.
    """
    options = {name: value for name, value in table.items() if name != "use"}
    use = table.get("use", "own")
    if use not in ("own", "presidio"):
        raise ConfigError(f"there is no finder {use!r}", hint="own or presidio", field="finder.use")
    try:
        if use == "own":
            return PersonalData(**options)
        made: Finder = import_module("befit.memory.presidio").PresidioFinder(**options)
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"{error.name} is not installed", hint="pip install 'befit[presidio]'", field="finder"
        ) from error
    except TypeError as error:
        raise ConfigError(
            f"finder: {error}", hint="language, model, least", field="finder"
        ) from error
    return made


def heeding_journal(journal: Journal, memory: ConsentedMemory) -> Journal:
    """A journal that shows to learners only whom it may; one that does is left as it is."""
    if isinstance(journal, ConsentedJournal):
        return journal
    return ConsentedJournal(journal=journal, ledger=memory.ledger)
