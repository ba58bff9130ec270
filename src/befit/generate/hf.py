"""A transformers model in this process: many people in one batch, sampling, streaming, likelihood.

It loads on first use, once per process, from the embedded catalogue, a transformers folder or a
GGUF file. Prompts come from ``generate.rendering`` alone. What is typed as text stays text: control
tokens of the model inside a message are dropped, so that nobody can forge a turn. Adapters are not
applied here.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import torch
from jinja2 import TemplateError
from tokenizers.decoders import DecodeStream

from befit.core.dialogue import Conditioning, Context, Draft, Message
from befit.core.errors import InvalidPromptError, ModelRejectedError
from befit.generate.engine.decoding import Request
from befit.generate.engine.engine import Engine, Prompt
from befit.generate.engine.service import Service
from befit.generate.engine.weights import Weights, fits
from befit.generate.rendering import render
from befit.generate.tokens import Sampling, decode, log_likelihoods
from befit.models.catalogue import placement
from befit.models.causal import CausalModel, batches, causal

_SCORED_AT_ONCE = 2048  # tokens of one likelihood batch, padding included


@dataclass(frozen=True, slots=True, kw_only=True)
class HfPolicy:
    """A local language model. Draft i of a context draws with seed (context.seed, i).

    Attributes:
        model: A name in the catalogue, a transformers folder, or a ``.gguf`` file.
        device: Where it runs: "cpu", "cuda".
        threads: Processor threads of the whole process's tensor work; 0 leaves torch's choice.
        max_new_tokens: The longest reply, in tokens.
        temperature: 0 takes the likeliest token, and all n drafts are then equal.
        top_p: Share of the likelier tokens to draw from, in (0, 1].
        repetition_penalty: Above 1, what was said is less likely to be said again.
        place: Where prompts put what is known of the person (`rendering.Place`); "" is where the
            catalogue says that the model heeds it, and "one_system" for any other model.
    """

    model: str = "smollm2-135m-instruct"
    device: str = "cpu"
    threads: int = 0
    max_new_tokens: int = 256
    temperature: float = 0.7
    top_p: float = 0.9
    repetition_penalty: float = 1.1
    place: Literal["", "one_system", "turn"] = ""

    def generate(self, context: Context, conditioning: Conditioning, n: int) -> Sequence[Draft]:
        """``n`` drafts, unordered, as one batch.

        Raises:
            InvalidPromptError: The last turn does not fit the model's context.
            ModelFileError: The model cannot be loaded.
        """
        if n == 0:
            return ()
        prompt = self._prompt(context, conditioning)
        rows = [(prompt, _seed(context, row), self._sampling(context)) for row in range(n)]
        return self._drafts(rows)

    def generate_batch(self, requests: Sequence[tuple[Context, Conditioning]]) -> Sequence[Draft]:
        """One draft for each person, in order, as one batch.

        Raises:
            InvalidPromptError: A last turn does not fit the model's context.
            ModelFileError: The model cannot be loaded.
        """
        if not requests:
            return ()
        return self._drafts(
            [
                (self._prompt(context, conditioning), _seed(context, 0), self._sampling(context))
                for context, conditioning in requests
            ]
        )

    async def stream(self, context: Context, conditioning: Conditioning) -> AsyncIterator[str]:
        """The text of draft 0, piece by piece; the model stops when the consumer leaves.

        Raises:
            InvalidPromptError: The last turn does not fit the model's context.
            ModelFileError: The model cannot be loaded.
        """
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[str | None] = asyncio.Queue()
        gone = threading.Event()

        def work() -> None:
            try:
                for piece in self._pieces(context, conditioning):
                    if gone.is_set():
                        return
                    loop.call_soon_threadsafe(pieces.put_nowait, piece)
            finally:
                if not gone.is_set():
                    loop.call_soon_threadsafe(pieces.put_nowait, None)

        working = loop.run_in_executor(None, work)
        try:
            while (piece := await pieces.get()) is not None:
                yield piece
            await working
        finally:
            gone.set()

    def log_likelihood(self, context: Context, conditioning: Conditioning, text: str) -> float:
        """How likely the model finds this reply: mean nats per token, at most 0.

        Raises:
            InvalidPromptError: Prompt and reply do not fit the model's context.
            ModelFileError: The model cannot be loaded.
        """
        return self.log_likelihoods([(context, conditioning, text)])[0]

    def log_likelihoods(self, rows: Sequence[tuple[Context, Conditioning, str]]) -> list[float]:
        """`log_likelihood` of many replies, in order, in batches of like length.

        Raises:
            InvalidPromptError: A prompt and reply do not fit the model's context.
            ModelFileError: The model cannot be loaded.
        """
        if not rows:
            return []
        loaded = self._loaded()
        replies = [loaded.ids(loaded.plain(text)) for _, _, text in rows]
        prompts = [
            self._prompt(context, conditioning, room=len(reply))
            for (context, conditioning, _), reply in zip(rows, replies, strict=True)
        ]
        sizes = [len(p) + len(r) for p, r in zip(prompts, replies, strict=True)]
        found = [0.0] * len(rows)
        for batch in batches(sizes, _SCORED_AT_ONCE):
            nats = log_likelihoods(
                loaded.own.model, [prompts[row] for row in batch], [replies[row] for row in batch]
            )
            for row, value in zip(batch, nats, strict=True):
                found[row] = value
        return found

    def _loaded(self) -> "_Speaker":
        if self.threads and torch.get_num_threads() != self.threads:
            torch.set_num_threads(self.threads)
        return _Speaker(own=causal(self.model, device=self.device))

    def _sampling(self, context: Context) -> Sampling:
        """The policy's own way, with what the caller wants; never longer than the policy allows."""
        asked, wanted = context.temperature, context.max_tokens or self.max_new_tokens
        return Sampling(
            temperature=self.temperature if asked is None else asked,
            top_p=self.top_p,
            repetition_penalty=self.repetition_penalty,
            max_new_tokens=min(wanted, self.max_new_tokens),
        )

    def _prompt(
        self, context: Context, conditioning: Conditioning, room: int | None = None
    ) -> list[int]:
        """Token ids, without the oldest turns where all do not fit; system text always stays."""
        loaded, place = self._loaded(), self.place or placement(self.model)
        limit = loaded.own.context - (self.max_new_tokens if room is None else room)
        turns = [m for m in context.messages if m.role != "system"]
        starts = [i for i, turn in enumerate(turns) if turn.role == "user"] or [0]
        starts[0] = 0

        def ids_from(start: int) -> list[int]:
            kept = _without_oldest(context.messages, start)
            return loaded.chat_ids(render(kept, conditioning, place=place))

        low, high = 0, len(starts) - 1  # the earliest start that fits, by halving
        if len(ids := ids_from(0)) <= limit:
            return ids
        while low < high:
            middle = (low + high) // 2
            low, high = (
                (low, middle) if len(ids_from(starts[middle])) <= limit else (middle + 1, high)
            )
        if len(ids := ids_from(starts[low])) > limit:
            raise InvalidPromptError(
                f"the prompt takes {len(ids)} tokens, and {self.model} has room for {limit}",
                hint="shorten the last message or the system text, or lower max_new_tokens",
                field="messages",
            )
        return ids

    def _drafts(self, rows: Sequence[tuple[list[int], int, Sampling]]) -> tuple[Draft, ...]:
        loaded = self._loaded()
        prompts, seeds, samplings = zip(*rows, strict=True)
        replies = loaded.replies(prompts, seeds, samplings)
        return tuple(
            Draft(
                text="".join(loaded.pieces(iter(reply))),
                policy=f"hf:{self.model}",
                finish="length" if len(reply) >= sampling.max_new_tokens else "stop",
            )
            for reply, sampling in zip(replies, samplings, strict=True)
        )

    def _pieces(self, context: Context, conditioning: Conditioning) -> Iterator[str]:
        loaded = self._loaded()
        tokens = loaded.tokens(
            self._prompt(context, conditioning), _seed(context, 0), self._sampling(context)
        )
        # one piece a step, even an empty one: between two the consumer may leave
        yield from loaded.pieces(tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Speaker:
    """A loaded model, its texts as tokens and back."""

    own: CausalModel

    def replies(
        self,
        prompts: Sequence[list[int]],
        seeds: Sequence[int],
        samplings: Sequence[Sampling],
    ) -> list[list[int]]:
        """The tokens of each row's reply, decoded together with whoever else asks."""
        service = _service(self.own)
        if service is not None:
            answers = service.ask(list(map(_request, prompts, seeds, samplings)))
            return [list(answer) for answer in answers]
        found: list[list[int]] = [[] for _ in prompts]
        for step in decode(self.own.model, prompts, seeds, samplings, self.own.ends):
            for row, token in step:
                found[row].append(token)
        return found

    def tokens(self, prompt: list[int], seed: int, sampling: Sampling) -> Iterator[int]:
        """One reply as it comes; whoever stops reading ends it."""
        service = _service(self.own)
        if service is None:
            steps = decode(self.own.model, [prompt], [seed], [sampling], self.own.ends)
            yield from (step[0][1] for step in steps)
            return
        [answer] = service.ask([_request(prompt, seed, sampling)])
        try:
            yield from answer
        finally:
            answer.leave()

    def plain(self, text: str) -> str:
        """The text without anything that the tokenizer would read as a control token."""
        before = ""
        while before != text:  # what remains may spell one again
            before = text
            for token in self.own.tokenizer.all_special_tokens:
                text = text.replace(token, "")
        return text

    def ids(self, text: str) -> list[int]:
        """Token ids of plain text."""
        read = self.own.tokenizer(text, add_special_tokens=False, verbose=False)
        found: list[int] = read.input_ids
        return found

    def chat_ids(self, messages: Sequence[Message]) -> list[int]:
        """Token ids of a conversation, up to where the model answers."""
        chat = [{"role": m.role, "content": self.plain(m.text)} for m in messages]
        if self.own.tokenizer.chat_template is None:
            said = "\n\n".join(turn["content"] for turn in chat)
            return self.ids(f"{said}\n\n") or list(self.own.ends)
        refused: TemplateError | None = None
        for shape in (chat, _folded(chat)):
            try:
                return self._templated(shape)
            except TemplateError as error:
                refused = error
        raise ModelRejectedError(
            f"the model's chat template refuses this conversation: {refused}",
            hint="most templates want user and assistant turns in alternation, a user's last",
            field="messages",
        ) from refused

    def _templated(self, chat: Sequence[dict[str, str]]) -> list[int]:
        template = self.own.tokenizer.apply_chat_template
        return self.ids(template(chat, tokenize=False, add_generation_prompt=True))

    def pieces(self, tokens: Iterator[int]) -> Iterator[str]:
        """Text as far as each token completes it; "" while a character is cut in two."""
        stream = DecodeStream(skip_special_tokens=True)
        for token in tokens:
            yield stream.step(self.own.tokenizer.backend_tokenizer, token) or ""


def _request(prompt: list[int], seed: int, sampling: Sampling) -> Request:
    return Request(prompts=(Prompt(ids=tuple(prompt)),), seed=seed, sampling=sampling)


@lru_cache(maxsize=2)
def _service(loaded: CausalModel) -> Service | None:
    """Who decodes for everyone in this process; None for a model that transformers decodes."""
    if not fits(loaded.model):
        return None
    return Service(Engine(Weights.of(loaded.model)), loaded.ends)


def _folded(chat: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """For templates without a system role: its text opens the first turn."""
    texts = [turn["content"] for turn in chat if turn["role"] == "system"]
    turns = [turn for turn in chat if turn["role"] != "system"]
    if not turns:
        return [{"role": "user", "content": "\n\n".join(texts)}]
    opening = "\n\n".join([*texts, turns[0]["content"]])
    return [{**turns[0], "content": opening}, *turns[1:]]


def _without_oldest(messages: Sequence[Message], count: int) -> tuple[Message, ...]:
    """The messages without the first ``count`` turns; system text is no turn."""
    kept = []
    for message in messages:
        if message.role != "system" and count:
            count -= 1
        else:
            kept.append(message)
    return tuple(kept)


def _seed(context: Context, row: int) -> int:
    return context.seed * 1_000_003 + row
