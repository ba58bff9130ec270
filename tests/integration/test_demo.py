"""The demonstration runs whole, with short answers, and shows what it promises."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from befit.app.demo.page import page
from befit.app.demo.run import run
from befit.app.demo.summary import as_json, screen


@pytest.mark.local
@pytest.mark.timeout(600)
def test_every_act_is_shown_without_real_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEFIT_DATA", str(tmp_path / "nowhere"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    told: list[str] = []
    demo = run(tmp_path / "out", told.append, tokens=12)
    assert any("no real data set was found" in line for line in told)
    shown = json.loads(json.dumps(as_json(demo)))
    assert shown["real_people"] is False
    assert {"data", "method", "shots", "metric", "value", "lo", "hi", "people"} == set(
        shown["rows"][0]
    )
    assert {row["method"] for row in shown["rows"]} == {"personal", "generic", "wrong-user"}
    assert all(row["lo"] <= row["value"] <= row["hi"] for row in shown["rows"])
    assert shown["values"]["violations"] <= shown["values"]["violations_generic"]
    assert shown["forget"]["bytes_before"] > shown["forget"]["bytes_found"] == 0
    assert shown["beliefs_moved"]
    beliefs = {p: {b for r in demo.answers.personal[p] for b in r.beliefs} for p in ("ana", "chen")}
    assert beliefs["ana"] != beliefs["chen"]
    assert max(map(len, screen(demo).splitlines())) < 400
    HTMLParser().feed(page(demo))
    assert all(person.name in page(demo) for person in demo.script.people)
