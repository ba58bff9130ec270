"""Memory over rows of evidence: what is believed, what matters now, and why.

Beliefs are folded when they are asked for, never stored. What is stored beside a piece of evidence
(an int8 embedding of its text, the latent difference of its pair) is derived from it, made when it
is written, made again when the encoder or the taste has changed, and goes with it. Recalling reads
one person's rows, or one revision number where they are cached; the one costly step, embedding the
prompt, happens only with an encoder and never in an incognito turn, of which nothing may be kept.
Where the rows are is not known here (`memory.rows`): every database has the same memory.

Source: survey arXiv:2503.17003 section 4.1 (preference modelling).
"""

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256

import numpy as np

from befit.belief.compared import compared, pair_of
from befit.belief.fold import CORRECTION, BayesFold, weigh
from befit.core.dialogue import Context
from befit.core.errors import InputError
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import TOPIC, Evidence, Gaussian, PreferenceSpace, Profile
from befit.core.protocols import Encoder, Inferer, Taste
from befit.features.style import measure
from befit.memory.blocks import Block, Blocks, View, entry_of, row_of
from befit.memory.codec import check_evidence, is_text
from befit.memory.recall import Entry, Vector, select
from befit.memory.rows import EvidenceRows, Row
from befit.memory.spaces import load_space
from befit.memory.usefulness import of_excerpts, usefulness
from befit.memory.wording import asked

