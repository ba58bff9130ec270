"""From what a person wrote or rated to evidence: values with the measured error of who read them.

A text becomes one piece of evidence with its words, and further ones, whose ``source`` it is, for
what was read with another error. Ratings become, topic by topic and stretch of time by stretch of
time, what they say beyond the item's popularity and the person's own level. The same file gives
the same ids, so that bringing it again adds nothing. It keeps nothing itself.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256

from befit.app.given import Opinion
from befit.core.errors import InputError, NotEnoughFeedbackError
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import TOPIC, Evidence
from befit.features.affinity import Affinity, Rated, affinity_alone, fit_affinity
from befit.features.foreign import own_part
from befit.features.projection import Projector, observations
from befit.memory.consented import ConsentedMemory
from befit.memory.sifting import Sifted

#: Makes what reads the texts of one person, as far as they allow.
Reads = Callable[[ConsentedMemory, UserId, datetime], Projector]

LONGEST_POST = 100_000  # characters of one text
TOGETHER = 20  # ratings from which a day closes a stretch of time
_NAMED = 5  # items that a piece of evidence names
_PEOPLE = 10  # from which the others' ratings can be learned from


def authored(
    projector: Projector,
    user: UserId,
    text: str,
    at: datetime,
    *,
    scope: str = "",
    values: Mapping[str, float] | None = None,
) -> tuple[Evidence, ...]:
    """A text that the person wrote, with what it says of them.

    Args:
        projector: Reads the text, without the words of others that stand in it.
        user: The person.
        text: Theirs.
        at: When they wrote it, UTC.
        scope: Where what it says holds.
        values: What it states outright; the first piece has those alone where there are any.

    Returns:
        The text first; then what could be read of it with other errors, surest first.

    Raises:
        InputError: The text is blank, too long, or not valid Unicode.
    """
    words = text.strip()
    if not words or len(words) > LONGEST_POST:
        raise InputError(
            "a text is empty" if not words else f"a text has {len(words)} characters",
            hint=f"send between 1 and {LONGEST_POST} characters",
            field="text",
        )
    try:
        words.encode()
    except UnicodeEncodeError as error:
        raise InputError("not valid Unicode", hint="send UTF-8 text", field="text") from error
    stated = dict(values or {})
    projected = projector.project(own_part(words))
    read = observations({name: r for name, r in projected.items() if name not in stated})
    first = (stated, 0.3) if stated or not read else read.pop(0)
    key = _key(user, "authored", at.isoformat(), scope, words)
    parts = [(key, words, "", *first)]
    parts += [(_key(key, str(n)), "", key, *each) for n, each in enumerate(read)]
    return tuple(
        Evidence(
            id=name,
            user=user,
            kind=EvidenceKind.AUTHORED,
            at=at,
            text=said,
            values=found,
            noise=noise,
            scope=scope,
            source=source,
        )
        for name, said, source, found, noise in parts
    )


def keepable(memory: ConsentedMemory, found: Sequence[Evidence]) -> tuple[list[Evidence], Sifted]:
    """What may be kept, without what was read out of a text that may not; and why not."""
    sifted = memory.sift(found)
    out = {each.evidence.id for each in (*sifted.refused, *sifted.held)}
    return [each for each in sifted.kept if each.source not in out], sifted


def population(opinions: Iterable[Opinion], person: str) -> Affinity:
    """What ratings are read by: the others' where there are enough, else the person's alone.

    Raises:
        NotEnoughFeedbackError: The person has under three ratings, or all are alike.
    """
    people: dict[str, list[Rated]] = {}
    for each in opinions:
        people.setdefault(each.who, []).append(_rated(each))
    others = {who: given for who, given in people.items() if who != person}
    if len(others) >= _PEOPLE:
        try:
            return fit_affinity(others)
        except NotEnoughFeedbackError:
            pass  # many people, but none with twenty ratings
    return affinity_alone(people.get(person, []))


def liked(
    model: Affinity, user: UserId, opinions: Sequence[Opinion], scope: str = ""
) -> tuple[Evidence, ...]:
    """A person's affinities, stretch of time by stretch of time, as evidence.

    A stretch is as many whole days as have twenty ratings together; what it says is dated by its
    last rating, so that beliefs fade and change as for anything else.

    Args:
        model: What the population taught; see `population`.
        user: The person.
        opinions: Theirs, in any order.
        scope: Where it holds.
    """
    made: list[Evidence] = []
    level = 0.0
    for stretch in _stretches(opinions):
        rated = [_rated(each) for each in stretch]
        for name, (value, noise) in model.observe(rated, level).items():
            begins = f"{stretch[0].at.isoformat()} {stretch[0].item}"
            made.append(
                Evidence(
                    id=_key(user, "rated", name, scope, begins),
                    user=user,
                    kind=EvidenceKind.BEHAVIOUR,
                    at=stretch[-1].at,
                    text=_named(name, stretch),
                    values={name: value},
                    noise=noise,
                    scope=scope,
                )
            )
        level = model.level(rated, level)
    return tuple(made)


def _stretches(opinions: Sequence[Opinion]) -> list[list[Opinion]]:
    made: list[list[Opinion]] = []
    for each in sorted(opinions, key=lambda o: (o.at, o.item)):
        last = made[-1] if made else []
        full = len(last) >= TOGETHER and last[-1].at.date() != each.at.date()
        if not last or full:
            made.append([each])
        else:
            last.append(each)
    return made


def _named(topic: str, stretch: Sequence[Opinion]) -> str:
    """The ratings that say most of a topic, as a person reads them."""
    about = [o for o in stretch if topic.removeprefix(TOPIC) in o.topics]
    usual = sum(o.value for o in stretch) / len(stretch)
    about.sort(key=lambda o: (-abs(o.value - usual), o.title, o.item))
    said = "; ".join(f"{o.title or o.item} {o.value:g}" for o in about[:_NAMED])
    more = len(about) - _NAMED
    return f"Rated: {said}" + (f"; and {more} more" if more > 0 else "")


def _rated(opinion: Opinion) -> Rated:
    return Rated(item=opinion.item, value=opinion.value, topics=opinion.topics)


def _key(*parts: str) -> str:
    return sha256("\0".join(parts).encode()).hexdigest()[:32]
