"""Made-up people with known truth: what they say of a subject, in many wordings.

The wordings were written before any memory was measured on them and are not those of its grammar:
some of them no grammar reads. Draws; measures nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from befit.core.preference import TOPIC, Origin
from befit.evaluate.memory.methods import Turn

FIRST = datetime(2026, 1, 5, 9, tzinfo=UTC)

SUBJECTS = (
    "jazz", "sushi", "hiking", "podcasts", "chess", "camping", "documentaries", "opera",
    "gardening", "karaoke", "yoga", "cycling", "horror films", "board games", "spicy food",
    "mushrooms", "olives", "cruises", "museums", "crossword puzzles", "electric cars",
    "video calls", "street food", "science fiction", "country music", "rock climbing",
    "black coffee", "green tea", "poetry", "cats", "dogs", "roller coasters", "fishing",
    "knitting", "baseball", "golf", "skiing", "peanuts", "night trains", "open offices",
    "audiobooks", "anime", "ballet", "barbecue", "blue cheese", "historical novels",
)  # fmt: skip
LIKES = (
    "I love {s}.", "I really enjoy {s}.", "I'm a big fan of {s}.", "I adore {s}!",
    "{S}? Count me in, always.", "My favourite thing in the world is {s}.", "I'm really into {s}.",
    "I like {s} a lot.", "Nothing makes me happier than {s}.", "I prefer {s} to most things.",
    "I can't get enough of {s}.", "I have a soft spot for {s}.",
)  # fmt: skip
DISLIKES = (
    "I hate {s}.", "I really don't like {s}.", "I can't stand {s}.", "I'm not a fan of {s}.",
    "{S} is really not for me.", "I dislike {s}.", "I avoid {s}.", "I'm sick of {s}.",
    "Please keep {s} away from me.", "I don't enjoy {s} at all.", "I detest {s}.",
    "{S} does nothing for me.",
)  # fmt: skip
NOW_LIKES = (
    "I love {s} now.", "I've changed my mind: I really like {s}.", "These days I enjoy {s}.",
    "I've come round to {s} after all.", "I used to avoid {s}, but now I love it.",
    "Turns out I like {s}.", "{S} has grown on me, I'm a fan of {s} now.",
)  # fmt: skip
NOW_DISLIKES = (
    "I don't like {s} any more.", "I've changed my mind: I hate {s}.", "I've gone off {s}.",
    "These days I can't stand {s}.", "I used to love {s}, but not any longer.",
    "I no longer enjoy {s}.", "I'm tired of {s} now, leave it out.",
)  # fmt: skip
QUESTIONS = (
    "What do you think about {s} for this weekend?", "Should I spend money on {s}?",
    "A friend suggested {s}. What would you tell them on my behalf?",
    "Would {s} be something for me?",
)  # fmt: skip
#: Requests to forget, for the suite alone: the reader of requests was not written with them.
FORGETS = (
    "Please forget what I told you about {s}.", "Can you forget everything about {s}?",
    "Forget all I ever said about {s}, please.", "Delete what you know about my taste for {s}.",
    "I'd like you to forget {s}.", "Stop bringing up {s}.", "Don't mention {s} to me again.",
    "Erase whatever you remember of me and {s}.", "Would you please forget about {s}?",
    "Remove {s} from your memory.", "I don't want you to remember anything about {s}.",
    "Wipe everything I said on {s}, thanks.", "Hey, please forget that I ever talked about {s}.",
    "You should forget my opinion of {s}.", "Pretend I never mentioned {s}.",
    "pls forgett what i said about {s}", "No more mentions of {s}, please.",
    "It would be great if you could forget how I feel about {s}.",
    "I want everything about {s} gone from your memory.", "Kindly drop {s} from my profile.",
    "What I told you about {s}: please forget it.", "Never bring up {s} again.",
    "Do not keep anything about {s}.", "I take back everything I said about {s}.",
)  # fmt: skip
#: dimension -> ways to ask for its low end, and for its high end
ASKS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "length": (
        ("Keep your answers short, please.", "I want brief replies.", "Fewer words, please."),
        ("I want long, detailed answers.", "Give me longer replies.", "Please write more words."),
    ),
    "formality": (
        ("Talk to me in a casual tone.", "I like informal answers.", "Be casual with me."),
        ("Please be formal.", "I prefer formal language.", "Keep it formal, please."),
    ),
    "emoji": (
        ("No emoji, please.", "Please stop using emojis.", "I don't like emoji in answers."),
        ("I love emoji in your answers.", "Use emojis, please.", "More emoji, please!"),
    ),
    "examples": (
        ("Skip the examples.", "No examples, please.", "I don't need examples."),
        ("Please give me examples.", "I want more examples.", "Always include an example."),
    ),
    "humour": (
        ("No jokes, please.", "Leave out the humour.", "Be serious, please."),
        ("I like jokes in answers.", "More humour, please.", "Use some humour."),
    ),
}
STYLE_QUESTION = "How should you answer me with regard to {s}?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a person has a stance on.

    Attributes:
        name: A topic in words, or the name of a dimension.
        key: What evidence calls it: ``topic:...`` or the dimension.
        question: A prompt it matters for.
    """

    name: str
    key: str
    question: str


