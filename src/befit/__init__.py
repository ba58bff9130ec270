"""Makes any language model answer this person, inside values that hold for everyone.

The public names load on first use (PEP 562), so that ``import befit`` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from befit.app.build import build_cycle as build_cycle
    from befit.app.client import Client as Client
    from befit.app.evidence import stated as stated
    from befit.app.settings import Settings as Settings
    from befit.app.settings import load_settings as load_settings
    from befit.core.dialogue import Conditioning as Conditioning
    from befit.core.dialogue import Context as Context
    from befit.core.dialogue import Draft as Draft
    from befit.core.dialogue import Message as Message
    from befit.core.dialogue import Passage as Passage
    from befit.core.dialogue import Response as Response
    from befit.core.dialogue import Verdict as Verdict
    from befit.core.errors import BefitError as BefitError
    from befit.core.feedback import Behaviour as Behaviour
    from befit.core.feedback import Choice as Choice
    from befit.core.feedback import Comment as Comment
    from befit.core.feedback import Edit as Edit
    from befit.core.feedback import Rating as Rating
    from befit.core.people import EvidenceKind as EvidenceKind
    from befit.core.people import UserId as UserId
    from befit.core.preference import Evidence as Evidence
    from befit.core.preference import Pair as Pair
    from befit.core.preference import Preference as Preference
    from befit.core.preference import Profile as Profile
    from befit.cycle import Cycle as Cycle
    from befit.memory.spaces import load_space as load_space

_HOMES = {
    "app.build": ("build_cycle",),
    "app.client": ("Client",),
    "app.evidence": ("stated",),
    "app.settings": ("Settings", "load_settings"),
    "core.dialogue": (
        "Conditioning",
        "Context",
        "Draft",
        "Message",
        "Passage",
        "Response",
        "Verdict",
    ),
    "core.errors": ("BefitError",),
    "core.feedback": ("Behaviour", "Choice", "Comment", "Edit", "Rating"),
    "core.people": ("EvidenceKind", "UserId"),
    "core.preference": ("Evidence", "Pair", "Preference", "Profile"),
    "cycle": ("Cycle",),
    "memory.spaces": ("load_space",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__version__ = "0.1.0"
__all__ = [  # noqa: PLE0604 - the names are strings; a test loads each
    "__version__",
    *sorted(_HOME),
]


def __getattr__(name: str) -> object:
    """Load a public name from the module that defines it."""
    if name not in _HOME:
        raise AttributeError(f"module 'befit' has no attribute {name!r}")
    return getattr(import_module(f"befit.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
