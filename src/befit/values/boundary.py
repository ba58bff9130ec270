"""Universal values as a boundary with three gates: what we serve, what we say, what we learn.

The only maker of a `Passage` and a `Response`. Harm fails closed: a guard that raises forbids.
It ranks nothing and writes nothing. Survey section 3.2: helpful, honest, harmless come first.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final
from uuid import uuid4

from befit.core.artifact import Artifact
from befit.core.dialogue import Conditioning, Context, Draft, Finish, Passage, Response, Verdict
from befit.core.errors import BefitError, ConfigError
from befit.core.preference import TOPIC, Preference, Profile
from befit.core.protocols import Guard, Screen
from befit.values.sentences import Sentences

REFUSAL = Draft(text="I can't help with that.", policy="boundary", finish="content_filter")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """The three gates. Guards and screens plug in; the boundary does not.

    Attributes:
        guards: At least one; all must allow a text before a person sees it.
        screens: At least one; all must allow what memory would put into a prompt.
        probe: Whether an artifact in a folder left the universal values no worse, and why.
    """

    guards: tuple[Guard, ...]
    screens: tuple[Screen, ...]
    probe: Callable[[Artifact, Path], Verdict]

    def __post_init__(self) -> None:
        """Refuse to be an open door.

        Raises:
            ConfigError: There is no guard, or no screen.
        """
        for name, gate in (("guards", self.guards), ("screens", self.screens)):
            if not gate:
                raise ConfigError(
                    f"a boundary needs at least one of {name}",
                    hint=f"name one under boundary.{name}, or leave the setting out",
                    field=f"boundary.{name}",
                )

    def screen(self, context: Context, profile: Profile) -> Profile:
        """Gate 1: what is personal and allowed stays; universal beliefs become caution only.

        A belief on a universal dimension can raise ``caution`` and do nothing else, so a profile
        can make a guard stricter for its owner and never more lenient.
        """
        universal = {d.name for d in profile.space.dimensions if d.universal}
        return replace(
            profile,
            preferences=tuple(
                p for p in profile.preferences if p.dimension not in universal and self._safe(p)
            ),
            evidence=tuple(e for e in profile.evidence if self._passes(e.text)),
            caution=_caution(universal, profile.preferences),
        )

    def admit(
        self, context: Context, conditioning: Conditioning, ranked: Iterable[Draft]
    ) -> Response:
        """Gate 2: the first draft (best first) that every guard allows, or a refusal.

        The refusal carries the verdicts on the best draft, so that the reason is known.
        """
        refused: tuple[Verdict, ...] = ()
        for draft in ranked:
            verdicts = self._judge(context, conditioning, draft.text)
            if all(verdict.allowed for verdict in verdicts):
                return _response(draft.text, draft, verdicts, draft.finish, conditioning)
            refused = refused or verdicts
        return _response(REFUSAL.text, REFUSAL, refused, "content_filter", conditioning)

    async def admit_stream(
        self, context: Context, conditioning: Conditioning, pieces: AsyncIterator[str]
    ) -> AsyncIterator[Passage | Response]:
        """Gate 2 on a stream: whole sentences, each after all that was said so far was allowed.

        Yields a `Passage` a sentence, then one `Response` with the whole. A forbidden continuation
        is never yielded: the refusal takes its place and ends the stream.
        """
        sentences = Sentences()
        verdicts = self._judge(context, conditioning, "")
        async for piece in pieces:
            for sentence in sentences.push(piece):
                verdicts = self._judge(context, conditioning, sentences.said + sentence)
                if not all(verdict.allowed for verdict in verdicts):
                    async for end in _refuse(sentences.said, verdicts, conditioning):
                        yield end
                    return
                sentences.release(sentence)
                yield Passage(sentence)
        rest = sentences.rest
        if rest:
            verdicts = self._judge(context, conditioning, sentences.said + rest)
            if not all(verdict.allowed for verdict in verdicts):
                async for end in _refuse(sentences.said, verdicts, conditioning):
                    yield end
                return
            sentences.release(rest)
            yield Passage(rest)
        draft = Draft(text=sentences.said, policy="stream")
        yield _response(draft.text, draft, verdicts, draft.finish, conditioning)

    def audit(self, artifact: Artifact, folder: Path) -> Verdict:
        """Gate 3: whether what was learned left the universal values no worse."""
        return self.probe(artifact, folder)

    def _judge(
        self, context: Context, conditioning: Conditioning, text: str
    ) -> tuple[Verdict, ...]:
        return tuple(
            _checked(guard, context, text, _strictness(guard, conditioning.caution))
            for guard in self.guards
        )

    def _safe(self, preference: Preference) -> bool:
        topic = preference.dimension.removeprefix(TOPIC)
        return topic == preference.dimension or self._passes(topic)

    def _passes(self, text: str) -> bool:
        return all(screen.inspect(text).allowed for screen in self.screens)


def _checked(guard: Guard, context: Context, text: str, caution: float) -> Verdict:
    try:
        return guard.check(context, text, caution)
    except (BefitError, ArithmeticError, LookupError, OSError, ValueError) as error:
        # Harm fails closed: a guard that cannot judge has not allowed.
        return Verdict(guard=guard.name, allowed=False, reason=f"the guard failed: {error}")


def _strictness(guard: Guard, caution: Mapping[str, float]) -> float:
    return max((caution.get(value, 0.0) for value in guard.values), default=0.0)


def _caution(universal: set[str], preferences: tuple[Preference, ...]) -> dict[str, float]:
    wanted: dict[str, float] = {}
    for preference in preferences:
        if preference.dimension in universal and preference.mean > 0.0:
            stricter = max(wanted.get(preference.dimension, 0.0), min(preference.mean, 1.0))
            wanted[preference.dimension] = stricter
    return wanted


async def _refuse(
    said: str, verdicts: tuple[Verdict, ...], conditioning: Conditioning
) -> AsyncIterator[Passage | Response]:
    gap = " " if said and not said[-1].isspace() else ""
    passage = Passage(gap + REFUSAL.text)
    yield passage
    yield _response(said + passage.text, REFUSAL, verdicts, "content_filter", conditioning)


def _response(
    text: str,
    draft: Draft,
    verdicts: tuple[Verdict, ...],
    finish: Finish,
    conditioning: Conditioning,
) -> Response:
    return Response(
        id=uuid4().hex,
        text=text,
        draft=draft,
        verdicts=verdicts,
        finish=finish,
        beliefs=conditioning.beliefs,
    )
