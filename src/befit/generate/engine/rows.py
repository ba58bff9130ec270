"""Keys and values of the rows that are being decoded: one slot a row, beginnings stored once.

Keys lie with time last, so that a product with a query reads them in order. A row's beginning may
be a `Prefix` that it shares with others; only what follows stands in its slot. When a row leaves,
the last one moves into its slot, so that those in use stay side by side.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import Tensor

from befit.generate.engine.weights import Weights

_ROOM = 128  # tokens by which slots grow


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prefix:
    """The beginning of a prompt under one adapter.

    Attributes:
        ids: Its tokens.
        adapter: Under which adapter it was read; "" is none.
        keys: By layer, shape (key heads, head width, tokens).
        values: By layer, shape (key heads, tokens, head width).
    """

    ids: tuple[int, ...]
    adapter: str
    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def bytes(self) -> int:
        """What it takes."""
        return sum(each.nbytes for each in (*self.keys, *self.values))


@dataclass(slots=True, kw_only=True, eq=False)
class Row:
    """One sequence that is being decoded.

    Attributes:
        slot: Where its keys and values stand; changes when others leave.
        length: Tokens in the slot.
        prefix: What stands before them.
        adapter: Its adapter; "" is none.
    """

    slot: int
    length: int
    prefix: Prefix | None
    adapter: str

    @property
    def position(self) -> int:
        """Of the next token."""
        return self.length + (len(self.prefix) if self.prefix else 0)


class Slots:
    """Room for rows.

    Args:
        weights: Whose keys and values.
    """

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self.rows: list[Row] = []
        self.keys: list[Tensor] = []
        self.values: list[Tensor] = []
        self._grow(0, 0)

    def reserve(self, rows: int, tokens: int) -> None:
        """Have room for so many rows of so many tokens."""
        slots, room = self.keys[0].shape[0], self.keys[0].shape[3]
        if rows > slots or tokens > room:
            wanted = -(-max(tokens, room) // _ROOM) * _ROOM
            self._grow(max(rows, slots if rows <= slots else 2 * slots), wanted)

    def add(self, row: Row) -> None:
        """A row whose slot is the first free one."""
        self.rows.append(row)

    def remove(self, gone: Sequence[Row]) -> None:
        """Rows that end; those behind them move up."""
        for row in sorted(gone, key=lambda each: -each.slot):
            last = self.rows.pop()
            if last is row:
                continue
            for layer in (*self.keys, *self.values):
                layer[row.slot].copy_(layer[last.slot])
            last.slot = row.slot
            self.rows[row.slot] = last

    def _grow(self, slots: int, tokens: int) -> None:
        w = self._weights
        old_keys, old_values = self.keys, self.values
        shape = (slots, w.key_heads)
        self.keys = [w.embedding.new_zeros(*shape, w.head_width, tokens) for _ in w.layers]
        self.values = [w.embedding.new_zeros(*shape, tokens, w.head_width) for _ in w.layers]
        used = len(self.rows)
        for layer, old in enumerate(old_keys):
            self.keys[layer][:used, :, :, : old.shape[3]] = old[:used]
            self.values[layer][:used, :, : old.shape[3]] = old_values[layer][:used]


@dataclass(slots=True, kw_only=True)
class Prefixes:
    """Beginnings that were read before, those used longest ago dropped first.

    Attributes:
        most_bytes: That they may take together.
    """

    most_bytes: int
    _known: "OrderedDict[tuple[str, tuple[int, ...]], Prefix]" = field(
        default_factory=OrderedDict, repr=False
    )

    def longest(self, ids: Sequence[int], adapter: str) -> Prefix | None:
        """The longest that these tokens begin with, under that adapter."""
        best: Prefix | None = None
        for (under, known), prefix in self._known.items():
            longer = best is None or len(known) > len(best)
            if under == adapter and longer and tuple(ids[: len(known)]) == known:
                best = prefix
        if best is not None:
            self._known.move_to_end((adapter, best.ids))
        return best

    def keep(self, prefix: Prefix) -> None:
        """Remember it as long as there is room."""
        self._known[prefix.adapter, prefix.ids] = prefix
        total = self.bytes
        while total > self.most_bytes and self._known:
            _, dropped = self._known.popitem(last=False)
            total -= dropped.bytes

    def forget(self, adapter: str) -> None:
        """Drop what was read under an adapter that is no more."""
        for key in [key for key in self._known if key[0] == adapter]:
            del self._known[key]

    @property
    def bytes(self) -> int:
        """What they take together."""
        return sum(prefix.bytes for prefix in self._known.values())
