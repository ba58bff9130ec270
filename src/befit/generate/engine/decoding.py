"""Many requests at once, token by token: they join and leave between steps.

A request has one row or several that are blended into one distribution; each row takes what was
drawn from it. What a request says depends on its own prompts, blend and seed alone, but for the
rounding of a larger product. Knows neither people nor text.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from befit.core.errors import ModelError
from befit.generate.engine.blends import Blend, Weighted
from befit.generate.engine.engine import Engine, Prompt
from befit.generate.engine.rows import Row
from befit.generate.tokens import Sampling, Way, draw, generator, penalised


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What one answer is decoded from.

    Attributes:
        prompts: One a row; several may share a beginning.
        sampling: How to draw.
        seed: Of the drawing.
        blend: Of the rows.
    """

    prompts: tuple[Prompt, ...]
    sampling: Sampling
    seed: int = 0
    blend: Blend = field(default_factory=Weighted)


@dataclass(frozen=True, slots=True)
class Said:
    """One step of one request.

    Attributes:
        request: Its number, as `Decoding.join` gave it.
        token: What it said; None at an end token.
        ended: Whether it has left.
        failure: Why it had to, where it went wrong; nobody else did.
    """

    request: int
    token: int | None
    ended: bool
    failure: ModelError | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class _Speaker:
    """A request that is being decoded."""

    number: int
    request: Request
    rows: list[Row]
    random: torch.Generator
    seen: Tensor
    said: int = 0


class Decoding:
    """Requests over one engine. Not safe to use from two threads at once.

    Args:
        engine: Decodes the rows; nobody else may use it meanwhile.
        ends: Tokens that end an answer.
    """

    def __init__(self, engine: Engine, ends: frozenset[int]) -> None:
        self._engine, self._ends = engine, ends
        self._speakers: list[_Speaker] = []
        self._hidden: Tensor | None = None  # of every row, by slot; None where tokens wait
        self._waiting: dict[int, int] = {}  # request -> the token its rows have yet to take
        self._next = 0

    def __len__(self) -> int:
        return len(self._speakers)

    @torch.inference_mode()
    def join(self, requests: Sequence[Request]) -> list[int]:
        """Read the prompts of some requests; they speak from the next step on.

        Returns:
            Their numbers.

        Raises:
            InputError: A prompt is empty, or its adapter is not known. Nobody has joined then.
        """
        before = self._taken()
        prompts = [prompt for request in requests for prompt in request.prompts]
        rows, hidden = self._engine.open(prompts)
        self._hidden = hidden if before is None else torch.cat([before, hidden])
        left = iter(rows)
        vocabulary = len(self._engine.weights.head.plain)
        for request in requests:
            self._speakers.append(
                _Speaker(
                    number=self._next,
                    request=request,
                    rows=[next(left) for _ in request.prompts],
                    random=generator(request.seed),
                    seen=torch.zeros(vocabulary, dtype=torch.bool),
                )
            )
            self._next += 1
        return [speaker.number for speaker in self._speakers[-len(requests) :]]

    @torch.inference_mode()
    def leave(self, numbers: Sequence[int]) -> None:
        """Some requests are no longer wanted; those that have ended are passed over."""
        gone = [s for s in self._speakers if s.number in set(numbers)]
        self._close(gone)

    @torch.inference_mode()
    def clear(self) -> None:
        """Everybody leaves: what they had taken cannot be trusted after a failure."""
        self._waiting.clear()
        self._close(list(self._speakers))

    @torch.inference_mode()
    def step(self) -> list[Said]:
        """One token of each request that is left."""
        self._hidden = self._taken()
        if self._hidden is None:
            return []
        scores = self._scores(self._hidden)
        whole = [_can_be_drawn(row) for row in scores]
        speaking = [s for s, fine in zip(self._speakers, whole, strict=True) if fine]
        left = [row for row, fine in zip(scores, whole, strict=True) if fine]
        found = [
            Said(speaker.number, None, ended=True, failure=_failure())
            for speaker, fine in zip(self._speakers, whole, strict=True)
            if not fine
        ]
        for speaker, token in zip(speaking, self._drawn(speaking, left), strict=True):
            speaker.said += 1
            stops = token in self._ends
            over = stops or speaker.said >= speaker.request.sampling.max_new_tokens
            found.append(Said(speaker.number, None if stops else token, over))
            if not over:
                speaker.seen[token] = True
                self._waiting[speaker.number] = token
        ended = {said.request for said in found if said.ended}
        self._close([s for s in self._speakers if s.number in ended])
        return found

    def _taken(self) -> Tensor | None:
        """Hidden states of all rows, once each has taken what was drawn."""
        if not self._waiting:
            return self._hidden
        token_of = {
            id(row): self._waiting[speaker.number]
            for speaker in self._speakers
            for row in speaker.rows
        }
        tokens = torch.tensor([token_of[id(row)] for row in self._engine.rows])
        self._hidden = self._engine.step(tokens.to(self._engine.weights.embedding.device))
        self._waiting = {}
        return self._hidden

    def _close(self, gone: Sequence[_Speaker]) -> None:
        if not gone:
            return
        place = {id(row): at for at, row in enumerate(self._engine.rows)}
        self._engine.close([row for speaker in gone for row in speaker.rows])
        leaving = {speaker.number for speaker in gone}
        self._speakers = [s for s in self._speakers if s.number not in leaving]
        self._waiting = {n: t for n, t in self._waiting.items() if n not in leaving}
        if self._hidden is not None:
            left = [place[id(row)] for row in self._engine.rows]
            self._hidden = self._hidden[left] if left else None

    def _scores(self, hidden: Tensor) -> list[Tensor]:
        """What each request thinks of every token, shape (vocabulary,) each."""
        inputs, spans = [], []
        for speaker in self._speakers:
            own = hidden[[row.slot for row in speaker.rows]]
            weights = speaker.request.blend.weights
            # a sum of logits is the logits of a sum: one row of the largest matrix is enough
            rows = own if weights is None else own.new_tensor(weights)[None] @ own
            inputs.append(rows)
            spans.append(len(rows))
        logits = self._engine.logits(torch.cat(inputs)).float()
        return [
            part[0] if speaker.request.blend.weights is not None
            else speaker.request.blend.combine(part)
            for speaker, part in zip(self._speakers, torch.split(logits, spans), strict=True)
        ]  # fmt: skip

    def _drawn(self, speakers: Sequence[_Speaker], scores: Sequence[Tensor]) -> list[int]:
        if not speakers:
            return []
        stacked = torch.stack(list(scores))
        way = Way.of([s.request.sampling for s in speakers], stacked.device)
        seen = torch.stack([s.seen for s in speakers]).to(stacked.device)
        left = penalised(stacked, seen, way)
        tokens: list[int] = draw(left, [s.random for s in speakers], way).tolist()
        return tokens


def _can_be_drawn(scores: Tensor) -> bool:
    """Whether they are numbers, and something may be said."""
    return not bool(torch.isnan(scores).any()) and bool((scores > float("-inf")).any())


def _failure() -> ModelError:
    return ModelError(
        "the logits of an answer are no numbers",
        hint="lower the coefficients of the blend, or check the model and the adapter",
        field="blend",
    )
