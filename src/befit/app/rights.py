"""Puts around any memory what makes it heed its people; the one place that says how."""

from collections.abc import Mapping
from typing import Any

from befit.core.protocols import Memory
from befit.memory.consented import ConsentedMemory
from befit.memory.ledger import SqliteLedger
from befit.values.injection import InjectionScreen


def heeding(memory: Memory, options: Mapping[str, Any]) -> ConsentedMemory:
    """A memory that does what its people allowed; one that does already is left as it is.

    Args:
        memory: Where evidence is kept.
        options: The settings of the memory; the decisions lie beside its ``path``.
    """
    if isinstance(memory, ConsentedMemory):
        return memory
    return ConsentedMemory(
        memory=memory,
        ledger=SqliteLedger(path=f"{options.get('path', 'befit.db')}.rights"),
        screen=InjectionScreen(),
    )
