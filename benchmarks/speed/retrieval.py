"""Recall within one person, 100,000 people with ten memories each, beside pgvector's exact search.

Both sides give the five nearest of one person's ten items to a question, with their texts; befit
gives the whole recalled profile with them. Questions and items have given vectors: what an encoder
costs is measured elsewhere. New people each time, so befit's cache of decoded people does not help;
a row of its own says what it is worth.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

import numpy as np
from speed.measure import Options, Row, compare
from speed.peer import postgres
from speed.words import HashedWords, name_of, prompt_of, texts_of

from befit.core.dialogue import Context, Message
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence
from befit.memory.sqlite import SqliteMemory

LEAST_TIMES_UNDER_PGVECTOR = 7.0
MOST_GROWTH = 1.3
FEW_PEOPLE = 1000
BATCH = 50  # people a transaction
AT = datetime(2026, 6, 1, tzinfo=UTC)


def run(options: Options) -> list[Row]:
    many = options.size(100_000, 4000)
    asked = options.size(900, 300)
    rng = np.random.default_rng(options.seed)
    with postgres() as peer, TemporaryDirectory(prefix="befit-retrieval-") as folder:
        files = {people: Path(folder) / f"{people}.db" for people in (FEW_PEOPLE, many)}
        for people, path in files.items():
            _fill(path, people)
        peer.ask(do="load", people=many)
        miss, hit, few, theirs, texts = [], [], [], [], []
        for _ in range(options.rounds):
            drawn = [int(p) for p in rng.choice(many, asked, replace=False)]
            theirs.append(peer.ask(do="query", people=drawn)["us"])
            texts.append(peer.ask(do="query", people=drawn, as_text=True)["us"])
            cold, warm = _recall(files[many], drawn)
            miss.append(cold)
            hit.append(warm)
            some = [int(p) for p in rng.choice(FEW_PEOPLE, asked, replace=False)]
            few.append(_recall(files[FEW_PEOPLE], some)[0])
    unit = "us CPU a recall"
    seventh = 1.0 / LEAST_TIMES_UNDER_PGVECTOR
    return [
        compare("recall, 100k people x 10, new person each time", miss, theirs, unit=unit,
                against="pgvector exact, binary client", goal="at most 1/7", most=seventh),
        compare("recall, new person each time, beside a text client", miss, texts, unit=unit,
                against="pgvector exact, vectors as text", goal="at most 1/7", most=seventh),
        compare("recall, people seen before", hit, theirs, unit=unit,
                against="pgvector exact, binary client"),
        compare("recall, people seen before, beside a text client", hit, texts, unit=unit,
                against="pgvector exact, vectors as text"),
        compare("recall at 100k people beside 1k", miss, few, unit=unit, against="1k people",
                goal=f"at most {MOST_GROWTH}", most=MOST_GROWTH),
    ]  # fmt: skip


def _fill(path: Path, people: int) -> None:
    memory = SqliteMemory(path=path, encoder=HashedWords())
    for start in range(0, people, BATCH):
        memory.remember(
            item for p in range(start, min(start + BATCH, people)) for item in _items(p)
        )


def _items(person: int) -> list[Evidence]:
    return [
        Evidence(
            id=f"{person}-{i}",
            user=UserId(name_of(person)),
            kind=EvidenceKind.STATED,
            at=datetime(2026, 1, 1 + i, tzinfo=UTC),
            text=text,
        )
        for i, text in enumerate(texts_of(person))
    ]


def _recall(path: Path, people: Sequence[int]) -> tuple[float, float]:
    """CPU of a recall, microseconds: each person for the first time, and once more."""
    encoder = HashedWords()
    prompts = sorted({prompt_of(p) for p in people})
    encoder.known.update(zip(prompts, encoder.encode(prompts), strict=True))
    memory = SqliteMemory(path=path, encoder=encoder)
    contexts = [
        Context(user=UserId(name_of(p)), messages=(Message("user", prompt_of(p)),), at=AT, seed=0)
        for p in people
    ]
    spent = []
    for _ in range(2):
        began = process_time()
        for context in contexts:
            if not memory.recall(context).evidence:
                raise RuntimeError(f"nothing recalled of {context.user}")
        spent.append(1e6 * (process_time() - began) / len(contexts))
    return spent[0], spent[1]
