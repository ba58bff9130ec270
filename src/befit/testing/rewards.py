"""Whether a method of personal reward keeps its promises; needs no model and no data.

from befit.testing.rewards import check_method
check_method(MyMethod(), "my_package.rewards:MyMethod")
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from befit.align.rewards.method import Doubts, Fitted, Method
from befit.align.rewards.pairs import Array, Pairs, Person, Population, Texts
from befit.align.rewards.storing import load, save
from befit.core.preference import Pair
from befit.features.feature_map import FeatureMap
from befit.testing import check_options

_CLOSE = 1e-6
_SUBJECTS = ("rice", "boats", "trains", "bread", "the moon", "chess", "rain", "paint")


class LetterEncoder:
    """Texts as unit vectors of which letters they have: enough to tell made-up texts apart."""

    name = "letters"
    width = 26

    def encode(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        counts = np.array([[text.lower().count(chr(97 + i)) for i in range(26)] for text in texts])
        lengths = np.linalg.norm(counts, axis=1, keepdims=True)
        found: Sequence[Sequence[float]] = counts / np.maximum(lengths, 1.0)
        return found


def population(people: int = 16, pairs: int = 16, seed: int = 0) -> Population:
    """People of two opposite tastes, half of each: some like it short, some like it long."""
    made = {
        f"u{n}": _pairs(n % 2 == 0, pairs, np.random.default_rng((seed, n))) for n in range(people)
    }
    names = [t for own in made.values() for p in own for t in (p.chosen, p.rejected, p.prompt)]
    texts = Texts(names, FeatureMap(LetterEncoder()))
    return Population(
        texts=texts,
        people={
            user: Person(
                pairs=Pairs.of(texts, own), about={"likes": "short" if i % 2 == 0 else "long"}
            )
            for i, (user, own) in enumerate(made.items())
        },
    )


def _pairs(short: bool, count: int, rng: np.random.Generator) -> list[Pair]:  # noqa: FBT001
    made = []
    for number in range(count):
        subject = _SUBJECTS[int(rng.integers(len(_SUBJECTS)))]
        brief = f"{subject}: yes, {number}."
        full = f"{subject.title()} is a wide matter. " * int(rng.integers(2, 5)) + f"So, {number}!"
        chosen, rejected = (brief, full) if short else (full, brief)
        made.append(Pair(prompt=f"Tell me of {subject}", chosen=chosen, rejected=rejected))
    return made


def check_method(method: Method, name: str) -> None:
    """The promises of `befit.align.rewards.method`.

    Args:
        method: With hyper-parameters that fit a few hundred pairs in seconds.
        name: Its registered name, or ``module:Class``.

    Raises:
        AssertionError: A promise is broken; the message says which.
    """
    check_options(method)
    everyone = population()
    users = sorted(everyone.people)
    train, aside = everyone.part(users[:10]), everyone.part(users[10:14])
    fitted = method.fit(train, aside, seed=0)
    asked = [everyone.people[user] for user in users[14:]]
    histories = [replace(person, pairs=person.pairs.take(slice(0, 8))) for person in asked]
    query = asked[0].pairs.take(slice(8, 16))
    states = fitted.adapt(histories)
    _check_antisymmetry(fitted, states, query)
    _check_order(fitted, histories[0], query)
    _check_blindness(fitted, states[0], query)
    _check_strangers(fitted, everyone, query)
    _check_alone(fitted, histories, query)
    _check_kept(fitted, name, states[0], histories[0], query)
    _check_table(fitted, histories[0], query)
    one, other = (fitted.logits(state, query) for state in states)
    differs = not np.allclose(one, other, atol=_CLOSE)
    _require(differs == method.personal, "personal is whether histories change the answer")


def _check_antisymmetry(fitted: Fitted, states: Sequence[object], query: Pairs) -> None:
    for state in states:
        given, turned = fitted.logits(state, query), fitted.logits(state, query.swapped())
        _require(given.shape == (len(query),), "one logit for each pair")
        _require(bool(np.isfinite(given).all()), "logits are numbers")
        _same(given, -turned, "a pair turned round has the negative logit")
        if isinstance(fitted, Doubts):
            spread = fitted.spread(state, query)
            _require(bool((spread >= 0.0).all()), "a spread is >= 0")
            _same(spread, fitted.spread(state, query.swapped()), "turning round changes no spread")


def _check_order(fitted: Fitted, person: Person, query: Pairs) -> None:
    turned = replace(person, pairs=person.pairs.take(np.arange(len(person.pairs))[::-1]))
    one, other = fitted.adapt([person, turned])
    _same(
        fitted.logits(one, query), fitted.logits(other, query), "the order of a history is nothing"
    )


def _check_blindness(fitted: Fitted, state: object, query: Pairs) -> None:
    given = fitted.logits(state, query)
    undecided = replace(query, preferred=np.full(len(query), 0.5), weights=query.weights * 0.1)
    _same(given, fitted.logits(state, undecided), "it does not look at the answers")
    single = [fitted.logits(state, query.take([i]))[0] for i in range(len(query))]
    _same(given, np.array(single), "what else is asked changes no answer")


def _check_strangers(fitted: Fitted, everyone: Population, query: Pairs) -> None:
    nothing = Pairs.of(everyone.texts, [])
    (state,) = fitted.adapt([Person(pairs=nothing)])
    _require(bool(np.isfinite(fitted.logits(state, query)).all()), "a stranger has a state")
    _require(len(fitted.logits(state, nothing)) == 0, "no pairs, no logits")
    _require(list(fitted.adapt([])) == [], "nobody, no states")


def _check_alone(fitted: Fitted, people: Sequence[Person], query: Pairs) -> None:
    together = fitted.adapt(people)
    for person, state in zip(people, together, strict=True):
        (alone,) = fitted.adapt([person])
        _same(
            fitted.logits(alone, query), fitted.logits(state, query), "who else adapts is nothing"
        )


def _check_kept(fitted: Fitted, name: str, state: object, person: Person, query: Pairs) -> None:
    features = query.texts.features.name
    with TemporaryDirectory(prefix="befit-") as folder:
        save(fitted, Path(folder), name, features)
        read = load(Path(folder), features)
    (again,) = read.adapt([person])
    _same(
        fitted.logits(state, query), read.logits(again, query), "saving and loading changes nothing"
    )


def _check_table(fitted: Fitted, person: Person, query: Pairs) -> None:
    """Where a text stands in its table would tell which was chosen."""
    texts = query.texts
    turned = Texts(texts.names[::-1], texts.features)
    (state,) = fitted.adapt([person])
    (again,) = fitted.adapt([replace(person, pairs=_over(turned, person.pairs))])
    _same(
        fitted.logits(state, query),
        fitted.logits(again, _over(turned, query)),
        "where a text stands in the table is nothing",
    )


def _over(texts: Texts, pairs: Pairs) -> Pairs:
    """The same pairs over the same texts in another order."""
    place = np.array([texts.number[name] for name in pairs.texts.names], dtype=np.intp)
    return replace(
        pairs,
        texts=texts,
        chosen=place[pairs.chosen],
        rejected=place[pairs.rejected],
        prompts=np.where(pairs.prompts < 0, -1, place[pairs.prompts]),
    )


def _same(one: Array, other: Array, promise: str) -> None:
    _require(np.allclose(one, other, rtol=_CLOSE, atol=_CLOSE), f"{promise}: {one} and {other}")


def _require(kept: bool, promise: str) -> None:  # noqa: FBT001
    if not kept:
        raise AssertionError(promise)
