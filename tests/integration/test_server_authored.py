"""A text that a person wrote, given over HTTP: kept with what could be read of it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from befit.app.build import Workshop
from befit.app.cli_serve import application
from befit.app.server.keys import KeyStore
from befit.app.server.main import listen, runner
from befit.app.settings import load_settings
from befit.core.people import UserId

POST = (
    "Saturday: tomatoes planted, beans tied up, rain barrel full. Sunday: soup, a walk, an early"
    " night. That is all I ask of a weekend, and I got it."
)


@contextmanager
def served(app: Any) -> Iterator[str]:
    server = runner(app)
    with listen("127.0.0.1", 0) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        server.should_exit = True
        thread.join()


def test_an_authored_text_is_read_and_falls_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BEFIT_CONFIG", raising=False)
    settings = load_settings(inference={"projectors": ["surface"]}, upstream={"url": "http://x"})
    key = KeyStore(settings.server.keys).create(UserId("ana"), datetime.now(UTC))
    headers = {"authorization": f"Bearer {key}"}
    with (
        served(application(Workshop(settings))) as url,
        httpx.Client(base_url=url, headers=headers, timeout=60) as http,
    ):
        made = http.post("/me/evidence", json={"text": POST, "kind": "authored"})
        assert made.status_code == 201
        rows = http.get("/me/evidence").json()["data"]
        assert [row["text"] for row in rows if row["text"]] == [POST]
        assert all(row["noise"] > 1.0 for row in rows)
        assert sum(len(row["values"]) for row in rows) >= 1
        assert {row["source"] for row in rows} <= {"", made.json()["id"]}
        stated = http.post("/me/evidence", json={"text": "Keep it short.", "kind": "stated"})
        assert stated.json()["noise"] == 0.3
        assert http.delete(f"/me/evidence/{made.json()['id']}").status_code == 200
        assert [r["text"] for r in http.get("/me/evidence").json()["data"]] == ["Keep it short."]
