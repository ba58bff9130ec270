"""PostgreSQL on a real server: people and tenants never see each other, whatever anybody does."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from befit.core.dialogue import Context, Draft, Message, Response
from befit.core.errors import UnknownResponseError
from befit.core.feedback import Interaction, Rating
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence

psycopg = pytest.importorskip("psycopg")
from befit.memory.postgres import PostgresJournal, PostgresMemory  # noqa: E402

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA, BOB = UserId("ada"), UserId("bob")
_numbers = count()


def said(text: str, *, user: UserId = ADA, value: float = -0.5, key: str = "") -> Evidence:
    return Evidence(
        id=key or f"{user}-{text}",
        user=user,
        kind=EvidenceKind.STATED,
        at=AT,
        text=text,
        values={"length": value},
    )


def ask(prompt: str = "", user: UserId = ADA) -> Context:
    return Context(user=user, messages=(Message("user", prompt),), at=AT + timedelta(days=1))


def turn(user: UserId, response: str) -> Interaction:
    made = Response(id=response, text="t", draft=Draft(text="t", policy="toy"), verdicts=())
    return Interaction(
        context=Context(user=user, messages=(Message("user", "?"),), at=AT), response=made
    )


@pytest.fixture
def memory(dsn: str, tenant: str) -> Iterator[PostgresMemory]:
    made = PostgresMemory(dsn, tenant)
    yield made
    made.close()


steps = st.lists(
    st.tuples(
        st.sampled_from(("remember", "forget", "piece", "turn", "react", "erase")),
        st.integers(0, 3),
        st.integers(0, 2),
    ),
    max_size=25,
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps)
def test_people_and_tenants_never_see_each_other(
    dsn: str, plan: list[tuple[str, int, int]]
) -> None:
    """Whatever four people of two tenants with the same names and ids do, each has their own."""
    tenants = (f"left-{next(_numbers)}", f"right-{next(_numbers)}")
    memories = [PostgresMemory(dsn, name) for name in tenants]
    journals = [PostgresJournal(dsn, name) for name in tenants]
    kept: dict[tuple[int, UserId], dict[str, Evidence]] = {}
    told: dict[tuple[int, UserId], dict[str, int]] = {}
    for what, whose, item in plan:
        side, user = divmod(whose, 2)
        who = (side, (ADA, BOB)[user])
        memory, journal = memories[side], journals[side]
        mine, turns = kept.setdefault(who, {}), told.setdefault(who, {})
        if what == "remember":
            piece = said(f"{who} {item}", user=who[1], key=f"{item}")
            memory.remember([piece])
            mine.setdefault(piece.id, piece)
        elif what == "forget":
            assert memory.forget(who[1]) == len(mine)
            mine.clear()
        elif what == "piece":
            assert memory.forget(who[1], [f"{item}"]) == int(mine.pop(f"{item}", None) is not None)
        elif what == "turn":
            journal.record(turn(who[1], f"{item}"))
            turns.setdefault(f"{item}", 0)
        elif what == "react":
            rating = Rating(response=f"{item}", at=AT, value=0.5)
            if f"{item}" in turns:
                turns[f"{item}"] += 1
                seen = journal.react(who[1], rating)
                assert len(seen.feedback) == turns[f"{item}"]
            else:
                with pytest.raises(UnknownResponseError):
                    journal.react(who[1], rating)
        else:
            assert journal.erase(who[1]) == len(turns)
            turns.clear()
        for (there, name), pieces in kept.items():
            assert {e.id: e for e in memories[there].evidence(name)} == pieces
            found = {t.response.id: len(t.feedback) for t in journals[there].read(name)}
            assert found == told[there, name]
            sources = {
                s for p in memories[there].recall(ask("", name)).preferences for s in p.sources
            }
            assert sources <= set(pieces)
    for there in (0, 1):
        lived = {n for (s, n), own in (*kept.items(), *told.items()) if s == there and own}
        assert set(memories[there].people()) == lived


def test_the_server_itself_keeps_people_apart(memory: PostgresMemory) -> None:
    """Row-level security is forced: a query without any WHERE sees one person's rows alone."""
    PostgresJournal(memory.dsn, memory.tenant).record(turn(BOB, "r1"))
    memory.remember([said("a"), said("b", user=BOB)])

    def everything(role: str, tenant: str, person: str, table: str = "evidence") -> list[str]:
        with psycopg.connect(memory.dsn) as connection:
            connection.execute(f"SET ROLE {role}")
            connection.execute(
                "SELECT set_config('befit.tenant', %s, true), set_config('befit.person', %s, true)",
                (tenant, person),
            )
            rows = connection.execute(f"SELECT person FROM befit.{table}").fetchall()
            return sorted(who for (who,) in rows)

    assert everything("befit_app", memory.tenant, "ada") == ["ada"]
    assert everything("befit_app", memory.tenant, "bob", "turns") == ["bob"]
    assert everything("befit_app", memory.tenant, "ada", "turns") == []
    assert everything("befit_app", memory.tenant, "") == []
    assert everything("befit_app", "", "") == []
    assert everything("befit_app", "another", "ada") == []
    assert everything("befit_reader", memory.tenant, "") == ["ada", "bob"]
    assert everything("befit_reader", "another", "") == []
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        everything("befit_app", memory.tenant, "ada", "evidence_00")


def test_no_role_writes_for_another(memory: PostgresMemory) -> None:
    memory.remember([said("a"), said("b", user=BOB)])
    steal = "UPDATE befit.evidence SET person = 'bob'"
    plant = f"INSERT INTO befit.people (tenant, person) VALUES ('{memory.tenant}', 'eve')"
    for query in (steal, plant):
        with psycopg.connect(memory.dsn) as connection:
            connection.execute("SET ROLE befit_app")
            connection.execute("SET LOCAL befit.person = 'ada'")
            connection.execute("SELECT set_config('befit.tenant', %s, true)", (memory.tenant,))
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(query)


def test_the_owner_is_held_too(memory: PostgresMemory) -> None:
    """Forced: a role that owns the tables and is no superuser sees nothing without a policy."""
    memory.remember([said("a")])
    with psycopg.connect(memory.dsn) as connection:
        connection.execute("CREATE ROLE holder NOLOGIN")
        connection.execute("ALTER TABLE befit.evidence OWNER TO holder")
        connection.execute("GRANT USAGE ON SCHEMA befit TO holder")
        connection.execute("SET ROLE holder")
        assert connection.execute("SELECT * FROM befit.evidence").fetchall() == []
        connection.execute("RESET ROLE")
        connection.rollback()
