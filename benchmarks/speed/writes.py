"""32 writers, one evidence row at a time, each acknowledged only when it is on the disk.

Beside it, in the same minutes and on the same disk: PostgreSQL's own pgbench (a C client), and
psycopg threads, one for each writer. Vectors are given on both sides.
"""

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier, Thread
from time import perf_counter, process_time

from speed.measure import Options, Row, compare
from speed.peer import postgres
from speed.words import HashedWords, name_of, texts_of

from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence
from befit.memory.sqlite import SqliteMemory

WRITERS = 32
ENOUGH = 6000.0  # rows a second; PostgreSQL's rate where that is less
AT = datetime(2026, 1, 1, tzinfo=UTC)


def run(options: Options) -> list[Row]:
    seconds = options.size(6, 1)
    rates, costs, bench, client, client_costs = [], [], [], [], []
    with postgres() as peer, TemporaryDirectory(prefix="befit-writes-") as folder:
        for number in range(options.rounds):
            rate, cost = _write(Path(folder) / f"{number}.db", seconds)
            rates.append(rate)
            costs.append(cost)
            bench.append(peer.ask(do="pgbench", clients=WRITERS, seconds=seconds)["rate"])
            inserted = peer.ask(do="insert", clients=WRITERS, seconds=seconds)
            client.append(inserted["rate"])
            client_costs.append(inserted["us"])
    return _rows(rates, costs, bench, client, client_costs)


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


def _write(path: Path, seconds: float) -> tuple[float, float]:
    """Rows acknowledged a second, and CPU of one."""
    encoder = HashedWords()
    texts = texts_of(1)
    encoder.known.update(zip(texts, encoder.encode(texts), strict=True))
    memory = SqliteMemory(path=path, encoder=encoder)
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
