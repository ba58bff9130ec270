"""The heads of the universal values as rewards: what they may be measured on, and that they fit."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from befit.align.rewards.pairs import Pairs, Person, Population, Texts
from befit.align.rewards.universal import HarmlessHead, HelpfulHead, HonestHead
from befit.core.errors import NotEnoughFeedbackError
from befit.core.preference import Pair
from befit.features.feature_map import FeatureMap
from befit.testing.rewards import LetterEncoder, check_method, population
from befit.values.corpora import digest
from befit.values.weights import heads_at, save_heads


class Named(LetterEncoder):
    """The encoder of letters under the name that the heads were fitted on."""

    name = "minilm-l6"
    width = 384

    def encode(self, texts: Sequence[str]) -> list[list[float]]:
        rows: list[list[float]] = np.pad(
            np.asarray(super().encode(texts)), ((0, 0), (0, 358))
        ).tolist()
        return rows


def _people(encoder: LetterEncoder, prompt: str) -> Population:
    rows = [
        Pair(prompt=prompt.format(n), chosen=f"A kind word {n}.", rejected=f"You fool, {n}!")
        for n in range(80)
    ]
    texts = Texts(
        [t for row in rows for t in (row.chosen, row.rejected, row.prompt)], FeatureMap(encoder)
    )
    return Population(
        texts=texts,
        people={f"u{n}": Person(pairs=Pairs.of(texts, rows[n::8])) for n in range(8)},
    )


def _heads(folder: Path, value: str, seen: list[str]) -> str:
    known = heads_at("")
    digests = np.array(sorted(map(digest, seen)), dtype=np.uint32)
    tensors = {**known.tensors, f"{value}.seen": digests}
    about = {
        name: getattr(known.card, name)
        for name in (
            "encoder", "features", "seed", "constitution", "data", "validated", "figures",
        )
    }  # fmt: skip
    save_heads(folder, tensors, about)
    return str(folder)


@pytest.mark.parametrize("kind", [HarmlessHead, HonestHead, HelpfulHead])
def test_they_keep_the_promises_of_a_method(kind: type[HarmlessHead]) -> None:
    check_method(kind(), f"befit.align.rewards.universal:{kind.__name__}")


def test_weights_that_saw_nothing_are_used_as_they_are(tmp_path: Path) -> None:
    path = _heads(tmp_path, "honest", ["something else"])
    everyone = _people(Named(), "Say {}")
    users = list(everyone.people)
    fitted = HonestHead(path=path).fit(everyone.part(users[:4]), everyone.part(users[4:6]), seed=0)
    stored = heads_at(path).weights("honest")
    assert np.array_equal(fitted.weights["said"], stored["said"].astype(np.float64))
    query = everyone.people[users[7]].pairs
    assert fitted.logits(None, query).shape == (len(query),)
    with pytest.raises(NotEnoughFeedbackError, match="fitted on"):
        replace(fitted, seen=np.array([digest("Say 7")])).logits(None, query)


@pytest.mark.parametrize("prompt", ["Say {}", "Human: Say {}\n\nAssistant: What?\n\nHuman: That."])
def test_weights_that_saw_a_prompt_are_set_aside(tmp_path: Path, prompt: str) -> None:
    path = _heads(tmp_path, "harmless", ["Say 0"])
    everyone = _people(Named(), prompt)
    users = list(everyone.people)
    fitted = HarmlessHead(path=path).fit(
        everyone.part(users[:6]), everyone.part(users[6:7]), seed=0
    )
    stored = heads_at(path).weights("harmless")
    assert not np.allclose(fitted.weights["said_words"], stored["said_words"])
    assert not len(fitted.seen)
    right = fitted.logits(None, everyone.people[users[7]].pairs) > 0.0
    assert right.all()  # the kind word wins wherever it was learned


def test_too_few_comparisons_are_said() -> None:
    few = population(people=4, pairs=4)
    users = list(few.people)
    with pytest.raises(NotEnoughFeedbackError):
        HelpfulHead().fit(few.part(users[:2]), few.part(users[2:]), seed=0)
