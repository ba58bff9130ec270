"""Loaders of judgements, ratings and ranks, on small files of the same form as the sources."""

import csv
import gzip
import io
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from befit.evaluate.datasets.convabuse import ConvAbuse
from befit.evaluate.datasets.dsp import DOMAINS, Dsp
from befit.evaluate.datasets.llmfao import Llmfao
from befit.evaluate.datasets.movielens import MovieLens
from befit.evaluate.datasets.multipico import MultiPico
from befit.evaluate.datasets.oasst1 import Oasst1
from befit.evaluate.datasets.pandalm import PandaLm
from befit.evaluate.datasets.polis import Polis
from befit.evaluate.datasets.search import MissingDataError
from befit.evaluate.datasets.stackexchange import StackExchange
from befit.evaluate.schema import Dataset, PairData, people_of

EVERY: list[Dataset] = [
    ConvAbuse(),
    Dsp(),
    Llmfao(),
    MovieLens(),
    MultiPico(),
    Oasst1(),
    PandaLm(),
    Polis(),
    StackExchange(),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A search path with nothing on it but one empty folder."""
    monkeypatch.setenv("BEFIT_DATA", str(tmp_path))
    monkeypatch.setenv("BEFIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def write_csv(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    table = list(rows)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(table[0]))
    writer.writeheader()
    writer.writerows(table)
    write(path, text.getvalue())


def write_jsonl(path: Path, rows: Iterable[object]) -> None:
    write(path, "\n".join(json.dumps(row) for row in rows))


@pytest.mark.parametrize("loader", EVERY, ids=lambda loader: type(loader).__name__)
def test_a_set_that_is_not_there_says_where_it_was_looked_for(
    folder: Path, loader: Dataset
) -> None:
    with pytest.raises(MissingDataError, match=str(folder)):
        loader.load(0)


def _llmfao(folder: Path, winners: Mapping[str, str]) -> PairData:
    pair = {"text": "Sing", "result_x": "la", "result_y": "lo"}
    write_jsonl(folder / "llmfao/pairs-crowd.jsonl.gz", [{"id": 1, **pair}])
    judged = [
        {"id": "1", "worker": worker, "winner": winner, "left": "A", "right": "B"}
        for worker, winner in winners.items()
    ]
    judged.append({"id": "9", "worker": "w1", "winner": "left", "left": "A", "right": "B"})
    write_csv(folder / "llmfao/crowd-comparisons.csv", judged)
    return Llmfao().load(0)


def test_a_tie_is_kept_apart_and_the_side_and_the_models_are_told(folder: Path) -> None:
    data = _llmfao(folder, {"w1": "right", "w2": "tie", "w3": "left"})
    assert [(row.user, row.chosen, row.rejected) for row in data.rows] == [
        ("w1", "lo", "la"),
        ("w3", "la", "lo"),
    ]
    assert dict(data.rows[0].attributes) == {
        "chosen_shown": "right",
        "chosen_model": "B",
        "rejected_model": "A",
    }
    assert [(row.user, row.chosen) for row in data.ties] == [("w2", "la")]
    assert data.notes["share_of_ties"] == pytest.approx(1 / 3, abs=1e-4)


def _movielens(folder: Path, tags: Iterable[Mapping[str, object]]) -> PairData:
    ratings = [
        {"userId": u, "movieId": m, "rating": 5 if m % 2 else 1, "timestamp": 1000 * m + u}
        for u in (1, 2)
        for m in range(8)
    ]
    ratings.append({"userId": 3, "movieId": 0, "rating": 5, "timestamp": 5})
    films = [{"movieId": m, "title": f"Film {m} (1990)", "genres": "Drama|War"} for m in range(8)]
    write_csv(folder / "movielens-small/ratings.csv.gz", ratings)
    write_csv(folder / "movielens-small/movies.csv.gz", films)
    write_csv(folder / "movielens-small/tags.csv", tags)
    return MovieLens(fewest_pairs=1).load(0)


def test_a_tag_is_shown_unless_it_tells_of_a_pair_of_who_gave_it(folder: Path) -> None:
    stranger = {"userId": 3, "movieId": 0, "tag": "Slow "}
    data = _movielens(folder, [stranger, {"userId": 1, "movieId": 2, "tag": "boring"}])
    texts = {text for row in data.rows for text in (row.chosen, row.rejected)}
    assert {row.user for row in data.rows} == {"1", "2"}  # three has but one rating
    assert "Film 0 (1990): Drama, War; slow" in texts
    assert "Film 2 (1990): Drama, War" in texts
    assert not any("boring" in text for text in texts)
    assert data.notes["films_with_tags"] == 1


def test_a_tag_that_two_gave_is_hidden_if_one_of_them_has_a_pair_with_the_film(
    folder: Path,
) -> None:
    data = _movielens(folder, [{"userId": u, "movieId": 0, "tag": "slow"} for u in (3, 1)])
    assert data.notes["films_with_tags"] == 0


def test_a_pair_of_ratings_is_as_old_as_the_later(folder: Path) -> None:
    data = _movielens(folder, [{"userId": 3, "movieId": 0, "tag": "x"}])
    for row in data.rows:
        films = [int(text.split()[1]) for text in (row.chosen, row.rejected)]
        assert row.at == datetime.fromtimestamp(1000 * max(films) + int(row.user), UTC)


def test_a_polis_person_is_known_by_what_they_wrote_and_are_not_asked(folder: Path) -> None:
    votes = [
        {"conversation": "x.town", "participant": 1, "comment_id": c, "vote": 1 if c % 2 else -1}
        for c in range(4)
    ]
    statements = [
        {"conversation": "x.town", "comment_id": c, "author": 1, "moderated": 1, "text": f"Say {c}"}
        for c in range(6)
    ]
    write_csv(folder / "polis/votes.csv.gz", votes)
    write_csv(folder / "polis/comments.csv.gz", statements)
    data = Polis(fewest_pairs=1).load(0)
    asked = {text for row in data.rows for text in (row.chosen, row.rejected)}
    assert asked == {"Say 0", "Say 1", "Say 2", "Say 3"}
    assert data.about == {"x.town/1": {"conversation": "x.town", "wrote": "Say 4\nSay 5"}}


def _stackexchange(folder: Path) -> PairData:
    def post(post_id: int, user: str, question: int, html: str, day: int) -> dict[str, Any]:
        made = {"date": f"2014-03-{day:02}T10:00:00.5", "title": "T", "body_html": html}
        return {"site": "s", "post_id": post_id, "question_id": question, "user_id": user, **made}

    write_jsonl(
        folder / "stackexchange/posts.jsonl.gz",
        [
            post(1, "u", 1, "<p>Why?</p>", 1),
            post(2, "v", 1, "<p>So.</p>", 5),
            post(3, "w", 1, "<p>No.</p>", 3),
            post(4, "u", 9, "<p>Elsewhere</p>", 2),
        ],
    )
    pair = {"site": "s", "user_id": "u", "question_id": 1, "chosen_post_id": 2}
    write_csv(
        folder / "stackexchange/accepted_pairs.csv",
        [{**pair, "rejected_post_id": 3, "score_difference": -2}],
    )
    return StackExchange().load(0)


def test_an_accepted_answer_is_dated_and_the_asker_known_by_other_posts(folder: Path) -> None:
    data = _stackexchange(folder)
    (row,) = data.rows
    assert (row.prompt, row.chosen, row.rejected) == ("T\n\nWhy?", "So.", "No.")
    assert row.at == datetime(2014, 3, 5, 10, 0, 0, 500000, tzinfo=UTC)
    assert row.attributes["against_votes"] == "yes"
    assert data.about == {"s/u": {"site": "s", "wrote": "Elsewhere"}}


def test_called_ironic_beats_not_called_ironic_and_withdrawn_words_are_left_out(
    folder: Path,
) -> None:
    items = [{"item": f"i{n}", "post": f"Post {n}", "reply": f"Re {n}"} for n in range(8)]
    judged = [
        {"annotator": who, "item": f"i{n}", "lang": "de", "ironic": n % 2}
        for who in ("A", "B")
        for n in range(8)
    ]
    said = {
        "Age": "34.0",
        "Gender": "Female",
        "Ethnicity simplified": "DATA_EXPIRED",
        "Country of birth": "Chile",
        "Country of residence": "",
        "Nationality": "Chile",
        "Student status": "No",
        "Employment status": "Other",
    }
    write_jsonl(folder / "multipico/items.jsonl.gz", items)
    write_csv(folder / "multipico/annotations.csv.gz", judged)
    people = [{"annotator": "A", **said}, {"annotator": "B", **said, "Age": "nan"}]
    write_csv(folder / "multipico/annotators.csv", people)
    data = MultiPico(fewest_pairs=1).load(0)
    assert data.rows
    for row in data.rows:
        assert int(row.chosen[-1]) % 2 == 1
        assert int(row.rejected[-1]) % 2 == 0
    assert data.about["A"] == {
        "language": "de",
        "age": "30-39",
        "gender": "Female",
        "born_in": "Chile",
        "nationality": "Chile",
        "student": "No",
        "employment": "Other",
    }
    assert "age" not in data.about["B"]


def test_the_more_abusive_of_two_turns_is_chosen_if_two_steps_apart(folder: Path) -> None:
    marks = ("1", "0", "-1", "-2", "-3")
    write_csv(
        folder / "convabuse/ratings.csv.gz",
        [
            {
                "annotator_id": "A",
                "prev_agent": "Hi",
                "prev_user": "",
                "agent": "Yes?",
                "user": f"Turn {n}",
                **{f"is_abuse.{mark}": int(mark == marks[n % 5]) for mark in marks},
            }
            for n in range(40)
        ],
    )
    data = ConvAbuse(fewest_pairs=1).load(0)
    assert len(data.rows) > 10
    for row in data.rows:
        more, less = (int(text.rsplit(" ", 1)[1]) % 5 for text in (row.chosen, row.rejected))
        assert more - less >= 2
        assert row.chosen.startswith("Agent: Hi\nAgent: Yes?\nUser: Turn")


def test_three_annotators_judge_each_item_and_may_differ(folder: Path) -> None:
    item = {"instruction": "Do", "input": "", "response1": "one", "response2": "two"}
    same = {**item, "response2": "one "}
    judged = {"annotator1": 1, "annotator2": 2, "annotator3": 0}
    write_jsonl(folder / "pandalm-testset/testset-v1.jsonl", [{**item, **judged}, same | judged])
    data = PandaLm().load(0)
    assert [(r.user, r.chosen, r.attributes["chosen_shown"]) for r in data.rows] == [
        ("annotator1", "one", "1"),
        ("annotator2", "two", "2"),
    ]
    assert [(row.user, row.prompt) for row in data.ties] == [("annotator3", "Do")]
    assert data.notes["share_of_items_judged_differently"] == 1


def test_no_question_goes_to_two_made_people_and_each_domain_has_as_many(folder: Path) -> None:
    rows = [
        {"query": f"Q{n}", "responses": {d: f"{d} {n}" for d in (*DOMAINS, "normal")}}
        for n in range(50)
    ]
    write_jsonl(folder / "dsp/domain_specific_preference.test.jsonl.gz", rows)
    data = Dsp(questions_per_person=5).load(0)
    people = people_of(data.rows)
    owner: dict[str, str] = {}
    for row in data.rows:
        assert owner.setdefault(row.prompt, row.user) == row.user
        assert row.chosen.split()[0] == row.attributes["domain"] == row.user[:-3]
    assert len(people) == 8
    assert all(len(own) == 15 for own in people.values())


def test_a_better_rank_beats_a_worse_one_within_one_message(folder: Path) -> None:
    def said(name: str, parent: str | None, role: str, rank: int | None) -> dict[str, Any]:
        of = {"message_tree_id": "q", "role": role, "rank": rank, "text": f"text {name}"}
        return {"message_id": name, "parent_id": parent, **of}

    messages = [
        said("q", None, "prompter", None),
        said("a", "q", "assistant", 1),
        said("b", "q", "assistant", 0),
        said("c", "b", "prompter", None),
        said("d", "c", "assistant", 0),
        said("e", "c", "assistant", 2),
        said("f", "c", "assistant", None),
    ]
    write_jsonl(folder / "oasst1-validation-en/messages.jsonl.gz", messages)
    data = Oasst1().load(0)
    assert [(row.user, row.prompt, row.chosen, row.rejected) for row in data.rows] == [
        ("q", "Human: text q\n\nAssistant: text b\n\nHuman: text c", "text d", "text e"),
        ("q", "text q", "text b", "text a"),
    ]
    assert not data.people
