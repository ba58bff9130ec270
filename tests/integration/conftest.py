"""A real server on a loopback port, a scripted upstream behind it, people with keys in front."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import httpx
import pytest

from befit.app import cli
from befit.app.client import Client
from befit.app.server.keys import KeyStore
from befit.app.server.main import create_app, listen, runner
from befit.app.server.options import ServerOptions
from befit.app.server.upstream import HttpUpstream, LocalUpstream, Upstream
from befit.core.artifact import Artifact
from befit.core.dialogue import Context, Verdict
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence
from befit.core.protocols import Guard, Journal, Memory, Policy
from befit.cycle import Cycle
from befit.feedback.reactions import ReactionInterpreter
from befit.generate.toy import ToyPolicy
from befit.memory.artifacts import SqliteArtifacts
from befit.memory.journal import SqliteJournal
from befit.memory.spaces import load_space
from befit.memory.sqlite import SqliteMemory
from befit.personalize.prompt import PromptPersonalizer
from befit.values.boundary import Boundary

SOME_DAYS = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Marked:
    """Forbids whatever says FORBIDDEN, so that a test can see what got through."""

    name: str = "marked"
    values: tuple[str, ...] = ("harmless",)

    def check(self, context: Context, text: str, caution: float) -> Verdict:
        return Verdict(guard=self.name, allowed="FORBIDDEN" not in text)

    def inspect(self, text: str) -> Verdict:
        return Verdict(guard=self.name, allowed=True)


def fine(artifact: Artifact, folder: Path) -> Verdict:
    return Verdict(guard="probe", allowed=True)


@dataclass(slots=True)
class World:
    """One server and who uses it."""

    url: str
    keys: dict[str, str]
    cycle: Cycle
    upstream_url: str

    def client(self, who: str = "ana", user: str = "") -> Client:
        return Client(self.url, self.keys[who], user=user)

    def raw(self, who: str = "ana") -> httpx.Client:
        headers = {"authorization": f"Bearer {self.keys[who]}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=20)

    def seen(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = httpx.get(f"{self.upstream_url}/seen").json()
        return found


class Build(Protocol):
    """What the fixture ``build`` gives."""

    def __call__(
        self,
        *,
        memory: Memory | None = None,
        journal: Journal | None = None,
        policy: Policy | None = None,
        upstream: Upstream | None = None,
        guard: Guard | None = None,
        **options: Any,
    ) -> World: ...


@pytest.fixture(scope="session")
def upstream_url() -> Iterator[str]:
    script = Path(__file__).with_name("fake_upstream.py")
    with subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.terminate()


@pytest.fixture
def build(upstream_url: str, tmp_path: Path) -> Iterator[Build]:
    """Start servers over one store; each ends with the test."""
    httpx.post(f"{upstream_url}/forget")
    path = tmp_path / "befit.db"
    real = SqliteMemory(path=path, space="style")
    space = load_space("style")
    long_ago = datetime.now(UTC) - SOME_DAYS
    for user, values in (("ana", {"length": -1.0}), ("ben", {"warmth": 1.0})):
        for i in range(4):
            real.remember(
                [
                    Evidence(
                        id=f"{user}-{i}",
                        user=UserId(user),
                        kind=EvidenceKind.STATED,
                        at=long_ago,
                        values=values,
                    )
                ]
            )
    keys = KeyStore(tmp_path / "keys.db")
    people = {user: keys.create(UserId(user), long_ago) for user in ("ana", "ben", "cem")}
    people["service"] = keys.create(None, long_ago)

    with ExitStack() as running:

        def start(
            *,
            memory: Memory | None = None,
            journal: Journal | None = None,
            policy: Policy | None = None,
            upstream: Upstream | None = None,
            guard: Guard | None = None,
            **options: Any,
        ) -> World:
            cycle = Cycle(
                memory=memory or real,
                personalizer=PromptPersonalizer(),
                policy=policy or ToyPolicy(),
                boundary=Boundary(guards=(guard or Marked(),), screens=(Marked(),), probe=fine),
                interpreter=ReactionInterpreter(space=space),
                journal=journal or SqliteJournal(path=path),
                artifacts=SqliteArtifacts(path=path),
            )
            upstream = upstream or HttpUpstream(url=f"{upstream_url}/v1", timeout_s=1.0)
            chosen = ServerOptions(**{"deadline_ms": 2_000.0} | options)
            app = create_app(cycle, chosen, KeyStore(tmp_path / "keys.db"), upstream)
            url = running.enter_context(served(app))
            return World(url, people, cycle, upstream_url)

        yield start
    keys.close()


@pytest.fixture
def world(build: Build) -> World:
    return build()


@pytest.fixture
def local(build: Build) -> World:
    """A server whose upstream is a policy in its own process."""
    return build(upstream=LocalUpstream(policy=ToyPolicy(), model="toy"), model="toy")


@contextmanager
def served(app: Any) -> Iterator[str]:
    server = runner(app)
    with listen("127.0.0.1", 0) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


class Ran(NamedTuple):
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def befit(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., Ran]:
    """The command line in an empty folder, with the settings ``TOML`` of the test's module."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BEFIT_CONFIG", raising=False)
    settings = getattr(request.module, "TOML", "")
    if settings:
        Path("befit.toml").write_text(settings, "utf-8")

    def run(*arguments: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["befit", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        code = ended.value.code
        return Ran(code if isinstance(code, int) else 0, *capsys.readouterr())

    return run
