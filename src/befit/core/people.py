"""Who: the person, and the kinds of evidence in which a preference can show itself."""

from enum import StrEnum
from typing import NewType

UserId = NewType("UserId", str)  # opaque; never an e-mail address or a name


class EvidenceKind(StrEnum):
    """Where a preference can show itself (survey section 4.1)."""

    STATED = "stated"  # explicit: "keep it short"
    AUTHORED = "authored"  # implicit: text the person wrote
    DEMOGRAPHIC = "demographic"  # implicit: self-reported attributes
    BEHAVIOUR = "behaviour"  # implicit: ratings, choices, edits, clicks
