"""A personalised paced stream through `befit serve`, and LiteLLM's proxy without personalisation.

Neither runs an encoder's network: memory's vectors come from `speed.words`, the guards are rules.
What the default encoder costs, cold and from its cache, stands in rows of its own.
"""

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from unittest.mock import patch

from speed.gateways import Gateway, befit_gateway, cpu_us, litellm_gateway, loader, upstream
from speed.measure import Options, Row, compare, limit
from speed.measure import cpu_us as own_cpu_us
from speed.words import name_of, prompt_of, texts_of

import befit
from befit.features.cached_encoder import CachedEncoder
from befit.features.encoder import MiniLM
from befit.memory.spaces import load_space

LEAST_TIMES_UNDER_LITELLM = 40.0
MISS_US, HIT_US = 300.0, 100.0
OFF = {"x-befit-personalize": "off"}
PERSONAL = "x-befit-personalized: true"
GENERIC = "x-befit-personalized: false"


def run(options: Options) -> list[Row]:
    return [*_gateways(options), *_encoder(options)]


def _gateways(options: Options) -> list[Row]:
    each, theirs = options.size(1500, 100), options.size(60, 10)
    known = 32
    rounds: dict[str, list[float]] = {name: [] for name in ("miss", "hit", "off", "litellm")}
    waits: dict[str, list[float]] = {name: [] for name in rounds}
    with upstream() as url, loader() as load, befit_gateway(url) as ours:
        _fill(ours, (options.rounds + 1) * each + known)
        with litellm_gateway(url) as peer:
            people = iter(range(known, known + (options.rounds + 1) * each))
            for number in range(options.rounds + 1):
                fresh = [name_of(next(people)) for _ in range(each)]
                again = [name_of(i % known) for i in range(each)]
                turns: tuple[tuple[str, Gateway, list[str], dict[str, str], str], ...] = (
                    ("litellm", peer, again[:theirs], {}, ""),
                    ("off", ours, again, OFF, GENERIC),
                    ("miss", ours, fresh, {}, PERSONAL),
                    ("hit", ours, again, {}, PERSONAL),
                )
                for name, gateway, users, headers, mark in turns:
                    spent, seen = cpu_us(load, gateway, users, headers=headers, mark=mark)
                    if number:  # the first round warms both up
                        rounds[name].append(spent)
                        waits[name].append(seen["p50_ms"])
    return _rows(rounds, waits)


def _rows(rounds: dict[str, list[float]], waits: dict[str, list[float]]) -> list[Row]:
    unit = "us CPU a stream"
    least = 1.0 / LEAST_TIMES_UNDER_LITELLM

    def above(name: str) -> list[float]:
        return [a - b for a, b in zip(rounds[name], rounds["off"], strict=True)]

    litellm = "LiteLLM proxy, not personal"
    return [
        compare("personal stream, new person each time", rounds["miss"], rounds["litellm"],
                unit=unit, against=litellm, goal="at most 1/40", most=least),
        compare("personal stream, people seen before", rounds["hit"], rounds["litellm"],
                unit=unit, against=litellm, goal="at most 1/40", most=least),
        compare("stream with personalization off", rounds["off"], rounds["litellm"],
                unit=unit, against=litellm),
        limit("personalization adds, store miss", above("miss"), unit=unit, most=MISS_US),
        limit("personalization adds, store hit", above("hit"), unit=unit, most=HIT_US),
        compare("personal stream, median wait at 32 connections", waits["miss"], waits["litellm"],
                unit="ms wall", against=litellm),
    ]  # fmt: skip


def _fill(gateway: Gateway, people: int) -> None:
    """Ten memories for each person, through the library, into the store that the server reads."""
    with patch.dict(os.environ, {"BEFIT_CONFIG": str(gateway.config)}):
        cycle = befit.build_cycle(befit.load_settings())
    dimensions = [d.name for d in load_space("style").dimensions if not d.universal]
    for start in range(0, people, 500):
        cycle.remember(
            evidence
            for person in range(start, min(start + 500, people))
            for evidence in memories(person, dimensions)
        )


def memories(person: int, dimensions: Sequence[str]) -> list[befit.Evidence]:
    """Ten dated statements of one person, each about one dimension."""
    return [
        befit.Evidence(
            id=f"{name_of(person)}-{i}",
            user=befit.UserId(name_of(person)),
            kind=befit.EvidenceKind.STATED,
            at=datetime(2026, 1, 1 + i, tzinfo=UTC),
            text=text,
            values={dimensions[(person + 3 * i) % len(dimensions)]: 0.8 if i % 2 else -0.8},
        )
        for i, text in enumerate(texts_of(person))
    ]


def _encoder(options: Options) -> list[Row]:
    """A prompt of twenty words never seen before, and one seen before."""
    encoder = CachedEncoder(encoder=MiniLM())
    times = options.size(30, 5)
    encoder.encode([prompt_of(0)])
    cold, cached = [], []
    for number in range(options.rounds):
        new = ([f"{prompt_of(i)} {number} {i}"] for i in range(times))
        cold.append(own_cpu_us(partial(_encode_next, encoder, new), times))
        cached.append(own_cpu_us(partial(encoder.encode, [prompt_of(0)]), 50 * times))
    return [
        limit("encoder, a new prompt of 20 words", cold, unit="us CPU", note="MiniLM in numpy"),
        compare("encoder, a prompt seen before", cached, cold, unit="us CPU", against="new prompt"),
    ]


def _encode_next(encoder: CachedEncoder, prompts: Iterator[list[str]]) -> None:
    encoder.encode(next(prompts))
