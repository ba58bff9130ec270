"""One small protocol per mechanism. Whatever has the methods is a plug-in; nothing to inherit.

Checkable at run time, so that building from settings can refuse a misplaced component. Policies
are synchronous; one that can stream has `Streams` beside, one that serves many people in one batch
has `Batches`. Token-level decoding, which needs arrays, has its protocol in ``generate.tokens``.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from befit.core.artifact import Artifact
from befit.core.dialogue import Conditioning, Context, Draft, Verdict
from befit.core.feedback import Comparison, Feedback, Interaction
from befit.core.people import UserId
from befit.core.preference import Evidence, Gaussian, Pair, Preference, PreferenceSpace, Profile


@runtime_checkable
class Memory(Protocol):
    """Keeps evidence, recalls a profile.

    ``recall`` with ``context.at`` in the past answers "what was believed on that day"; with a
    ``scope`` it answers for that part of life, backing off to the general belief.
    """

    def remember(self, evidence: Iterable[Evidence]) -> None: ...
    def recall(self, context: Context) -> Profile: ...
    def evidence(self, user: UserId) -> Sequence[Evidence]: ...
    def forget(self, user: UserId, ids: Sequence[str] | None = None) -> int: ...


@runtime_checkable
class Inferer(Protocol):
    """Folds evidence onto the dimensions of a space. Pure: same evidence, any order, same bits."""

    def infer(
        self, space: PreferenceSpace, evidence: Sequence[Evidence], at: datetime, scope: str
    ) -> Sequence[Preference]: ...


@runtime_checkable
class Encoder(Protocol):
    """Turns texts into unit vectors, shape (len(texts), width)."""

    @property
    def name(self) -> str: ...
    @property
    def width(self) -> int: ...
    def encode(self, texts: Sequence[str]) -> Sequence[Sequence[float]]: ...


@runtime_checkable
class Taste(Protocol):
    """The latent coordinates in which a personal reward compares two texts.

    Memory is handed one, so that the latent posterior is a fold over the same evidence as the
    named beliefs. ``version`` changes when the coordinates do. Differences add up: that of a and c
    is that of a and b plus that of b and c.
    """

    @property
    def version(self) -> str: ...
    @property
    def prior(self) -> Gaussian: ...
    def difference(self, pair: Pair) -> tuple[float, ...]: ...
    def posterior(
        self, differences: Sequence[tuple[float, ...]], weights: Sequence[float]
    ) -> Gaussian: ...


@runtime_checkable
class Personalizer(Protocol):
    """Turns a profile into conditioning: prompt, encoding, adapter or workflow."""

    def condition(self, profile: Profile, context: Context) -> Conditioning: ...


@runtime_checkable
class Policy(Protocol):
    """Proposes ``n`` drafts, unordered. Decoders are policies that wrap policies."""

    def generate(self, context: Context, conditioning: Conditioning, n: int) -> Sequence[Draft]: ...


@runtime_checkable
class Streams(Protocol):
    """A policy that can give one answer piece by piece."""

    def stream(self, context: Context, conditioning: Conditioning) -> AsyncIterator[str]: ...


@runtime_checkable
class Batches(Protocol):
    """A policy that serves many people in one batch; one draft each, in order."""

    def generate_batch(
        self, requests: Sequence[tuple[Context, Conditioning]]
    ) -> Sequence[Draft]: ...


@runtime_checkable
class RewardModel(Protocol):
    """Scores drafts as this person would; higher is better, comparable within one call.

    ``uncertainty`` is the standard deviation of each score, in the same unit.
    """

    def score(
        self, context: Context, conditioning: Conditioning, drafts: Sequence[Draft]
    ) -> Sequence[float]: ...
    def uncertainty(
        self, context: Context, conditioning: Conditioning, drafts: Sequence[Draft]
    ) -> Sequence[float]: ...


@runtime_checkable
class Explains(Protocol):
    """A reward that says in words why: parts with names, the largest first, that add up to it."""

    def explain(
        self, context: Context, conditioning: Conditioning, drafts: Sequence[Draft]
    ) -> Sequence[Mapping[str, float]]: ...


@runtime_checkable
class Guard(Protocol):
    """Judges a text by universal values.

    ``caution`` in [0, 1] is the extra strictness that a profile may ask for: at 0 the guard is as
    strict as for anyone, and no value makes it less so. A guard is never handed the profile.
    ``values`` names what it watches over: "harmless", "honest", "helpful".
    """

    @property
    def name(self) -> str: ...
    @property
    def values(self) -> tuple[str, ...]: ...
    def check(self, context: Context, text: str, caution: float) -> Verdict: ...


@runtime_checkable
class Screen(Protocol):
    """Judges what memory would put into a prompt: instruction-like or harmful excerpts."""

    @property
    def name(self) -> str: ...
    def inspect(self, text: str) -> Verdict: ...


@runtime_checkable
class Interpreter(Protocol):
    """Reads feedback: what it says of the person, and what it teaches a reward model.

    ``evidence`` reads the newest reaction of the interaction alone.
    """

    def evidence(self, interaction: Interaction) -> Sequence[Evidence]: ...
    def comparisons(self, interactions: Sequence[Interaction]) -> Sequence[Comparison]: ...


@runtime_checkable
class Learner(Protocol):
    """Learns from comparisons into ``folder``; never touches a live component."""

    def learn(self, comparisons: Sequence[Comparison], folder: Path, at: datetime) -> Artifact: ...


@runtime_checkable
class Journal(Protocol):
    """The append-only record of turns and reactions.

    ``react`` raises `UnknownResponseError` for a response that is not this person's.
    """

    def record(self, interaction: Interaction) -> None: ...
    def react(self, user: UserId, feedback: Feedback) -> Interaction: ...
    def read(self, user: UserId | None = None) -> Sequence[Interaction]: ...
    def erase(self, user: UserId) -> int: ...


@runtime_checkable
class Submits(Protocol):
    """A journal that takes a turn at once and says later that it is kept, without a thread."""

    def submit(self, interaction: Interaction) -> "Future[None]": ...


@runtime_checkable
class ArtifactStore(Protocol):
    """The shelf of learned files, with one active artifact per owner and kind.

    ``rollback`` makes the artifact active that was before; None where there was none.
    """

    def put(self, artifact: Artifact, folder: Path) -> None: ...
    def active(self, owner: UserId | None, kind: str) -> Artifact | None: ...
    def folder(self, artifact_id: str) -> Path: ...
    def promote(self, artifact_id: str) -> None: ...
    def rollback(self, owner: UserId | None, kind: str) -> Artifact | None: ...
    def erase(self, owner: UserId) -> int: ...
