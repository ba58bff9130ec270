"""A journal around another that shows to learners only the turns of people who allow it.

Learning from everybody reads the journal whole; whoever took back their consent to train, or gave
it never, is left out of that reading. A person's own reading is whole.
"""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from befit.core.feedback import Feedback, Interaction
from befit.core.people import EvidenceKind, UserId
from befit.core.protocols import Journal, Submits
from befit.memory.consent import EVER, Grant, allows
from befit.memory.ledger import Ledger
from befit.memory.ready import Ready
from befit.memory.sensitive import categories

#: A deployment that has to ask before it learns from choices sets this to nothing.
ASSUMED = (Grant(kind=EvidenceKind.BEHAVIOUR.value, purpose="train", allowed=True, at=EVER),)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentedJournal:
    """A journal that heeds its people.

    Attributes:
        journal: Where turns are kept.
        ledger: What people decided.
        assumed: Consent until a person decides.
    """

    journal: Journal
    ledger: Ledger
    assumed: tuple[Grant, ...] = ASSUMED
    _ready: Ready = field(init=False, repr=False, compare=False, default_factory=Ready)

    def record(self, interaction: Interaction) -> None:
        """Keep a turn."""
        self.journal.record(interaction)

    def submit(self, interaction: Interaction) -> "Future[None]":
        """As `record`, without waiting for the disk where the journal within need not."""
        if isinstance(self.journal, Submits):
            written = self.journal.submit(interaction)
            return self._ready.awaited((interaction.context.user,), written)
        done: Future[None] = Future()
        self.journal.record(interaction)
        done.set_result(None)
        return done

    def react(self, user: UserId, feedback: Feedback) -> Interaction:
        """Keep a reaction."""
        return self.journal.react(user, feedback)

    def read(self, user: UserId | None = None) -> Sequence[Interaction]:
        """A person's turns; or, to learn from, those of all who allow it."""
        if user is not None:
            self._ready.settle(user)
            return self.journal.read(user)
        return [each for each in self.journal.read() if self._may_train(each)]

    def erase(self, user: UserId) -> int:
        """Erase a person's turns, those on their way to the disk included."""
        self._ready.settle(user)
        return self.journal.erase(user)

    def _may_train(self, turn: Interaction) -> bool:
        user = turn.context.user
        said = [
            Grant(kind=kind, purpose=purpose, allowed=each.value > 0.0, at=each.at)
            for each in self.ledger.decisions(user)
            if each.verb == "consent"
            for kind, _, purpose in [each.subject.partition(":")]
        ]
        own = [m.text for m in turn.context.messages if m.role == "user"]
        own += [text for f in turn.feedback if isinstance(text := getattr(f, "text", None), str)]
        sensitive = any(categories(text) for text in own)
        grants = (*self.assumed, *said)
        return allows(grants, EvidenceKind.BEHAVIOUR.value, "train", sensitive)
