"""Puts around any memory and journal what makes them heed their people; says how in one place."""

from collections.abc import Mapping
from typing import Any

from befit.core.protocols import Journal, Memory
from befit.features.statements import read_statement
from befit.memory.consented import ConsentedMemory
from befit.memory.consented_journal import ConsentedJournal
from befit.memory.ledger import SqliteLedger
from befit.memory.sealed import SealedMemory, vault_at
from befit.memory.spaces import load_space
from befit.values.injection import InjectionScreen


def heeding(memory: Memory, options: Mapping[str, Any]) -> ConsentedMemory:
    """A memory that does what its people allowed; one that does already is left as it is.

    Args:
        memory: Where evidence is kept.
        options: The settings of the memory; the decisions lie beside its ``path``.
    """
    if isinstance(memory, ConsentedMemory):
        return memory
    vault = None
    if isinstance(memory, SealedMemory):
        vault = vault_at(memory.keys or f"{memory.path}.keys", "rights")
    ledger = SqliteLedger(path=f"{options.get('path', 'befit.db')}.rights", vault=vault)
    space = load_space(str(options.get("space", "style")))
    return ConsentedMemory(
        memory=memory,
        ledger=ledger,
        screen=InjectionScreen(),
        read=lambda text: read_statement(space, text),
    )


def heeding_journal(journal: Journal, memory: ConsentedMemory) -> Journal:
    """A journal that shows to learners only whom it may; one that does is left as it is."""
    if isinstance(journal, ConsentedJournal):
        return journal
    return ConsentedJournal(journal=journal, ledger=memory.ledger)
