"""Attention of new tokens to all that came before: a row's own past, and a beginning it shares.

Rows that share a beginning ask it together. Each part gives its sum of weighted values, the sum of
its weights and its largest score, from which the softmax over both follows exactly.

Source: joining parts of a softmax, as in FlashAttention, Dao et al. 2022, arXiv:2205.14135;
beginnings stored once, Hydragen, Juravsky et al. 2024, arXiv:2402.05099.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from befit.generate.engine.rows import Prefix, Row
from befit.generate.engine.weights import Weights


class Past:
    """Where the rows of one pass stand.

    Args:
        rows: In slots side by side.
        new: New tokens of each.
        weights: Of the model.
    """

    def __init__(self, rows: Sequence[Row], new: int, weights: Weights) -> None:
        device = weights.embedding.device
        first = rows[0].slot
        lengths = [row.length for row in rows]
        self._new, self._weights = new, weights
        self._slots = slice(first, first + len(rows))
        self._end = max(lengths) + new
        self._level = lengths[0] if len(set(lengths)) == 1 else None
        starts = torch.tensor(lengths, device=device)
        steps = torch.arange(new, device=device)
        self._places = starts[:, None] + steps
        self._numbers = torch.arange(first, first + len(rows), device=device)[:, None]
        positions = torch.tensor([row.position for row in rows], device=device)[:, None] + steps
        angles = positions[..., None].float() * weights.frequencies
        scale, kind = weights.rotation_scale, weights.embedding.dtype
        self._cos = (angles.cos() * scale).to(kind)[:, :, None]
        self._sin = (angles.sin() * scale).to(kind)[:, :, None]
        self._mask = self._hidden(device)
        self._shared = _by_prefix(rows)

    def _hidden(self, device: torch.device) -> Tensor | None:
        """What a query must not hear, shape (n, 1, groups * new, end); None where it hears all."""
        if self._new == 1 and self._level is not None:
            return None
        late = torch.arange(self._end, device=device) > self._places[..., None]
        return late[:, None].repeat(1, self._weights.groups, 1, 1).flatten(1, 2)[:, None]

    def rotated(self, x: Tensor) -> Tensor:
        """Of (n, new, heads, head width), by each token's position."""
        one, other = x.chunk(2, dim=3)
        return torch.cat(
            [one * self._cos - other * self._sin, other * self._cos + one * self._sin], 3
        )

    def keep(self, keys: Tensor, new_keys: Tensor, values: Tensor, new_values: Tensor) -> None:
        """Write new keys (n, heads, width, new) and values (n, heads, new, width) into slots."""
        if self._level is not None:
            span = slice(self._level, self._level + self._new)
            keys[self._slots, :, :, span] = new_keys
            values[self._slots, :, span] = new_values
            return
        keys[self._numbers, :, :, self._places] = new_keys.permute(0, 3, 1, 2)
        values[self._numbers, :, self._places] = new_values.transpose(1, 2)

    def heard(self, asked: Tensor, keys: Tensor, values: Tensor, layer: int) -> Tensor:
        """What queries (n, heads, groups * new, width) hear, in the same shape."""
        own_keys = keys[self._slots, :, :, : self._end]
        own_values = values[self._slots, :, : self._end]
        scores = asked @ own_keys
        if self._mask is not None:
            scores.masked_fill_(self._mask, float("-inf"))
        if not self._shared:
            return torch.softmax(scores, dim=3) @ own_values
        total, weight, most = _summed(scores, own_values)
        for prefix, at in self._shared:
            part = _of_prefix(asked if at is None else asked[at], prefix, layer)
            own = (total, weight, most) if at is None else (total[at], weight[at], most[at])
            joined = _joined(own, part)
            if at is None:
                total, weight, most = joined
            else:
                total[at], weight[at], most[at] = joined
        return total / weight


Part = tuple[Tensor, Tensor, Tensor]  # weighted values, weights, largest score


def _summed(scores: Tensor, values: Tensor) -> Part:
    most = scores.amax(dim=-1, keepdim=True)
    powers = scores.sub_(most).exp_()
    return powers @ values, powers.sum(dim=-1, keepdim=True), most


def _of_prefix(asked: Tensor, prefix: Prefix, layer: int) -> Part:
    """All rows that share it as one product a head."""
    count, heads, queries, width = asked.shape
    together = asked.transpose(0, 1).reshape(heads, count * queries, width)
    parts = _summed(together @ prefix.keys[layer], prefix.values[layer])
    total, weight, most = (
        part.view(heads, count, queries, part.shape[2]).transpose(0, 1) for part in parts
    )
    return total, weight, most


def _joined(one: Part, other: Part) -> Part:
    most = torch.maximum(one[2], other[2])
    left, right = (one[2] - most).exp(), (other[2] - most).exp()
    return one[0] * left + other[0] * right, one[1] * left + other[1] * right, most


def _by_prefix(rows: Sequence[Row]) -> list[tuple[Prefix, Tensor | None]]:
    """Each beginning with the rows that share it; None stands for all of them."""
    found: dict[int, tuple[Prefix, list[int]]] = {}
    for at, row in enumerate(rows):
        if row.prefix is not None:
            found.setdefault(id(row.prefix), (row.prefix, []))[1].append(at)
    return [
        (prefix, None if len(at) == len(rows) else torch.tensor(at))
        for prefix, at in found.values()
    ]