_VIEWS = 64  # days and scopes kept of one person
_measured = lru_cache(maxsize=4096)(measure)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowMemory(ABC):
    """What every memory over rows has; a database adds where the rows are.

    Attributes:
        space: The named dimensions, or the name or path of them.
        encoder: Relates excerpts to the prompt by meaning, beside by words.
        taste: Coordinates of the personal reward, for the latent posterior.
        inferer: Folds evidence into beliefs; `BayesFold` with the style features by default.
        budget: Tokens that excerpts may take in a profile, at 4 characters each.
        cache_bytes: Most bytes of decoded evidence kept in this process.
    """

    space: str | PreferenceSpace = "style"
    encoder: Encoder | None = None
    taste: Taste | None = None
    inferer: Inferer | None = None
    budget: int = 256
    cache_bytes: int = 64_000_000
    _rows: EvidenceRows = field(init=False, repr=False, compare=False)
    _blocks: Blocks = field(init=False, repr=False, compare=False)
    _folder: Inferer = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_folder", self._fold())
        object.__setattr__(self, "_rows", self._open())
        object.__setattr__(self, "_blocks", Blocks(self.cache_bytes))

    @property
    def rows(self) -> EvidenceRows:
        """Where the evidence is: for copying, not for use."""
        return self._rows

    @abstractmethod
    def _open(self) -> EvidenceRows:
        """The rows; nothing is read or made before they are used."""

    def remember(self, evidence: Iterable[Evidence]) -> None:
        """Keep evidence, all of it or none; what has an id that is there already counts once.

        Raises:
            InputError: A field makes no sense; ``field`` names it.
            StoreError: It could not be written.
        """
        self.submit(evidence).result()

    def submit(self, evidence: Iterable[Evidence]) -> "Future[None]":
        """As `remember`, without waiting for the disk."""
        given = list(evidence)
        for each in given:
            check_evidence(each)
        rows = self._encode(given)
        return self._rows.add([(e.user, row) for e, row in zip(given, rows, strict=True)])

    def recall(self, context: Context) -> Profile:
        """What is believed of the person on that day in that scope, and what matters now.

        Nothing at all is believed of a stranger. Evidence fades day by day, so that the same day
        gives the same bits.
        """
        space, block = self._space(), self._block(context.user)
        count = bisect_right(block.times, context.at)
        day = day_after(context.at)
        version = self.taste.version if self.taste else ""
        fold, scope, learned = self._fold(), context.scope, ""
        if isinstance(fold, BayesFold):  # what comes back in the evening or at weekends does so now
            scope, learned = fold.clock.placed(scope, context.at), fold.version
        at = (scope, day, count, f"{version}.{learned}")
        view = block.views.get(at)
        if view is None:
            view = self._view(space, block.entries[:count], day, scope)
            if len(block.views) >= _VIEWS:
                block.views.clear()
            block.views[at] = view
        return Profile(
            user=context.user,
            space=space,
            preferences=view.preferences,
            evidence=self._excerpts(block, count, view, context),
            taste=view.taste,
            version=f"{block.number}.{block.revision}.{count}.{day:%Y%m%d}.{scope}.{at[-1]}",
        )

    def evidence(self, user: UserId) -> Sequence[Evidence]:
        """Everything that is kept of a person, in the order in which it came."""
        entries = sorted(self._block(user).entries, key=lambda each: each.key)
        return [each.evidence for each in entries]

    def forget(self, user: UserId, ids: Sequence[str] | None = None) -> int:
        """Erase a person's evidence, or some of it; returns how many pieces.

        What is believed afterwards is what would be if it had never been known.
        """
        count = self._rows.delete(user, ids) if is_text(user) else 0
        self._blocks.drop(user)
        _measured.cache_clear()
        return count

    def people(self) -> Sequence[UserId]:
        """Everyone of whom evidence or turns are kept."""
        return self._rows.people()

    def close(self) -> None:
        """Let go of connections; a later use opens again."""
        self._rows.close()

    def correct(
        self, user: UserId, dimension: str, value: float, at: datetime, scope: str = ""
    ) -> Evidence:
        """Set a belief right: what was observed before, in this scope and wider ones, gives way.

        Args:
            user: The person, whose own word this is.
            dimension: A name of the space, or ``topic:`` and a topic.
            value: The right position, in [-1, 1].
            at: When they said so, UTC.
            scope: Where it holds.

        Returns:
            The evidence that says so; forgetting it takes the correction back.

        Raises:
            InputError: There is no such dimension, or the value is out of range.
        """
        names = [d.name for d in self._space().dimensions]
        if dimension not in names and not dimension.startswith(TOPIC):
            raise InputError(
                f"there is no dimension {dimension!r}",
                hint=f"one of {', '.join(names)}, or {TOPIC}...",
                field="dimension",
            )
        key = sha256(f"{user}\0{dimension}\0{value}\0{at}\0{scope}".encode()).hexdigest()
        made = Evidence(
            id=key[:32],
            user=user,
            kind=EvidenceKind.STATED,
            at=at,
            values={dimension: value},
            noise=CORRECTION,
            scope=scope,
        )
        self.remember([made])
        return made

    def _space(self) -> PreferenceSpace:
        return load_space(self.space) if isinstance(self.space, str) else self.space

    def _fold(self) -> Inferer:
        """The inferer; a `BayesFold` that measures nothing is lent the style features."""
        fold = self.inferer or BayesFold()
        if isinstance(fold, BayesFold) and fold.measure is None:
            return replace(fold, measure=_measured)
        return fold

    def _view(
        self, space: PreferenceSpace, entries: Sequence[Entry], day: datetime, scope: str
    ) -> View:
        fold = self._folder
        weigher = fold if isinstance(fold, BayesFold) else BayesFold()
        evidence = [each.evidence for each in entries]
        weights = _weights(weigher, evidence, day, scope)
        beliefs = fold.infer(space, evidence, day, scope)
        taste, factors = self._posterior(entries, weights), usefulness(evidence, weights)
        if not factors:
            return View(tuple(beliefs), np.array(weights), taste)
        beliefs = [replace(b, weight=b.weight * factors.get(b.dimension, 1.0)) for b in beliefs]
        useful = np.array(of_excerpts(factors, evidence))
        return View(tuple(beliefs), np.array(weights), taste, useful)

    def _posterior(self, entries: Sequence[Entry], weights: Sequence[float]) -> Gaussian | None:
        """The latent posterior; None before a reward was learned, when a taste has no version."""
        if self.taste is None or not self.taste.version:
            return None
        differences, counts = compared(
            (each.evidence, each.latent, weight)
            for each, weight in zip(entries, weights, strict=True)
            if each.latent is not None
        )
        return self.taste.posterior(differences, counts) if counts else self.taste.prior

    def _excerpts(
        self, block: Block, count: int, view: View, context: Context
    ) -> tuple[Evidence, ...]:
        prompt = context.prompt
        if not count or self.budget <= 0 or not prompt.strip():
            return ()
        index = block.index(count)
        encoder = self.encoder if index.has_vectors and not context.incognito else None
        return select(index, view.weights, asked(prompt, encoder), self.budget, view.useful)

    def _block(self, user: UserId) -> Block:
        """The person's evidence as it is now; a cached one is good if its revision still stands."""
        if not is_text(user):
            return Block.of(0, 0, 0, ())
        cached = self._blocks.get(user)
        block = self._rows.load(user, cached)
        if block.number == 0:
            self._blocks.drop(user)
            return block
        wanted = self._derivation()
        if block.derived != wanted:
            block = self._derive(block, wanted)
        if block is not cached:
            self._blocks.put(user, block)
        return block

    def _derivation(self) -> tuple[str, str]:
        return (
            self.encoder.name if self.encoder is not None else "",
            self.taste.version if self.taste is not None else "",
        )

    def _derive(self, block: Block, wanted: tuple[str, str]) -> Block:
        """Make anew what was derived with another encoder or taste, and write it back."""
        encoder, taste = wanted
        entries = list(block.entries)
        stale = [
            place
            for place, each in enumerate(entries)
            if (encoder and each.evidence.text and each.encoder != encoder)
            or (taste and each.taste != taste and pair_of(each.evidence) is not None)
        ]
        made = self._encode([entries[place].evidence for place in stale])
        updates = []
        for place, row in zip(stale, made, strict=True):
            old = entries[place]
            entries[place] = entry_of(old.evidence.user, (old.key, *row))
            updates.append((*row[-4:], old.key, old.evidence.id))
        if updates:
            self._rows.derive(entries[0].evidence.user, updates)
        return block.rederived(entries, wanted)

    def _encode(self, evidence: Sequence[Evidence]) -> list[Row]:
        """Columns of the rows, with what is derived: all texts are encoded at once."""
        vectors: dict[int, Vector] = {}
        if self.encoder is not None:
            places = [place for place, e in enumerate(evidence) if e.text]
            encoded = self.encoder.encode([evidence[p].text for p in places]) if places else ()
            for place, vector in zip(places, encoded, strict=True):
                vectors[place] = np.asarray(vector, dtype=np.float32)
        encoder, version = self._derivation()
        pairs = [pair_of(e) if version else None for e in evidence]
        latents = [
            self.taste.difference(pair) if self.taste is not None and pair is not None else None
            for pair in pairs
        ]
        return [
            row_of(e, vectors.get(place), encoder, latent, version)
            for place, (e, latent) in enumerate(zip(evidence, latents, strict=True))
        ]


def _weights(
    fold: BayesFold, evidence: Sequence[Evidence], day: datetime, scope: str
) -> list[float]:
    """As `BayesFold.weight` of each; what the clock says is asked once."""
    here, half_life = fold.clock.placed(scope, day), fold.half_life("")
    return [
        weigh(
            each,
            day,
            here,
            half_life_days=half_life,
            backoff=fold.backoff,
            ai_trust=fold.ai_trust,
        )
        for each in evidence
    ]


def day_after(at: datetime) -> datetime:
    """The midnight, UTC, that ends the day."""
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day + timedelta(days=1)
