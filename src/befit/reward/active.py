"""The reward in use: the promoted head beside closeness of style, following the promoted pointer.

Learns nothing and promotes nothing.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock

from befit.core.dialogue import Conditioning, Context, Draft
from befit.core.preference import Gaussian, Pair, PreferenceSpace
from befit.core.protocols import ArtifactStore, Encoder
from befit.reward.hierarchical import HierarchicalReward
from befit.reward.style import StyleReward

_NOTHING = Gaussian((), ())


@dataclass(slots=True)
class _Live:
    """What is loaded now; replaced under the lock, read without it."""

    lock: Lock = field(default_factory=Lock)
    until: float = float("-inf")
    current: tuple[str, HierarchicalReward | None] = ("", None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveReward:
    """Scores by the promoted head plus closeness of style; safe to call from many threads.

    The store is asked at most once every ``seconds``, and a head is swapped whole: a call sees the
    old one or the new one. Before anything was promoted, and without an encoder, only closeness of
    style scores; as a `Taste` it then has the version "" and no coordinates: every difference is
    the empty tuple, and the prior the Gaussian of none. A memory keeps no taste of such.

    Attributes:
        artifacts: Where the promoted head is.
        space: Says which surface feature measures which dimension.
        encoder: The encoder that heads are learned on; None scores by style alone.
        style_weight: Logits of a unit of squared style distance, >= 0.
        seconds: How long a look at the store holds, >= 0.
        clock: Seconds that only grow.
    """

    artifacts: ArtifactStore
    space: PreferenceSpace
    encoder: Encoder | None = None
    style_weight: float = 1.0
    seconds: float = 1.0
    clock: Callable[[], float] = time.monotonic
    _live: _Live = field(default_factory=_Live, init=False, repr=False, compare=False)

    def head(self) -> HierarchicalReward | None:
        """The promoted head; None where there is none.

        Raises:
            ModelFileError: The promoted head does not read, or fits another encoder.
        """
        live = self._live
        if self.encoder is None or self.clock() < live.until:
            return live.current[1]
        with live.lock:
            now = self.clock()
            if now < live.until:
                return live.current[1]
            artifact = self.artifacts.active(None, "reward")
            promoted = "" if artifact is None else artifact.id
            if promoted != live.current[0]:
                loaded = (
                    HierarchicalReward.load(self.artifacts.folder(promoted), self.encoder)
                    if promoted
                    else None
                )
                live.current = (promoted, loaded)
            live.until = now + self.seconds
            return live.current[1]

    def score(
        self, context: Context, conditioning: Conditioning, drafts: Sequence[Draft]
    ) -> Sequence[float]:
        close = self._style().score(context, conditioning, drafts)
        head = self.head()
        if head is None:
            return close
        learned = head.score(context, conditioning, drafts)
        return [a + b for a, b in zip(learned, close, strict=True)]

    def uncertainty(
        self, context: Context, conditioning: Conditioning, drafts: Sequence[Draft]
    ) -> Sequence[float]:
        head = self.head()
        if head is None:
            return [0.0] * len(drafts)
        return head.uncertainty(context, conditioning, drafts)

    def explain(
        self, context: Context, conditioning: Conditioning, drafts: Sequence[Draft]
    ) -> list[dict[str, float]]:
        """Each score in parts with names, the largest first; they add up to it."""
        close = self._style().explain(context, conditioning, drafts)
        head = self.head()
        learned = head.explain(context, conditioning, drafts) if head else [{} for _ in drafts]
        return [
            dict(sorted((a | b).items(), key=lambda part: -abs(part[1])))
            for a, b in zip(learned, close, strict=True)
        ]

    def _style(self) -> StyleReward:
        return StyleReward(space=self.space, weight=self.style_weight)

    @property
    def version(self) -> str:
        """The head's; "" before anything was promoted."""
        head = self.head()
        return "" if head is None else head.version

    @property
    def prior(self) -> Gaussian:
        """The head's; of no coordinates before anything was promoted."""
        head = self.head()
        return _NOTHING if head is None else head.prior

    def difference(self, pair: Pair) -> tuple[float, ...]:
        """The head's; empty before anything was promoted."""
        head = self.head()
        return () if head is None else head.difference(pair)

    def posterior(
        self, differences: Sequence[tuple[float, ...]], weights: Sequence[float]
    ) -> Gaussian:
        """The head's; differences of another head say nothing to it and are left out."""
        head = self.head()
        if head is None:
            return _NOTHING
        rank = len(head.mean)
        fitting = [(d, w) for d, w in zip(differences, weights, strict=True) if len(d) == rank]
        return head.posterior([d for d, _ in fitting], [w for _, w in fitting])
