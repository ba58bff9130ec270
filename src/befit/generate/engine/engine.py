"""One forward pass of many rows at once, each with its own past and its own adapter.

Rows join with their prompts and leave when they end; in between every row takes one token a step,
or several that were guessed. What a row says depends on its own tokens and adapter alone, but for
the rounding of a larger product. Chooses no token.

Source: Vaswani et al. 2017; grouped queries, arXiv:2305.13245; rotation, arXiv:2104.09864; a shared
beginning joined with what follows by its softmax sums, as in FlashAttention, arXiv:2205.14135.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import rms_norm, silu

from befit.core.errors import InputError
from befit.generate.engine.adapters import Adapter, Gathered
from befit.generate.engine.past import Past
from befit.generate.engine.rows import Prefix, Prefixes, Row, Slots
from befit.generate.engine.weights import Weights

LEAST_SHARED = 16  # tokens that a beginning must have to be stored apart
_PREFIX_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What a row starts with.

    Attributes:
        ids: Its tokens; at least one.
        adapter: Name of its adapter, which the engine was given before; "" is none.
    """

    ids: tuple[int, ...]
    adapter: str = ""


class Engine:
    """Decodes rows over one set of weights. Not safe to use from two threads at once.

    Args:
        weights: Of the model.
        prefix_bytes: What beginnings that several prompts share may take.
    """

    def __init__(self, weights: Weights, *, prefix_bytes: int = _PREFIX_BYTES) -> None:
        self.weights = weights
        self.adapters: dict[str, Adapter] = {}
        self.prefixes = Prefixes(most_bytes=prefix_bytes)
        self._slots = Slots(weights)
        self._gathered: Gathered | None = None

    @property
    def rows(self) -> Sequence[Row]:
        """Those being decoded, by slot; what `step` takes and gives is in this order."""
        return self._slots.rows

    def register(self, adapter: Adapter) -> None:
        """Have an adapter to hand; one of the same name is replaced, and what was read with it."""
        if adapter.name in self.adapters:
            self.forget(adapter.name)
        self.adapters[adapter.name] = adapter

    def forget(self, adapter: str) -> None:
        """Let go of an adapter, and of what was read under it.

        Raises:
            InputError: A row is being decoded with it.
        """
        if any(row.adapter == adapter for row in self.rows):
            raise InputError(
                f"the adapter {adapter} is in use", hint="close its rows first", field="adapter"
            )
        self.adapters.pop(adapter, None)
        self.prefixes.forget(adapter)

    @torch.inference_mode()
    def open(self, prompts: Sequence[Prompt]) -> tuple[list[Row], Tensor]:
        """Read some prompts; their rows join.

        What several of them begin with, under one adapter, is read once and stored once.

        Returns:
            The rows, and the hidden state of the last token of each, shape (n, width).

        Raises:
            InputError: A prompt is empty, or its adapter is not known.
        """
        self._check(prompts)
        found: list[Row] = []
        hidden = []
        shared = self._shared(prompts)
        self._slots.reserve(
            len(self.rows) + len(prompts),
            max(len(p.ids) - (len(s) if s else 0) for p, s in zip(prompts, shared, strict=True)),
        )
        for prompt, prefix in zip(prompts, shared, strict=True):
            row = Row(slot=len(self.rows), length=0, prefix=prefix, adapter=prompt.adapter)
            self._slots.add(row)
            rest = prompt.ids[len(prefix) if prefix else 0 :]
            try:
                states = self._extend([row], torch.tensor([rest]))
            except RuntimeError:
                self.close([*found, row])  # all of them or none
                raise
            row.length = len(rest)
            found.append(row)
            hidden.append(states[0, -1])
        self._gathered = None
        return found, torch.stack(hidden)

    @torch.inference_mode()
    def step(self, tokens: Tensor) -> Tensor:
        """Each row takes its tokens.

        Args:
            tokens: Shape (rows,), or (rows, m) of several.

        Returns:
            Hidden states after each, shape (rows, width) or (rows, m, width).
        """
        block = tokens[:, None] if tokens.dim() == 1 else tokens
        rows = self._slots.rows
        self._slots.reserve(len(rows), max(row.length for row in rows) + block.shape[1])
        states = self._extend(rows, block)
        for row in rows:
            row.length += block.shape[1]
        return states[:, 0] if tokens.dim() == 1 else states

    def back(self, row: Row, tokens: int) -> None:
        """Take back the last tokens of a row: guesses that were wrong.

        Raises:
            InputError: It has not taken so many.
        """
        if not 0 <= tokens <= row.length:
            raise InputError(f"a row of {row.length} tokens cannot lose {tokens}", field="tokens")
        row.length -= tokens

    @torch.inference_mode()
    def close(self, rows: Sequence[Row]) -> None:
        """Rows leave; the slots of others may change."""
        self._slots.remove(rows)
        self._gathered = None

    @torch.inference_mode()
    def logits(self, hidden: Tensor) -> Tensor:
        """Of hidden states (n, width), shape (n, vocabulary)."""
        return self.weights.head(hidden)

    def _check(self, prompts: Sequence[Prompt]) -> None:
        for prompt in prompts:
            if not prompt.ids:
                raise InputError("a prompt has no tokens", hint="give one", field="ids")
            if prompt.adapter and prompt.adapter not in self.adapters:
                raise InputError(
                    f"there is no adapter {prompt.adapter!r}",
                    hint="register it first", field="adapter",
                )  # fmt: skip

    def _shared(self, prompts: Sequence[Prompt]) -> list[Prefix | None]:
        """The stored beginning of each prompt, less than all of it; made where several share it."""
        for adapter, group in _by_adapter(prompts).items():
            common = _common(group)
            known = self.prefixes.longest(common, adapter) if common else None
            if len(common) >= LEAST_SHARED and (known is None or len(known) < len(common)):
                self.prefixes.keep(self._read(common, adapter))
        return [self.prefixes.longest(p.ids[:-1], p.adapter) for p in prompts]

    def _read(self, ids: tuple[int, ...], adapter: str) -> Prefix:
        """The keys and values of a beginning."""
        known = self.prefixes.longest(ids, adapter)
        row = Row(slot=len(self.rows), length=0, prefix=known, adapter=adapter)
        rest = ids[len(known) if known else 0 :]
        self._slots.reserve(len(self.rows) + 1, len(rest))
        self._slots.add(row)
        self._extend([row], torch.tensor([rest]))
        self._slots.remove([row])
        keys, values = [], []
        for layer in range(len(self.weights.layers)):
            own = self._slots.keys[layer][row.slot, :, :, : len(rest)]
            said = self._slots.values[layer][row.slot, :, : len(rest)]
            keys.append(torch.cat([known.keys[layer], own], 2) if known else own.clone())
            values.append(torch.cat([known.values[layer], said], 1) if known else said.clone())
        return Prefix(ids=ids, adapter=adapter, keys=tuple(keys), values=tuple(values))

    def _extend(self, rows: Sequence[Row], tokens: Tensor) -> Tensor:
        """Hidden states of new tokens (n, m) of rows that stand side by side, (n, m, width)."""
        w = self.weights
        count, new = tokens.shape
        past = Past(rows, new, w)
        adapters = self._adapters(rows)
        x = w.embedding[tokens].view(count * new, w.width)
        for number, layer in enumerate(w.layers):
            seen = rms_norm(x, (w.width,), layer.before, w.epsilon)
            mixed = layer.attend(seen)
            adapters.add((number, "attend"), seen, mixed, new)
            heard = self._attend(mixed.view(count, new, -1), past, number)
            told = layer.out(heard)
            adapters.add((number, "out"), heard, told, new)
            x = x + told
            seen = rms_norm(x, (w.width,), layer.between, w.epsilon)
            both = layer.gate_up(seen)
            adapters.add((number, "gate_up"), seen, both, new)
            gate, up = both.chunk(2, dim=1)
            inside = silu(gate).mul_(up)
            told = layer.down(inside)
            adapters.add((number, "down"), inside, told, new)
            x = x + told
        return rms_norm(x, (w.width,), w.last, w.epsilon).view(count, new, w.width)

    def _adapters(self, rows: Sequence[Row]) -> Gathered:
        if len(rows) != len(self.rows):
            return Gathered.of([self.adapters.get(row.adapter) for row in rows])
        if self._gathered is None:
            self._gathered = Gathered.of([self.adapters.get(row.adapter) for row in rows])
        return self._gathered

    def _attend(self, mixed: Tensor, past: Past, layer: int) -> Tensor:
        """What the rows hear, shape (n * m, heads * head width); their keys and values are kept."""
        w = self.weights
        count, new, _ = mixed.shape
        queries = w.heads * w.head_width
        keys = w.key_heads * w.head_width
        q, k, v = torch.split(mixed, [queries, keys, keys], dim=2)
        q = past.rotated(q.view(count, new, w.heads, w.head_width)) * w.head_width**-0.5
        k = past.rotated(k.view(count, new, w.key_heads, w.head_width))
        v = v.view(count, new, w.key_heads, w.head_width)
        own_keys, own_values = self._slots.keys[layer], self._slots.values[layer]
        past.keep(own_keys, k.permute(0, 2, 3, 1), own_values, v.transpose(1, 2))
        # the queries of one head of keys together: (n, key heads, groups * m, head width)
        asked = q.view(count, new, w.key_heads, w.groups, w.head_width).permute(0, 2, 3, 1, 4)
        asked = asked.reshape(count, w.key_heads, w.groups * new, w.head_width)
        heard = past.heard(asked, own_keys, own_values, layer)
        heard = heard.view(count, w.key_heads, w.groups, new, w.head_width).permute(0, 3, 1, 2, 4)
        return heard.reshape(count * new, queries)


def _by_adapter(prompts: Sequence[Prompt]) -> dict[str, list[tuple[int, ...]]]:
    found: dict[str, list[tuple[int, ...]]] = {}
    for prompt in prompts:
        found.setdefault(prompt.adapter, []).append(prompt.ids)
    return found


def _common(prompts: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """What all of several prompts begin with, at least one token short of each."""
    if len(prompts) < 2:
        return ()
    shortest, longest = min(prompts), max(prompts)
    most = min(map(len, prompts)) - 1
    at = next((i for i in range(most) if shortest[i] != longest[i]), most)
    return shortest[:at]
