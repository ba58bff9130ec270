"""Which readers place a text on the dimensions of the deployment's space, and for whom.

``inference.projectors`` names them: ``surface`` counts how a text is written, ``anchors`` compares
what it means, ``asked`` asks the language model behind the answers. What is sensitive is read only
of a person who allows exactly that.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from befit.app.build import Workshop
from befit.core.dialogue import Context
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import PreferenceSpace
from befit.core.registry import find
from befit.features.asked_projection import AskedProjector
from befit.features.projection import Projector, Projectors, WishProjector
from befit.memory.consent import Grant, allows
from befit.memory.consented import ConsentedMemory
from befit.memory.spaces import sensitive

_ANCHORS = "befit.features.anchors:AnchorProjector"  # by name: its libraries are an extra


@dataclass(frozen=True, slots=True, kw_only=True)
class Projecting:
    """Makes the projector of one person.

    Attributes:
        shop: What the deployment has.
    """

    shop: Workshop

    def projector(self, memory: ConsentedMemory, user: UserId, at: datetime) -> Projector:
        """The readers that the settings name, without what this person does not allow.

        Args:
            memory: Tells what the person allows.
            user: The person.
            at: Now, UTC.
        """
        space = self.shop.space
        barred = self._barred(space, memory.consents(user))
        open_ = tuple(d for d in space.dimensions if d.name not in barred)
        wanted = self.shop.settings.inference
        parts: list[Projector] = []
        for name in wanted.projectors:
            if name == "surface":
                parts.append(WishProjector(space=replace(space, dimensions=open_)))
            elif name == "asked":
                asked = Context(user=user, messages=(), at=at, incognito=True)
                parts.append(
                    AskedProjector(
                        policy=self.shop.upstream,
                        space=replace(space, dimensions=open_),
                        context=asked,
                        noise=wanted.asked_noise,
                        at_once=wanted.asked_at_once,
                    )
                )
            elif self.shop.encoder is not None:  # anchors, where their package is installed
                meant = tuple(d for d in space.dimensions if not d.feature)
                anchors = find("projector", _ANCHORS)
                parts.append(anchors(space=replace(space, dimensions=meant), exclude=barred))
        return Projectors(parts=tuple(parts))

    @staticmethod
    def _barred(space: PreferenceSpace, grants: tuple[Grant, ...]) -> frozenset[str]:
        kind = EvidenceKind.AUTHORED.value
        allowed = allows(grants, kind, "personalize", sensitive=True)
        return frozenset() if allowed else sensitive(space.name)
