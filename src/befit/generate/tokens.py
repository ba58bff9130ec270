"""Token by token: one loop that decodes many rows at once, each with its own randomness.

Rows are padded on the left, leave the batch when they end, and draw from a generator of their own:
what a row says depends on its prompt and seed, not on its neighbours, but for the rounding of a
larger matrix product. Knows neither people nor prompts nor text.

Source: nucleus sampling, Holtzman et al. 2020 (arXiv:1904.09751), section 3.1; repetition penalty,
Keskar et al. 2019 (arXiv:1909.05858), section 4.1, over what the reply itself has said, so that a
prompt's words and the end token are not held back.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How the next token is drawn.

    Attributes:
        temperature: 0 takes the likeliest token; 1 draws as the model says.
        top_p: Draw from the likeliest tokens that hold this share, in (0, 1].
        repetition_penalty: Above 1, tokens that were said are less likely; 1 is off.
        max_new_tokens: The longest reply.
    """

    temperature: float
    top_p: float
    repetition_penalty: float
    max_new_tokens: int


def decode(
    model: Any,
    prompts: Sequence[Sequence[int]],
    seeds: Sequence[int],
    samplings: Sequence[Sampling],
    ends: frozenset[int],
) -> Iterator[list[tuple[int, int]]]:
    """Steps of (row, token) pairs, one for each row still speaking; an end token is not given.

    A row that reaches its ``max_new_tokens`` simply stops.

    Args:
        model: The model, in evaluation mode.
        prompts: Token ids of each row; none may be empty.
        seeds: One a row.
        samplings: How to draw, one a row.
        ends: Tokens that end a reply.
    """
    rows = list(range(len(prompts)))
    generators = [generator(seed) for seed in seeds]
    # rows with one prompt share its computation
    places = {prompt: i for i, prompt in enumerate(dict.fromkeys(map(tuple, prompts)))}
    ids, mask = padded(list(places), model.device)
    cache = DynamicCache(config=model.config)
    logits = _step(model, ids, mask, cache)
    spread = torch.tensor([places[tuple(prompt)] for prompt in prompts], device=model.device)
    cache.batch_select_indices(spread)
    logits, mask = logits[spread], mask[spread]
    seen = torch.zeros_like(logits, dtype=torch.bool)
    way = Way.of(samplings, model.device)
    for said in count(1):
        drawn = draw(penalised(logits, seen, way), generators, way)
        tokens: list[int] = drawn.tolist()
        speaking = [i for i, token in enumerate(tokens) if token not in ends]
        if speaking:
            yield [(rows[i], tokens[i]) for i in speaking]
        keep = [i for i in speaking if samplings[rows[i]].max_new_tokens > said]
        if not keep:
            return
        if len(keep) < len(rows):
            rows = [rows[i] for i in keep]
            way = Way.of([samplings[row] for row in rows], model.device)
            generators = [generators[i] for i in keep]
            chosen = torch.tensor(keep, device=model.device)
            cache.batch_select_indices(chosen)
            mask, seen, drawn = mask[chosen], seen[chosen], drawn[chosen]
        newest = drawn[:, None]
        seen.scatter_(1, newest, value=True)
        mask = torch.cat([mask, torch.ones_like(newest)], dim=1)
        logits = _step(model, newest, mask, cache)


def log_likelihoods(
    model: Any,
    prompts: Sequence[Sequence[int]],
    replies: Sequence[Sequence[int]],
) -> list[float]:
    """Mean log-likelihood of each reply's tokens after its prompt, in nats per token.

    0 for a reply without tokens. One batch: its size is the caller's choice.
    """
    longest = max((len(reply) for reply in replies), default=0)
    if not longest:
        return [0.0] * len(replies)
    joined = [[*prompt, *reply] for prompt, reply in zip(prompts, replies, strict=True)]
    ids, mask = padded(joined, model.device)
    with torch.inference_mode():
        logits = model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=_positions(mask),
            use_cache=False,
            logits_to_keep=longest + 1,
        ).logits[:, :-1]
        kept = ids[:, -longest:]
        picked = torch.gather(logits, 2, kept[..., None])[..., 0]
        nats = (picked - torch.logsumexp(logits, dim=2)).double()
    return [
        float(row[longest - len(reply) :].mean()) if reply else 0.0
        for row, reply in zip(nats, replies, strict=True)
    ]


def padded(rows: Sequence[Sequence[int]], device: Any) -> tuple[Tensor, Tensor]:
    """Token ids and mask, shape (rows, tokens), padded on the left."""
    longest = max(len(row) for row in rows)
    ids = [[0] * (longest - len(row)) + list(row) for row in rows]
    mask = [[0] * (longest - len(row)) + [1] * len(row) for row in rows]
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device)


def _positions(mask: Tensor) -> Tensor:
    return (mask.cumsum(dim=1) - 1).clamp(min=0)


@torch.inference_mode()
def _step(model: Any, newest: Tensor, mask: Tensor, cache: DynamicCache) -> Tensor:
    """The logits of what comes next, shape (rows, vocabulary); the cache grows in place."""
    logits: Tensor = model(
        input_ids=newest,
        attention_mask=mask,
        position_ids=_positions(mask)[:, -newest.shape[1] :],
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    ).logits
    return logits[:, -1].float()


@dataclass(frozen=True, slots=True)
class Way:
    """How each row of a batch draws; every tensor has the shape (rows, 1)."""

    temperature: Tensor
    top_p: Tensor
    penalty: Tensor
    any_penalty: bool
    any_chance: bool

    @classmethod
    def of(cls, samplings: Sequence[Sampling], device: Any) -> "Way":
        """From each row's own."""

        def column(values: Sequence[float]) -> Tensor:
            return torch.tensor(values, device=device)[:, None]

        return cls(
            column([s.temperature for s in samplings]),
            column([s.top_p for s in samplings]),
            column([s.repetition_penalty for s in samplings]),
            any(s.repetition_penalty != 1 for s in samplings),
            any(s.temperature > 0 for s in samplings),
        )


def generator(seed: int) -> torch.Generator:
    """The randomness of one row."""
    return torch.Generator().manual_seed(seed & (2**63 - 1))


def penalised(logits: Tensor, seen: Tensor, way: Way) -> Tensor:
    """Logits (rows, vocabulary), those of tokens that were ``seen`` lowered."""
    if not way.any_penalty:
        return logits
    less = torch.where(logits > 0, logits / way.penalty, logits * way.penalty)
    return torch.where(seen, less, logits)


def draw(logits: Tensor, generators: Sequence[torch.Generator], way: Way) -> Tensor:
    """One token a row, shape (rows,); ``logits`` is (rows, vocabulary)."""
    likeliest = logits.argmax(dim=1)
    if not way.any_chance:
        return likeliest
    certain = way.temperature == 0
    ranked, order = torch.sort(
        logits / way.temperature.masked_fill(certain, 1.0), dim=1, descending=True
    )
    shares = torch.softmax(ranked, dim=1)
    # a token stays while the likelier ones hold less than top_p; the likeliest always does
    shares[shares.cumsum(dim=1) - shares >= way.top_p] = 0.0
    places = [
        torch.multinomial(row.cpu(), 1, generator=generator)
        for row, generator in zip(shares, generators, strict=True)
    ]
    drawn = order.gather(1, torch.stack(places).to(order.device))[:, 0]
    return torch.where(certain[:, 0], likeliest, drawn)
