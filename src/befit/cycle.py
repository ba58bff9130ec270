"""The personalized alignment cycle (survey section 3.1), in a few verbs.

One component of each kind, wired. Read the verbs to know the whole system. Ranking drafts by the
personal reward is a decoder (`align.decode`), so the policy proposes best first.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from befit.core.artifact import Artifact
from befit.core.dialogue import Conditioning, Context, Draft, Passage, Response
from befit.core.errors import AuditFailedError, InvalidPromptError, StoreError
from befit.core.feedback import Comparison, Feedback, Interaction
from befit.core.people import UserId
from befit.core.preference import Evidence
from befit.core.protocols import (
    ArtifactStore,
    Interpreter,
    Journal,
    Learner,
    Memory,
    Personalizer,
    Policy,
)
from befit.features.forget_conversation import heeding
from befit.features.setting import setting
from befit.values.boundary import Boundary

LONGEST_PROMPT = 200_000  # characters of one turn; a longer one is refused, not cut silently


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """The ring.

    Attributes:
        memory: Evidence in, profiles out.
        personalizer: Profiles to conditioning.
        policy: Proposes drafts, best first.
        boundary: Universal values; the only maker of responses.
        interpreter: Reads reactions.
        journal: The record of turns and reactions.
        artifacts: The shelf of what was learned.
        candidates: How many drafts the boundary may choose among, >= 1.
    """

    memory: Memory
    personalizer: Personalizer
    policy: Policy
    boundary: Boundary
    interpreter: Interpreter
    journal: Journal
    artifacts: ArtifactStore
    candidates: int = 4

    def prepare(self, context: Context) -> Conditioning:
        """Recall, screen, condition. Without a store it is the generic conditioning.

        Raises:
            InvalidPromptError: The last turn is empty, too long, or not valid text.
        """
        _check_prompt(context)
        try:
            recalled = self.memory.recall(_set(context))
        except StoreError:
            return Conditioning()  # personalization fails open to the generic answer
        profile = self.boundary.screen(context, recalled)
        personal = self.personalizer.condition(profile, context)
        return personal | Conditioning(caution=profile.caution)

    def respond(self, context: Context) -> Response:
        """Prepare, generate, admit, record.

        Where every personal draft is refused, the generic answer is tried before the refusal. What
        the conversation asks to be forgotten is not shown to the model, and the request itself is
        not recorded; memory forgets by `befit.app.listening`, or `forget`.

        Raises:
            InvalidPromptError: The last turn is empty, too long, or not valid text.
            ModelError: The policy failed.
            StoreError: The turn could not be recorded.
        """
        context = heeding(context)
        return self.answer(context, self.prepare(context))

    def answer(self, context: Context, conditioning: Conditioning) -> Response:
        """`respond` with a conditioning that was prepared before; generic where it is empty."""
        drafts = self.policy.generate(context, conditioning, self.candidates)
        response = self.admit(context, conditioning, drafts)
        self.record(context, response)
        return response

    def admit(
        self, context: Context, conditioning: Conditioning, drafts: Iterable[Draft]
    ) -> Response:
        """Let the first allowed draft through; else the generic answer; else the refusal."""
        response = self.boundary.admit(context, conditioning, drafts)
        generic = Conditioning(caution=conditioning.caution)
        if response.finish != "content_filter" or conditioning == generic:
            return response
        plain = self.boundary.admit(context, generic, self.policy.generate(context, generic, 1))
        return response if plain.finish == "content_filter" else plain

    def admit_stream(
        self, context: Context, conditioning: Conditioning, pieces: AsyncIterator[str]
    ) -> AsyncIterator[Passage | Response]:
        """Let a stream through sentence by sentence; the last item is the whole `Response`."""
        return self.boundary.admit_stream(context, conditioning, pieces)

    def record(self, context: Context, response: Response) -> None:
        """Journal a turn, unless it is incognito."""
        if not context.incognito:
            self.journal.record(Interaction(context=context, response=response))

    def remember(self, evidence: Iterable[Evidence]) -> None:
        """Keep what a person said or did."""
        self.memory.remember(evidence)

    def receive(self, user: UserId, feedback: Feedback) -> Sequence[Evidence]:
        """Journal the reaction; remember what it says of the person, and return that.

        Raises:
            UnknownResponseError: The response is not one of this person's.
            InvalidFeedbackError: The reaction makes no sense.
        """
        learned = self.interpreter.evidence(self.journal.react(user, feedback))
        self.memory.remember(learned)
        return learned

    def improve(
        self,
        learner: Learner,
        folder: Path,
        at: datetime,
        comparisons: Sequence[Comparison] | None = None,
    ) -> Artifact:
        """Learn from the journal, or from comparisons given; promote only what passes the audit.

        Raises:
            NotEnoughFeedbackError: There is too little to learn from.
            AuditFailedError: A universal value came out worse; the incumbent stays.
        """
        if comparisons is None:
            comparisons = self.interpreter.comparisons(self.journal.read())
        artifact = learner.learn(comparisons, folder, at)
        verdict = self.boundary.audit(artifact, folder)
        if not verdict.allowed:
            raise AuditFailedError(verdict.reason, hint="the artifact in use before stays in use")
        self.artifacts.put(artifact, folder)
        self.artifacts.promote(artifact.id)
        return artifact

    def forget(self, user: UserId) -> int:
        """Erase a person: evidence, turns and learned weights. How many records went."""
        return self.memory.forget(user) + self.journal.erase(user) + self.artifacts.erase(user)


def _set(context: Context) -> Context:
    """The context to recall in: where none is given, the part of life that its words tell of.

    For recall alone: what is said in it holds where its own words put it.
    """
    return context if context.scope else replace(context, scope=setting(context.messages))


def _check_prompt(context: Context) -> None:
    prompt = context.prompt
    if not prompt.strip():
        raise InvalidPromptError("the prompt is empty", hint="say something", field="messages")
    if len(prompt) > LONGEST_PROMPT:
        raise InvalidPromptError(
            f"the prompt has {len(prompt)} characters, more than {LONGEST_PROMPT}",
            hint="shorten it, or split it over several turns",
            field="messages",
        )
    try:
        prompt.encode()
    except UnicodeEncodeError as error:
        raise InvalidPromptError(
            "the prompt is not valid Unicode", hint="send UTF-8 text", field="messages"
        ) from error
