"""Files of posts and ratings: usual columns are found, nonsense is refused by its row."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from befit.app.given import read_posts, read_ratings
from befit.core.errors import InputError

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_posts_come_from_text_tables_and_lines(tmp_path: Path) -> None:
    plain = tmp_path / "post.txt"
    plain.write_text("One text,\nof two lines.")
    assert [(p.text, p.at) for p in read_posts(plain, NOW)] == [("One text,\nof two lines.", NOW)]
    table = tmp_path / "posts.CSV"
    table.write_text("Date,Body\n2020-01-02,Hello there\n,Again\n2020-01-02T10:00:00+02:00,\n")
    assert [(p.text, p.at.isoformat()) for p in read_posts(table, NOW)] == [
        ("Hello there", "2020-01-02T00:00:00+00:00"),
        ("Again", NOW.isoformat()),
    ]
    packed = tmp_path / "posts.jsonl.gz"
    packed.write_bytes(gzip.compress(b'{"text": "A", "timestamp": 86400}\n\n'))
    assert [p.at for p in read_posts(packed, NOW)] == [datetime(1970, 1, 2, tzinfo=UTC)]


def test_ratings_find_their_items(tmp_path: Path) -> None:
    ratings, items = tmp_path / "r.csv", tmp_path / "i.csv"
    ratings.write_text("userId,movieId,rating,timestamp\n7,1,3.5,86400\n8,2,1,\n")
    items.write_text("movieId,title,genres\n1,Toys,Comedy|Drama|Comedy\n2,War,(no genres listed)\n")
    one, two = read_ratings(ratings, items, NOW)
    assert (one.who, one.item, one.value, one.title) == ("7", "1", 3.5, "Toys")
    assert one.topics == ("comedy", "drama")
    assert (two.topics, two.at) == ((), NOW)


def test_topics_stand_in_a_row_or_come_from_shared_words(tmp_path: Path) -> None:
    lines = tmp_path / "r.jsonl"
    lines.write_text(json.dumps({"title": "X", "stars": 4, "tags": ["Tea", "tea", "Cake"]}))
    assert read_ratings(lines, None, NOW)[0].topics == ("tea", "cake")
    texts = [f"{'green tea' if n < 4 else 'strong coffee'} number {n:04d}" for n in range(20)]
    lines.write_text("\n".join(json.dumps({"text": t, "rating": 1}) for t in texts))
    found = read_ratings(lines, None, NOW)
    assert found[0].topics == ("green",)  # the rest is too short, too frequent or no word
    assert found[9].topics == ()


@pytest.mark.parametrize(
    ("name", "text", "field"),
    [
        ("r.csv", "item,rating\n", "file"),
        ("r.csv", "item,stars\na,good\n", "value"),
        ("r.csv", "item,stars\na,nan\n", "value"),
        ("r.csv", "item,colour\na,3\n", "value"),
        ("r.csv", "rating\n3\n", "item"),
        ("r.csv", "item,rating,time\na,3,yesterday\n", "at"),
        ("r.jsonl", "{", "file"),
        ("r.jsonl", "[]", "file"),
        ("r.csv.gz", "no gzip", "file"),
    ],
)
def test_nonsense_is_refused(tmp_path: Path, name: str, text: str, field: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_ratings(path, None, NOW)
    assert caught.value.field == field
    with pytest.raises(InputError):
        read_posts(tmp_path / "nowhere.csv", NOW)
