"""The ledger in PostgreSQL: as the one in a file, people and tenants apart, tables brought up."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from befit.core.errors import InputError, StoreError
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence
from befit.memory.ledger import Decision, Held, Ledger, SqliteLedger
from befit.memory.sealed import vault_at

psycopg = pytest.importorskip("psycopg")
from befit.memory.postgres import PostgresMemory  # noqa: E402
from befit.memory.postgres_ledger import PostgresLedger  # noqa: E402
from befit.memory.postgres_server import migrations, open_server  # noqa: E402

ADA, BOB = UserId("ada"), UserId("bob")
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _decision(n: int, user: UserId = ADA, subject: str = "length") -> Decision:
    at = AT + timedelta(days=n)
    return Decision(user=user, at=at, verb="pin", subject=subject, scope="a\0b", value=0.5)


def _held(name: str, user: UserId = ADA) -> Held:
    text = f"words \0 {name}"
    made = Evidence(id=name, user=user, kind=EvidenceKind.STATED, at=AT, text=text, origin="tool")
    return Held(made, "because")


@pytest.fixture
def ledger(dsn: str, tenant: str) -> Iterator[PostgresLedger]:
    made = PostgresLedger(dsn=dsn, tenant=tenant)
    yield made
    made.close()


steps = st.lists(
    st.tuples(
        st.sampled_from(("decide", "hold", "drop", "unsay", "erase")),
        st.sampled_from((ADA, BOB)),
        st.integers(0, 3),
    ),
    max_size=20,
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps)
def test_it_is_the_ledger_that_lies_in_a_file(
    ledger: PostgresLedger,
    tmp_path_factory: pytest.TempPathFactory,
    plan: list[tuple[str, UserId, int]],
) -> None:
    assert isinstance(ledger, Ledger)
    other = SqliteLedger(path=tmp_path_factory.mktemp("file") / "rights")
    pair: tuple[Ledger, Ledger] = (ledger, other)
    for each in pair:
        each.erase(ADA)
        each.erase(BOB)
    for what, user, n in plan:
        if what == "decide":
            for each in pair:
                each.decide(_decision(n, user, f"topic:\0{n}"))
        elif what == "hold":
            for each in pair:
                each.hold([_held(f"{n}", user), _held("9", user)])
        elif what == "drop":
            assert ledger.drop_held(user, [f"{n}"]) == other.drop_held(user, [f"{n}"])
        elif what == "unsay":
            gone = [f"topic:\0{n}"]
            assert ledger.drop_decisions(user, gone) == other.drop_decisions(user, gone)
        else:
            assert ledger.erase(user) == other.erase(user)
        for who in (ADA, BOB):
            assert ledger.decisions(who) == other.decisions(who)
            assert ledger.held(who) == other.held(who)
    other.close()


def test_sealed_it_says_nothing(dsn: str, ledger: PostgresLedger, tmp_path: Path) -> None:
    vault = vault_at(tmp_path / "keys", "rights")
    sealed = replace(ledger, vault=vault)
    sealed.decide(_decision(1, subject="topic:marzipan"))
    sealed.hold([_held("marzipan-1")])
    with psycopg.connect(dsn) as connection:
        rows = [
            *connection.execute("SELECT subject FROM befit.decisions").fetchall(),
            *connection.execute("SELECT body FROM befit.held").fetchall(),
        ]
    assert rows
    assert not [row for row in rows if "marzipan" in row[0]]
    assert sealed.decisions(ADA) == (_decision(1, subject="topic:marzipan"),)
    assert sealed.held(ADA) == (_held("marzipan-1"),)
    ledger.decide(_decision(2))
    with pytest.raises(StoreError, match="without encryption"):
        sealed.decisions(ADA)
    assert sealed.drop_held(ADA, ["marzipan-1"]) == 1
    assert sealed.erase(ADA) == 2
    assert list(vault.shelf.names()) == []


def test_tenants_and_people_are_apart_by_the_server_itself(
    dsn: str, ledger: PostgresLedger
) -> None:
    other = PostgresLedger(dsn=dsn, tenant=f"{ledger.tenant}-other")
    for each, user in ((ledger, ADA), (ledger, BOB), (other, ADA)):
        each.decide(_decision(1, user))
        each.hold([_held("1", user)])
    assert len(ledger.decisions(ADA)) == len(ledger.held(ADA)) == 1
    assert ledger.erase(ADA) == 2
    assert len(other.decisions(ADA)) == len(other.held(ADA)) == 1
    with psycopg.connect(dsn) as connection:
        connection.execute("SET ROLE befit_app")
        connection.execute("SELECT set_config('befit.tenant', %s, true)", (ledger.tenant,))
        connection.execute("SELECT set_config('befit.person', 'bob', true)")
        for table in ("decisions", "held"):
            rows = connection.execute(f"SELECT tenant, person FROM befit.{table}").fetchall()
            assert rows == [(ledger.tenant, "bob")]


def test_what_makes_no_sense_is_refused_and_a_strange_name_has_nothing(
    ledger: PostgresLedger,
) -> None:
    with pytest.raises(InputError) as caught:
        ledger.decide(_decision(1, UserId("")))
    assert caught.value.field == "user"
    assert ledger.decisions(UserId("\ud800")) == ()
    assert ledger.held(UserId("")) == ()
    assert ledger.erase(UserId("\ud800")) == 0
    ledger.hold([])


def test_tables_of_the_first_version_are_brought_up(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE DATABASE older")
    older = dsn.replace("/postgres?", "/older?")
    first = migrations()[:1]
    with monkeypatch.context() as patched:
        patched.setattr("befit.memory.postgres_server.migrations", lambda: first)
        memory = PostgresMemory(older)
        said = _held("1").evidence
        memory.remember([said])
        memory.close()
        ledger = memory.ledger()
        with pytest.raises(StoreError):  # an older befit has no such table
            ledger.decide(_decision(1))
        memory.close()
    ledger.decide(_decision(1))
    assert ledger.decisions(ADA) == (_decision(1),)
    assert memory.evidence(ADA) == [said]
    with psycopg.connect(older) as connection:
        rows = connection.execute("SELECT version FROM befit.migrations ORDER BY 1").fetchall()
    assert rows == [(n + 1,) for n in range(len(migrations()))]
    memory.close()
    # and a gateway of the first version, started now, is told
    with monkeypatch.context() as patched:
        patched.setattr("befit.memory.postgres_server.migrations", lambda: first)
        with pytest.raises(StoreError, match="version 2"):
            open_server(older, 3).read(lambda _: None, "t", "")
