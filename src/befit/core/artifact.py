"""What was learned: files that belong to a person or to all, and are erased with their owner."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from befit.core.people import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """Learned weights in a folder: an adapter, a reward head.

    Attributes:
        id: Content hash of the files.
        kind: "reward", "adapter", "heads".
        owner: The person whose it is; None where it is shared by all.
        base: The encoder or model that it fits.
        at: When it was learned, UTC.
        metrics: What was measured on held-out people when it was learned.
    """

    id: str
    kind: str
    owner: UserId | None
    base: str
    at: datetime
    metrics: Mapping[str, float] = field(default_factory=dict)