@dataclass(slots=True)
class Script:
    """What a person says, turn by turn, a few days apart, with the truth beside it.

    Attributes:
        rng: Draws the wordings.
        turns: So far.
        stances: The sign of what each turn of the person says of its subject.
        about: The key of each turn's subject.
    """

    rng: np.random.Generator
    turns: list[Turn]
    stances: dict[str, float]
    about: dict[str, str]

    @classmethod
    def new(cls, seed: int, person: int) -> "Script":
        """An empty one, the same for the same seed and person."""
        return cls(np.random.default_rng((seed, person)), [], {}, {})

    @property
    def at(self) -> datetime:
        """When the next turn is."""
        return FIRST + timedelta(days=3 * len(self.turns))

    def say(
        self,
        subject: Subject,
        sign: float,
        *,
        changed: bool = False,
        scope: str = "",
        origin: Origin = "person",
        at: datetime | None = None,
    ) -> Turn:
        """Add a statement on a subject, in a wording that was not used of it before."""
        said = {turn.text for turn in self.turns}
        wordings = [text for text in _wordings(subject, sign, changed=changed) if text not in said]
        text = wordings[int(self.rng.integers(len(wordings)))]
        return self.add(text, sign, subject.key, scope=scope, origin=origin, at=at)

    def ask_to_forget(self, subject: Subject) -> Turn:
        """Add a request to forget a subject, in one of many wordings."""
        wording = FORGETS[int(self.rng.integers(len(FORGETS)))]
        return self.add(wording.format(s=subject.name), 0.0, subject.key)

    def behave(self, subject: Subject, sign: float) -> Turn:
        """Add something done that speaks weakly for or against a subject."""
        verb = "rated well" if sign > 0 else "rated badly"
        text = f"({verb} an answer about {subject.name}, no. {len(self.turns)})"
        turn = self.add(text, sign, subject.key)
        self.turns[-1] = Turn(
            id=turn.id, text=turn.text, at=turn.at, observed={subject.key: 0.6 * sign}
        )
        return self.turns[-1]

    def add(
        self,
        text: str,
        sign: float,
        key: str,
        *,
        scope: str = "",
        origin: Origin = "person",
        at: datetime | None = None,
    ) -> Turn:
        """Add a turn about what evidence calls ``key``; "" is about nothing."""
        turn = Turn(
            id=str(len(self.turns)), text=text, at=at or self.at, scope=scope, origin=origin
        )
        self.turns.append(turn)
        self.stances[turn.id] = sign
        self.about[turn.id] = key
        return turn

    def subjects(self, topics: int, dimensions: int = 0) -> list[Subject]:
        """Different subjects, drawn."""
        words = self.rng.choice(len(SUBJECTS), topics, replace=False)
        styles = self.rng.choice(len(ASKS), dimensions, replace=False)
        question = QUESTIONS[int(self.rng.integers(len(QUESTIONS)))]
        names = list(ASKS)
        return [
            *(
                Subject(name=s, key=TOPIC + s, question=question.format(s=s))
                for s in (SUBJECTS[n] for n in words)
            ),
            *(
                Subject(name=s, key=s, question=STYLE_QUESTION.format(s=s))
                for s in (names[n] for n in styles)
            ),
        ]


def _wordings(subject: Subject, sign: float, *, changed: bool) -> Sequence[str]:
    if subject.key in ASKS:
        return ASKS[subject.key][sign > 0]
    first, later = (LIKES, NOW_LIKES) if sign > 0 else (DISLIKES, NOW_DISLIKES)
    found = later if changed else first
    name = subject.name
    return [text.format(s=name, S=name[0].upper() + name[1:]) for text in found]
