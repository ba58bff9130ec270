import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.core.errors import InvalidImportError, UnknownComponentError
from befit.evaluate.datasets.convabuse import ConvAbuse
from befit.evaluate.datasets.dsp import Dsp
from befit.evaluate.datasets.jsonl import read_pairs
from befit.evaluate.datasets.multipico import MultiPico
from befit.evaluate.datasets.pairing import BLOCK, pairs_by_gap
from befit.evaluate.datasets.pandalm import PandaLm
from befit.evaluate.datasets.polis import Polis
from befit.evaluate.datasets.search import MissingDataError, data_root, find_files, search_path
from befit.evaluate.datasets.stackexchange import plain_text
from befit.evaluate.schema import Dataset, people_of
from befit.evaluate.splits import groups_of
from befit.evaluate.values import known_data, load_data, members

GOOD = {"user": "u1", "prompt": "", "chosen": "yes", "rejected": "no"}


@given(
    st.dictionaries(st.text(min_size=1, max_size=3), st.integers(1, 5), max_size=30),
    st.integers(1, 40),
)
def test_pairs_are_in_order_of_rating_and_use_a_text_a_few_times(
    ratings: dict[str, int], cap: int
) -> None:
    pairs = pairs_by_gap(ratings, 2, cap, seed=0)
    assert len(pairs) <= cap
    assert all(ratings[a] - ratings[b] >= 2 for a, b in pairs)
    for item in ratings:
        assert sum(item in pair for pair in pairs) < BLOCK


def _polis(folder: Path) -> None:
    folder.mkdir(parents=True)
    votes = ["conversation,participant,comment_id,vote"]
    votes += [f"town,{p},{c},{1 if (c + p) % 2 else -1}" for p in range(4) for c in range(24)]
    votes += ["town,0,99,0"]
    texts = ["conversation,comment_id,author,moderated,text"]
    texts += [f'town,{c},0,1,"Statement {c}, quoted"' for c in range(24)]
    for name, lines in (("votes.csv.gz", votes), ("comments.csv.gz", texts)):
        (folder / name).write_bytes(gzip.compress("\n".join(lines).encode()))


def test_polis_pairs_an_agreed_with_a_disagreed_statement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _polis(tmp_path / "polis")
    monkeypatch.setenv("BEFIT_DATA", str(tmp_path))
    data = Polis(fewest_pairs=3).load(seed=0)
    assert len(people_of(data.rows)) == 4
    for row in data.rows:
        person = int(row.user.rpartition("/")[2])
        chosen, rejected = (int(text.split()[1][:-1]) for text in (row.chosen, row.rejected))
        assert (chosen + person) % 2 == 1
        assert (rejected + person) % 2 == 0
    assert data == Polis(fewest_pairs=3).load(seed=0)
    assert len(data.digest) == 64


def test_the_path_given_comes_first_and_what_was_searched_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEFIT_DATA", f"{tmp_path / 'a'}:{tmp_path / 'b'}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BEFIT_CACHE", str(tmp_path / "cache"))
    assert search_path()[:2] == (tmp_path / "a", tmp_path / "b")
    assert search_path()[-1] == tmp_path / "cache" / "data"
    with pytest.raises(MissingDataError, match="'nothing'") as caught:
        find_files("nothing", ("x.csv",))
    assert str(tmp_path / "b" / "nothing") in str(caught.value)
    with pytest.raises(MissingDataError):
        data_root()


def test_an_unknown_data_set_lists_the_known() -> None:
    with pytest.raises(UnknownComponentError) as caught:
        load_data("polish", 0)
    assert "polis" in caught.value.hint
    assert "people" in caught.value.hint
    assert {"llmfao", "xstest"} <= set(known_data())


def test_a_group_stands_for_its_members() -> None:
    assert members("all") == known_data()
    assert {"polis", "llmfao"} <= set(members("people"))
    assert members("values") == ["hh-rlhf", "hhh-alignment", "oasst1", "truthfulqa", "xstest"]
    parts = [members(group) for group in ("people", "synthetic", "values")]
    assert sorted(name for part in parts for name in part) == known_data()
    assert members("mine.py:Mine") == ["mine.py:Mine"]


def test_a_file_of_pairs_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    more = {**GOOD, "part": "query", "at": "2026-01-02T03:04:05+01:00", "attributes": {"age": 3}}
    path.write_text("\n" + json.dumps(GOOD) + "\n" + json.dumps(more) + "\n")
    data = read_pairs(path)
    assert data.name == "mine"
    assert data.rows[1].part == "query"
    assert data.rows[1].at == datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC)
    assert data.rows[1].attributes == {"age": "3"}


