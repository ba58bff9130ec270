"""What to ask a person next, and what becomes of the answer: the one place where every edge asks.

A question is about one dimension; a pair is two answers to one prompt, written so that they differ
where least is known of the person. Both are chosen by what the answer is expected to say, and there
is none where no answer would say much. Nothing is asked of what is sensitive or holds for everyone,
and nothing twice. It judges no text: what it shows has passed the boundary.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import uuid4

import numpy as np

from befit.app.build import Workshop
from befit.belief.choices import Measure
from befit.belief.elicitation import Beside, Question, next_pair, next_question
from befit.belief.fold import BayesFold
from befit.belief.gaussian import unpack
from befit.belief.prior import groups_of
from befit.core.dialogue import Conditioning, Context, Response
from befit.core.errors import InputError
from befit.core.people import EvidenceKind
from befit.core.preference import Evidence, Pair, Profile
from befit.core.protocols import Inferer, Memory, RewardModel, Taste
from befit.cycle import Cycle
from befit.memory.spaces import sensitive

HEAD = "asked:"  # heads the source of an answer, and of a question that was skipped
OPPOSED = 2  # dimensions in whose two ways a pair is written


class Answer(StrEnum):
    """What a person says to a question with two ends."""

    LOW = "low"
    BETWEEN = "between"
    HIGH = "high"
    SKIP = "skip"


_VALUES = {Answer.LOW: -0.8, Answer.BETWEEN: 0.0, Answer.HIGH: 0.8}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Two answers to choose from; the choice is feedback on one of them over the other.

    Attributes:
        first: The one; it is in the journal.
        second: The other; it is in the journal too.
        gain: What the choice is expected to say, in nats.
    """

    first: Response
    second: Response
    gain: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Finds what to ask.

    Attributes:
        memory: What is known of people.
        inferer: The fold in use, for what it expects of strangers.
        measure: Text -> surface features in [-1, 1], for pairs.
        barred: Dimensions that are never asked about.
        reward: What the person's choices are expected by, beside their beliefs; None is nothing.
    """

    memory: Memory
    inferer: Inferer
    measure: Measure
    barred: frozenset[str] = frozenset()
    reward: RewardModel | Taste | None = None

    def question(self, context: Context) -> Question | None:
        """The question whose answer would say most; None where none would say enough."""
        profile, known = self._known(context)
        return next_question(
            profile.space,
            profile.preferences,
            self._asked(known),
            sensitive=self.barred,
            prior=self._fold().prior,
            groups=groups_of(known),
        )

    def pair(self, cycle: Cycle, context: Context) -> Shown | None:
        """Two answers to the prompt between which a choice would say most; both are recorded.

        Raises:
            InvalidPromptError: There is no prompt.
            ModelError: The policy failed.
            InputError: The turn is incognito, so that no choice could be kept.
        """
        if context.incognito:
            raise InputError(
                "an incognito turn keeps no choice", hint="ask in a plain turn", field="incognito"
            )
        profile, known = self._known(context)
        responses = _responses(cycle, context, _sides(profile, self.barred))
        fold = self._fold()
        chosen = next_pair(
            profile.space,
            profile.preferences,
            [response.text for response in responses],
            self.measure,
            sharpness=fold.sharpness,
            prior=fold.prior,
            groups=groups_of(known),
            beside=self._beside(profile, context.prompt, responses),
        )
        if chosen is None:
            return None
        first, second = responses[chosen.first], responses[chosen.second]
        for response in (first, second):
            cycle.record(context, response)
        return Shown(first=first, second=second, gain=chosen.gain)

    def answered(self, context: Context, about: str, answer: Answer) -> Evidence:
        """The answer as evidence; of a question that was skipped, that it need not be asked again.

        Raises:
            InputError: There is no such dimension to ask about.
        """
        space = self.memory.recall(context).space
        known = {d.name for d in space.dimensions if not d.universal}
        if about not in known:
            raise InputError(
                f"there is no dimension {about!r} to ask about",
                hint=f"one of {', '.join(sorted(known))}",
                field="about",
            )
        return Evidence(
            id=uuid4().hex,
            user=context.user,
            kind=EvidenceKind.STATED,
            at=context.at,
            values={about: _VALUES[answer]} if answer in _VALUES else {},
            scope=context.scope,
            source=f"{HEAD}{about}",
        )

    def _known(self, context: Context) -> tuple[Profile, Sequence[Evidence]]:
        return self.memory.recall(context), self.memory.evidence(context.user)

    def _beside(
        self, profile: Profile, prompt: str, responses: Sequence[Response]
    ) -> Beside | None:
        """What the promoted reward expects of a choice; None where nothing was promoted."""
        taste = self.reward if isinstance(self.reward, Taste) else None
        if taste is None or not taste.version:
            return None
        texts = [response.text for response in responses]
        known = profile.taste or taste.prior

        def expected(one: int, other: int) -> tuple[float, float]:
            pair = Pair(prompt=prompt, chosen=texts[one], rejected=texts[other])
            mean, covariance = unpack(known)
            along = np.array(taste.difference(pair))
            if len(along) != len(mean):  # another reward was promoted meanwhile
                return 0.0, 0.0
            return float(along @ mean), float(along @ covariance @ along)

        return expected

    def _fold(self) -> BayesFold:
        """The fold with what was learned; a plain one beside an inferer of another kind."""
        return self.inferer.informed() if isinstance(self.inferer, BayesFold) else BayesFold()

    @staticmethod
    def _asked(known: Sequence[Evidence]) -> set[str]:
        return {e.source.removeprefix(HEAD) for e in known if e.source.startswith(HEAD)}


def asking(shop: Workshop, memory: Memory) -> Asking:
    """What the settings describe, over a memory that heeds its people."""
    return Asking(
        memory=memory,
        inferer=shop.build("inferer", shop.settings.inferer, "inferer"),
        measure=shop.measure,
        barred=sensitive(str(shop.settings.memory.get("space", "style"))),
        reward=shop.reward,
    )


def _sides(profile: Profile, barred: frozenset[str]) -> list[str]:
    """How to ask for either end of the measured dimensions of which least is known."""
    doubt = {p.dimension: p.std for p in profile.preferences}
    able = [
        d
        for d in profile.space.dimensions
        if d.feature and d.ask_low and d.ask_high and not d.universal and d.name not in barred
    ]
    able.sort(key=lambda d: (-doubt.get(d.name, 1.0), d.name))
    return [ask for d in able[:OPPOSED] for ask in (d.ask_low, d.ask_high)]


def _responses(cycle: Cycle, context: Context, sides: Sequence[str]) -> list[Response]:
    """Admitted answers, no two of them alike: as usual, and as each side has it."""
    usual = cycle.prepare(context)
    ways = [usual, *(usual | Conditioning(instructions=(ask,)) for ask in sides)]
    found: dict[str, Response] = {}
    for number, way in enumerate(ways):
        turn = replace(context, seed=context.seed + number)
        admitted = cycle.admit(turn, way, cycle.policy.generate(turn, way, 1))
        if admitted.finish != "content_filter":
            found.setdefault(admitted.text, admitted)
    return list(found.values())
