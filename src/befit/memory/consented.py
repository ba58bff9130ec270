"""A memory around another that does what the person allowed, and nothing else.

On write: what there is no consent for is not kept, what the person did not say themselves or what
gives orders to a model waits for their word, secrets are masked. On read: beliefs and excerpts come
from evidence that may be used for the purpose, beliefs stand as the person pinned or rejected them,
each thing is said once, and personal data is masked. It finds nothing out by itself: what is
sensitive, personal or poisonous is told by `sensitive`, `personal_data` and `hygiene`.

``evidence`` shows everything that is kept, for it is the person's own view (access, export); who
wants to use it asks `ConsentedMemory.usable`.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from threading import Lock
from typing import TypeVar

from befit.belief.fold import CORRECTION
from befit.core.dialogue import Context
from befit.core.errors import InputError
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import TOPIC, Evidence, Profile
from befit.core.protocols import Memory, Screen
from befit.memory.consent import ASSUMED, PURPOSES, Grant, allows, check
from befit.memory.hygiene import merged, recalled, why_hold
from befit.memory.ledger import Decision, Held, Ledger, Verb
from befit.memory.narrowed import NarrowedMemory, narrowed
from befit.memory.personal_data import KINDS, SECRETS, Finder, PersonalData, masked
from befit.memory.profiles import RowMemory
from befit.memory.sensitive import revealed
from befit.memory.stances import check_dimension, stances, standing, unsaid

V = TypeVar("V")

_PEOPLE = 256  # of whom it is kept ready what was shown, and what may be used
_SHOWN = 32  # excerpts shown last
_OWN = PersonalData()


@dataclass(frozen=True, slots=True)
class Sifted:
    """What becomes of evidence that is offered.

    Attributes:
        kept: May be remembered, with secrets masked.
        held: Waits for the person's word.
        refused: Is not kept, each with the reason.
    """

    kept: tuple[Evidence, ...]
    held: tuple[Held, ...]
    refused: tuple[Held, ...]


@dataclass(slots=True)
class _Ready:
    lock: Lock = field(default_factory=Lock)
    shown: OrderedDict[UserId, deque[str]] = field(default_factory=OrderedDict)
    usable: OrderedDict[UserId, tuple[object, bool]] = field(default_factory=OrderedDict)
    masked: OrderedDict[UserId, tuple[tuple[Evidence, ...], tuple[Evidence, ...]]] = field(
        default_factory=OrderedDict
    )
    parts: OrderedDict[UserId, tuple[object, NarrowedMemory]] = field(default_factory=OrderedDict)

    def drop(self, user: UserId) -> None:
        """Keep nothing ready of a person."""
        for each in (self.shown, self.usable, self.masked, self.parts):
            each.pop(user, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentedMemory:
    """A memory that heeds its people.

    Attributes:
        memory: Where evidence is kept.
        ledger: What people decided, and what waits for their word.
        screen: Finds text that gives a model orders; None finds none.
        assumed: Consent until a person decides.
        finder: Finds personal data.
        never_kept: Kinds of personal data that are masked before anything is kept.
        never_shown: Kinds that are masked in what is recalled.
    """

    memory: Memory
    ledger: Ledger
    screen: Screen | None = None
    assumed: tuple[Grant, ...] = ASSUMED
    finder: Finder = _OWN
    never_kept: tuple[str, ...] = SECRETS
    never_shown: tuple[str, ...] = KINDS
    _ready: _Ready = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ready", _Ready())

    def remember(self, evidence: Iterable[Evidence]) -> None:
        """Keep what may be kept; hold back what waits; drop the rest (`sift` says which)."""
        sifted = self.sift(evidence)
        self.memory.remember(sifted.kept)
        self.ledger.hold(sifted.held)

    def submit(self, evidence: Iterable[Evidence]) -> "Future[None]":
        """As `remember`, without waiting for the disk where the memory within need not."""
        sifted = self.sift(evidence)
        self.ledger.hold(sifted.held)
        if isinstance(self.memory, RowMemory):
            return self.memory.submit(sifted.kept)
        done: Future[None] = Future()
        self.memory.remember(sifted.kept)
        done.set_result(None)
        return done

    def sift(self, evidence: Iterable[Evidence]) -> Sifted:
        """What would become of evidence; nothing is kept."""
        kept, held, refused = [], [], []
        given = list(evidence)
        offered = {each.id: each for each in given}
        for each in given:
            reason = self._why_refuse(each)
            if reason:
                refused.append(Held(each, reason))
                continue
            known = {**offered, **self._known(each.user)} if each.source else {}
            reason = why_hold(each, known, self.screen)
            safe = masked(each, self.finder, self.never_kept)
            if reason:
                held.append(Held(safe, reason))
            else:
                kept.append(safe)
        return Sifted(tuple(kept), tuple(held), tuple(refused))

    def recall(self, context: Context) -> Profile:
        """A profile from what may be used to personalize."""
        user, decisions = context.user, self.ledger.decisions(context.user)
        held = stances(decisions, context.at, context.scope)
        rejected = any(word.verb == "reject" for word in held.values())
        profile = self.memory.recall(context)
        if rejected or not self._all_usable(profile, decisions):
            profile = self._partial(context, profile, decisions, rejected=rejected)
        preferences = profile.preferences
        if held:
            known = self.memory.evidence(user) if rejected else ()
            past = [each for each in known if each.at <= context.at]
            preferences = standing(preferences, held, past, profile.space)
        preferences = tuple(p for p in preferences if self._may_show(p.dimension))
        excerpts = self._showable(user, profile.evidence)
        if excerpts and not context.incognito:
            self._remember_shown(user, [each.text for each in excerpts])
        version = f"{profile.version}.{_digest(decisions)}" if decisions else profile.version
        return replace(profile, preferences=preferences, evidence=excerpts, version=version)

    def evidence(self, user: UserId) -> Sequence[Evidence]:
        """Everything that is kept of a person: their own view."""
        return self.memory.evidence(user)

    def usable(self, user: UserId, purpose: str) -> Sequence[Evidence]:
        """What may be used for a purpose.

        Raises:
            InputError: There is no such purpose.
        """
        grants = self._grants(self.ledger.decisions(user))
        return [each for each in self.memory.evidence(user) if _may(grants, each, purpose)]

    def forget(self, user: UserId, ids: Sequence[str] | None = None) -> int:
        """Erase evidence, waiting or kept; with all of it go the decisions. How many pieces."""
        with self._ready.lock:
            self._ready.drop(user)
        held = self.ledger.held(user)
        count = self.memory.forget(user, ids)
        if ids is None:
            self.ledger.erase(user)
            return count + len(held)
        waiting = {each.evidence.id for each in held}.intersection(ids)
        return count + (self.ledger.drop_held(user, sorted(waiting)) if waiting else 0)

    def people(self) -> Sequence[UserId]:
        """Everyone of whom anything is kept, where the memory within can tell."""
        return self.memory.people() if isinstance(self.memory, RowMemory) else ()

    def consent(
        self, user: UserId, kind: str, purpose: str, at: datetime, *, allowed: bool
    ) -> Decision:
        """Keep a grant, or its withdrawal.

        Raises:
            InputError: There is no such kind or purpose.
        """
        check(kind, purpose)
        made = Decision(
            user=user, at=at, verb="consent", subject=f"{kind}:{purpose}", value=float(allowed)
        )
        self.ledger.decide(made)
        return made

    def consents(self, user: UserId) -> tuple[Grant, ...]:
        """What holds now, for each kind and purpose that the person or the deployment named."""
        grants = self._grants(self.ledger.decisions(user))
        last: dict[tuple[str, str], Grant] = {}
        for each in grants:
            key = (each.kind, each.purpose)
            last[key] = max(last.get(key, each), each, key=lambda g: (g.at, not g.allowed))
        return tuple(last[key] for key in sorted(last))

    def judge(  # noqa: D417 - the rest as in `Decision`
        self, user: UserId, verb: Verb, dimension: str, at: datetime, scope: str = ""
    ) -> Decision:
        """Pin, reject or release a belief.

        Args:
            verb: "pin" holds it where it now is, "reject" ends it, "release" ends either.

        Raises:
            InputError: There is no such belief, or it belongs to everyone.
        """
        profile = self.recall(Context(user=user, messages=(), at=at, scope=scope))
        check_dimension(profile.space, dimension)
        if any(d.universal for d in profile.space.dimensions if d.name == dimension):
            raise InputError(
                f"{dimension} belongs to everyone", hint="choose another", field="dimension"
            )
        means = {p.dimension: p.mean for p in profile.preferences}
        if verb == "pin" and dimension not in means:
            raise InputError(
                f"nothing is believed on {dimension}",
                hint="correct it to the value that it should have",
                field="dimension",
            )
        made = Decision(
            user=user,
            at=at,
            verb=verb,
            subject=dimension,
            scope=scope,
            value=means[dimension] if verb == "pin" else 0.0,
        )
        self.ledger.decide(made)
        return made

    def correct(
        self, user: UserId, dimension: str, value: float, at: datetime, scope: str = ""
    ) -> Evidence:
        """Set a belief right; what was observed before, here and in wider scopes, gives way.

        A pin or a rejection of it ends.

        Raises:
            InputError: There is no such dimension, or the value is out of range.
        """
        check_dimension(self.memory.recall(Context(user=user, messages=(), at=at)).space, dimension)
        said = f"{user}\0{dimension}\0{value}\0{at.isoformat()}\0{scope}"
        made = Evidence(
            id=sha256(said.encode()).hexdigest()[:32],
            user=user,
            kind=EvidenceKind.STATED,
            at=at,
            values={dimension: value},
            noise=CORRECTION,
            scope=scope,
        )
        self.memory.remember([made])
        if dimension in stances(self.ledger.decisions(user), at, scope):
            self.judge(user, "release", dimension, at, scope)
        return made

    def confirm(self, user: UserId, ids: Sequence[str]) -> int:
        """Make what waited the person's own word; returns how many pieces."""
        found = [each.evidence for each in self.ledger.held(user) if each.evidence.id in set(ids)]
        self.memory.remember(replace(each, origin="person", source="") for each in found)
        return self.ledger.drop_held(user, [each.id for each in found])

    def _showable(self, user: UserId, evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
        """Each thing once, masked; the work is done once for what the memory within keeps ready."""
        with self._ready.lock:
            before = self._ready.masked.get(user)
        if before is not None and _identical(before[0], evidence):
            return before[1]
        made = tuple(masked(each, self.finder, self.never_shown) for each in merged(evidence))
        self._keep(self._ready.masked, user, (evidence, made))
        return made

    def _may_show(self, dimension: str) -> bool:
        """Whether the name of a belief, which may be an open topic, holds no personal data."""
        found = self.finder.find(dimension) if dimension.startswith(TOPIC) else ()
        return not any(each.kind in self.never_shown for each in found)

    def _why_refuse(self, evidence: Evidence) -> str:
        grants = self._grants(self.ledger.decisions(evidence.user))
        if not any(_may(grants, evidence, purpose) for purpose in PURPOSES):
            found = ", ".join(sorted(revealed(evidence)))
            about = f"sensitive evidence ({found})" if found else f"{evidence.kind.value} evidence"
            return f"there is no consent to keep {about}"
        with self._ready.lock:
            shown = tuple(self._ready.shown.get(evidence.user, ()))
        return "it repeats what memory had shown" if recalled(evidence, shown) else ""

    def _known(self, user: UserId) -> dict[str, Evidence]:
        """What there is of a person, by id; what waits is trusted least and so comes last."""
        kept = {each.id: each for each in self.memory.evidence(user)}
        return kept | {each.evidence.id: each.evidence for each in self.ledger.held(user)}

    def _grants(self, decisions: Iterable[Decision]) -> tuple[Grant, ...]:
        said = [
            Grant(kind=kind, purpose=purpose, allowed=each.value > 0.0, at=each.at)
            for each in decisions
            if each.verb == "consent"
            for kind, _, purpose in [each.subject.partition(":")]
        ]
        return (*self.assumed, *said)

    def _all_usable(self, profile: Profile, decisions: tuple[Decision, ...]) -> bool:
        """Whether nothing of the person has to be left out; the answer holds for one version."""
        user, at = profile.user, (profile.version, decisions)
        with self._ready.lock:
            known = self._ready.usable.get(user)
        if known is not None and known[0] == at and profile.version:
            return known[1]
        grants = self._grants(decisions)
        found = all(_may(grants, each, "personalize") for each in self.memory.evidence(user))
        self._keep(self._ready.usable, user, (at, found))
        return found

    def _partial(
        self, context: Context, profile: Profile, decisions: tuple[Decision, ...], *, rejected: bool
    ) -> Profile:
        """The profile from a part of the evidence alone."""
        grants = self._grants(decisions)
        held = stances(decisions, context.at, context.scope)
        if isinstance(self.memory, RowMemory):
            at = (decisions, tuple(held.items()))
            with self._ready.lock:
                ready = self._ready.parts.get(context.user)
            if ready is None or ready[0] != at:
                part = narrowed(
                    self.memory,
                    lambda e: unsaid(e, held) if _may(grants, e, "personalize") else None,
                )
                ready = (at, part)
                self._keep(self._ready.parts, context.user, ready)
            return ready[1].recall(context)
        whole = self.memory.evidence(context.user)
        barred = {each.id for each in whole if not _may(grants, each, "personalize")}
        return replace(  # what cannot be folded anew is left out
            profile,
            preferences=tuple(
                p
                for p in profile.preferences
                if barred.isdisjoint(p.sources) and not (rejected and p.dimension in held)
            ),
            evidence=tuple(e for e in profile.evidence if e.id not in barred),
            taste=None,
        )

    def _remember_shown(self, user: UserId, texts: Iterable[str]) -> None:
        with self._ready.lock:
            before = self._ready.shown.get(user, deque(maxlen=_SHOWN))
        before.extend(each for each in texts if each not in before)
        self._keep(self._ready.shown, user, before)

    def _keep(self, ready: "OrderedDict[UserId, V]", key: UserId, value: V) -> None:
        with self._ready.lock:
            ready[key] = value
            ready.move_to_end(key)
            while len(ready) > _PEOPLE:
                ready.popitem(last=False)


def _may(grants: Iterable[Grant], evidence: Evidence, purpose: str) -> bool:
    sensitive = bool(revealed(evidence))
    return allows(grants, evidence.kind.value, purpose, sensitive)


def _identical(one: tuple[Evidence, ...], other: tuple[Evidence, ...]) -> bool:
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))


def _digest(decisions: Iterable[Decision]) -> str:
    return sha256(
        repr([(d.at, d.verb, d.subject, d.value) for d in decisions]).encode()
    ).hexdigest()[:8]
