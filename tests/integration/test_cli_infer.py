"""Commands that ask and infer, over a real store and the embedded models."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from befit.app.settings import load_settings

Befit = Callable[..., Any]


def test_questions_are_asked_answered_and_skipped_until_nothing_is_worth_asking(
    befit: Befit,
) -> None:
    first = befit("ask", "ana", "--json").json
    assert first["gain"] > 0.2
    befit("ask", "ana", "--about", first["dimension"], "--answer", "low")
    beliefs = befit("profile", "ana", "--json").json["beliefs"]
    assert [(b["dimension"], b["mean"] < -0.5) for b in beliefs] == [(first["dimension"], True)]
    asked = {first["dimension"]}
    for _ in range(60):
        question = befit("ask", "ana", "--json").json
        if question is None:
            break
        assert question["dimension"] not in asked
        asked.add(question["dimension"])
        befit("ask", "ana", "--about", question["dimension"], "--answer", "skip")
    assert befit("ask", "ana").out.strip() == "nothing worth asking"
    assert len(befit("profile", "ana", "--json").json["beliefs"]) == 1
    assert befit("ask", "ana", "--about", "length").code == 2
    assert befit("ask", "ana", "--about", "nonsense", "--answer", "low").code == 2


def test_what_is_usual_is_learned_from_those_who_allow_it(befit: Befit) -> None:
    for user in ("a", "b", "c", "d"):
        befit("remember", user, "No bullet points.")
    refused = befit("prior")
    assert refused.code == 6
    assert "way out" in refused.err
    for user in ("a", "b", "c", "d"):
        befit("consent", user, "stated", "train", "on")
    learned = befit("prior", "--out", "befit.toml", "--json").json
    mean, std = learned["prior"]["population"]["lists"]
    assert mean < -0.5
    assert std < 1.0
    assert load_settings().inferer["prior"]["population"]["lists"] == [mean, std]
    befit("remember", "e", "Please be warm.")
    dimensions = {b["dimension"] for b in befit("profile", "e", "--json").json["beliefs"]}
    assert "warmth" in dimensions


@pytest.mark.local
def test_a_text_is_distilled_and_an_answer_attributed(befit: Befit, tmp_path: Path) -> None:
    post = tmp_path / "post.txt"
    post.write_text(
        "I went to Rome last week. I hate long queues. My brother loves spicy food. "
        "Please keep your answers short.",
        "utf-8",
    )
    assert befit("distil", "ana", str(post), "--dry-run").code == 0
    assert befit("profile", "ana").code == 3
    found = befit("distil", "ana", str(post), "--json").json
    assert {name for each in found for name in each["values"]} >= {"topic:long queues"}
    assert not any("spicy" in name for each in found for name in each["values"])
    befit("remember", "ana", "No bullet points, please.")
    answer = befit("respond", "ana", "How can I sleep better?", "--json").json
    assert befit("attribute", "ana", answer["id"], "--learn").code == 2  # nobody rated it
    told = befit("feedback", answer["id"], "--rating", "0", "--json").json["evidence"]
    used = {name for row in told for name in row["values"]}
    assert used == {f"useful:{name}" for name in answer["beliefs"]}
    before = befit("profile", "ana", "--json").json["beliefs"]
    assert {b["dimension"]: b["weight"] for b in before}["lists"] < 1.0
    shares = befit("attribute", "ana", answer["id"], "--learn", "--json").json
    assert {share["belief"] for share in shares} == set(answer["beliefs"])
    assert befit("attribute", "ben", answer["id"]).code == 3
    assert befit("distil", "ana", "nowhere.txt").code == 2


def test_ratings_become_affinities_and_a_file_that_grows_counts_once(
    befit: Befit, tmp_path: Path
) -> None:
    file = tmp_path / "ratings.csv"
    rows = [f"{n},{5 if n % 2 else 1},{'tea' if n % 2 else 'war'},Item {n}" for n in range(24)]
    head = "item,rating,tags,title\n"
    file.write_text(head + "\n".join(rows))
    dry = befit("infer", "ana", str(file), "--from", "ratings", "--dry-run", "--json").json
    assert {name for row in dry["evidence"] for name in row["values"]} == {"topic:tea", "topic:war"}
    assert befit("profile", "ana").code == 3
    befit("infer", "ana", str(file), "--from", "ratings")
    means = {b["dimension"]: b for b in befit("profile", "ana", "--json").json["beliefs"]}
    assert means["topic:tea"]["mean"] > 0.3
    assert means["topic:war"]["mean"] < -0.3
    why = befit("profile", "ana", "--why").out
    assert "Rated: Item" in why
    assert befit("infer", "ana", str(file), "--from", "ratings", "--as", "ben").code == 2
    assert befit("infer", "ana", str(file), "--as", "ben").code == 2
    file.write_text("item,rating\n1,x\n")
    assert befit("infer", "ana", str(file), "--from", "ratings").code == 2


def test_posts_are_read_without_what_is_sensitive_until_it_is_allowed(
    befit: Befit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEFIT_INFERENCE__PROJECTORS", '["surface"]')
    file = tmp_path / "posts.jsonl"
    posts = [
        "Saturday: tomatoes planted, beans tied up, rain barrel full. Sunday: soup and a walk.",
        "I pray every morning, and our parish means the world to me.",
    ]
    file.write_text("\n".join(json.dumps({"text": text}) for text in posts))
    first = befit("infer", "ana", str(file), "--json").json
    assert first["refused"] == 1
    assert [row["text"] for row in first["evidence"] if row["text"]] == posts[:1]
    assert all(row["noise"] > 1.0 for row in first["evidence"])
    befit("consent", "ana", "sensitive", "personalize", "on")
    assert befit("infer", "ana", str(file), "--json").json["refused"] == 0
    kept = befit("infer", "ana", str(file), "--json").json["evidence"]
    text = next(row["id"] for row in kept if row["text"] == posts[0])
    befit("forget", "ana", "--id", text)
    exported = tmp_path / "ana.json"
    befit("export", "ana", str(exported))
    left = json.loads(exported.read_text())["evidence"]
    assert text not in {row["id"] for row in left} | {row["source"] for row in left}
    assert posts[1] in {row["text"] for row in left}