def test_a_file_may_hold_ties_and_what_people_said(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    lines = [
        {**GOOD, "about": {"age": "30-39"}},
        {**GOOD, "tie": True, "about": {"lives_in": "Peru"}},
        {**GOOD, "user": "u2", "tie": False},
    ]
    path.write_text("\n".join(json.dumps(line) for line in lines))
    data = read_pairs(path)
    assert [row.user for row in data.rows] == ["u1", "u2"]
    assert [row.user for row in data.ties] == ["u1"]
    assert data.about == {"u1": {"age": "30-39", "lives_in": "Peru"}}


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("{", "line 2"),
        ("[]", "line 2"),
        ('{"user": 3}', "line 2, user"),
        (json.dumps({**GOOD, "user": " "}), "line 2, user"),
        (json.dumps({**GOOD, "chosen": None}), "line 2, chosen"),
        (json.dumps({k: v for k, v in GOOD.items() if k != "rejected"}), "line 2, rejected"),
        (json.dumps({**GOOD, "rejected": "yes"}), "line 2, rejected"),
        (json.dumps({**GOOD, "part": "test"}), "line 2, part"),
        (json.dumps({**GOOD, "part": 1}), "line 2, part"),
        (json.dumps({**GOOD, "at": "yesterday"}), "line 2, at"),
        (json.dumps({**GOOD, "at": 5}), "line 2, at"),
        (json.dumps({**GOOD, "attributes": [1]}), "line 2, attributes"),
        (json.dumps({**GOOD, "about": "old"}), "line 2, about"),
        (json.dumps({**GOOD, "tie": "yes"}), "line 2, tie"),
    ],
)
def test_a_bad_line_is_named_with_its_field(tmp_path: Path, line: str, place: str) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps(GOOD) + "\n" + line)
    with pytest.raises(InvalidImportError) as caught:
        read_pairs(path)
    assert caught.value.field == place


@pytest.mark.parametrize("content", [None, b"", b"\n\n", b"\xff\xfe{}"])
def test_a_file_that_does_not_read_is_a_typed_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "mine.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidImportError):
        read_pairs(path)


def test_html_becomes_text() -> None:
    html = (
        "<p>A &lt;b&gt; <em>c</em></p>\n<ul><li>one</li><li>two</li></ul><pre><code>x</code></pre>"
    )
    assert plain_text(html) == "A <b> c\n- one\n- two\nx"


@pytest.mark.data
@pytest.mark.parametrize(
    "name", ["polis", "llmfao", "jester5k", "movielens-small", "stackexchange"]
)
def test_real_people_load_the_same_twice_and_can_be_split(name: str) -> None:
    (data,) = load_data(name, 0)
    assert data == load_data(name, 0)[0]
    people = people_of(data.rows)
    assert len(people) >= 60
    assert all(row.chosen.strip() and row.chosen != row.rejected for row in data.rows)
    most = max(people.values(), key=len)
    assert len(groups_of(most, data.disjoint)) >= 5


@pytest.mark.data
@pytest.mark.parametrize(
    ("loader", "people", "ties"),
    [(MultiPico(), 300, False), (ConvAbuse(), 6, False), (PandaLm(), 3, True), (Dsp(), 48, False)],
    ids=["multipico", "convabuse", "pandalm", "dsp"],
)
def test_those_who_judge_load_the_same_twice_and_can_be_split(
    loader: Dataset, people: int, ties: bool
) -> None:
    data = loader.load(0)
    assert data == loader.load(0)
    found = people_of(data.rows)
    assert len(found) >= people
    assert bool(data.ties) == ties
    assert set(data.about) <= set(found)
    assert all(row.chosen.strip() and row.chosen != row.rejected for row in data.rows)
    assert min(len(groups_of(own, data.disjoint)) for own in found.values()) >= 5


@pytest.mark.data
def test_real_ties_times_and_what_people_said_are_kept() -> None:
    (workers,), (films,), (town,), (asked,) = (
        load_data(name, 0) for name in ("llmfao", "movielens-small", "polis", "stackexchange")
    )
    assert len(workers.ties) > 1000
    assert all(row.at is not None for row in (*films.rows, *asked.rows))
    assert sum("wrote" in about for about in town.about.values()) > 100
    assert sum("wrote" in about for about in asked.about.values()) > 20


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("hh-rlhf", {"harmless", "helpful"}),
        ("hhh-alignment", {"harmless", "helpful", "honest", "other"}),
        ("oasst1", {"helpful"}),
        ("truthfulqa", {"honest"}),
        ("xstest", {"harmless"}),
    ],
)
def test_value_sets_come_apart_by_value(name: str, values: set[str]) -> None:
    parts = load_data(name, 0)
    assert {part.name for part in parts} == {f"{name}/{value}" for value in values}
    assert all(row.chosen != row.rejected for part in parts for row in part.rows)
    assert not any(part.people for part in parts)
