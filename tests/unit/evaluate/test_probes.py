"""Labels that leak into the way texts are written down are found, and so are near duplicates."""

from dataclasses import replace

import numpy as np
import pytest

from befit.evaluate.collected import Collected
from befit.evaluate.probes import FORMAT, LENGTH, format_of, format_probes, near_duplicates
from befit.evaluate.schema import PairData, PairRow, Row
from befit.evaluate.trials import Division, Numbered, divide
from befit.features.feature_map import FeatureMap
from befit.testing.rewards import LetterEncoder

WORDS = ("rice", "boats", "trains", "bread", "chess", "rain", "paint", "moon")


def _data(mark: str = "", longer: str = "", people: int = 60) -> PairData:
    rng = np.random.default_rng(0)
    rows = []
    for person in range(people):
        for number in range(8):
            one, two = (" ".join(rng.choice(WORDS, 6)) + f" {person} {number}" for _ in "ab")
            chosen, rejected = f"{one}{longer}", mark.format(two) if mark else two
            row = PairRow(user=f"u{person}", prompt="", chosen=chosen, rejected=rejected)
            rows.append(row)
    return PairData(
        name="made", rows=tuple(rows), licence="", digest="", rule="", shared_items=False
    )


def _probed(data: PairData) -> dict[str, Row]:
    numbered = Numbered(data, FeatureMap(LetterEncoder()))
    divisions = [divide(numbered, seed, 4) for seed in range(2)]
    collected = Collected.of("made", divisions, {})
    return {row.method: row for row in format_probes(collected, divisions)}


def test_plain_texts_give_nothing_away() -> None:
    for row in _probed(_data()).values():
        assert row.lo <= 0.5 <= row.hi


@pytest.mark.parametrize("mark", ["['{}']", "{} ", "**{}**", "{}\\n"])
def test_a_label_in_the_format_is_found(mark: str) -> None:
    assert _probed(_data(mark))[FORMAT].value > 0.95


def test_length_is_told_apart_from_format() -> None:
    found = _probed(_data(longer=" and so on and on"))
    assert found[LENGTH].value > 0.9
    assert found[FORMAT].lo < 0.6


def test_traits_see_neither_words_nor_length() -> None:
    names = ["rice and boats", "paint", "['rice and boats']"]
    rows = [PairRow(user="u", prompt="", chosen=a, rejected="x") for a in names]
    numbered = Numbered(replace(_data(), rows=tuple(rows)), FeatureMap(LetterEncoder()))
    plain, short, bracketed = (format_of(numbered.texts)[numbered.texts.number[n]] for n in names)
    assert np.array_equal(plain, short)
    assert not np.array_equal(plain, bracketed)


def test_pairs_that_nearly_share_a_text_are_counted() -> None:
    long = "a story of many boats on a wide calm sea at night"
    texts = [(long, "p q"), (f"{long} again", "r s"), ("t u", "v w"), ("t u", "x y")]
    rows = tuple(
        PairRow(user=f"u{n}", prompt="", chosen=f"{a} u{n}", rejected=f"{b} u{n}")
        for n in range(9)
        for a, b in texts
    )
    numbered = Numbered(replace(_data(), rows=rows), FeatureMap(LetterEncoder()))
    divisions: list[Division] = [divide(numbered, seed, 2) for seed in range(3)]
    found = near_duplicates(divisions)
    assert found == {"data": "made", "pairs": 36, "held_together": 18}
