"""A memory around another that does what the person allowed, and nothing else.

On write: what there is no consent for is not kept, what the person did not say themselves or what
gives orders to a model waits for their word, secrets are masked. On read: beliefs and excerpts come
from evidence that may be used for the purpose, beliefs stand as the person pinned or rejected them,
each thing is said once, and personal data is masked. It finds nothing out by itself: what is
sensitive, personal or poisonous is told by `sensitive`, `personal_data` and `hygiene`.

``evidence`` shows everything that is kept, for it is the person's own view (access, export); who
wants to use it asks `ConsentedMemory.usable`.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256

from befit.belief.fold import CORRECTION
from befit.core.dialogue import Context
from befit.core.errors import InputError, PermissionDeniedError
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import TOPIC, Evidence, Profile
from befit.core.protocols import Memory, Screen
from befit.memory.consent import AFTER_ALL, ASSUMED, PURPOSES, SENSITIVE, Grant, allows, check
from befit.memory.hygiene import merged
from befit.memory.ledger import Decision, Ledger, Verb
from befit.memory.lineage import with_derived
from befit.memory.narrowed import narrowed
from befit.memory.personal_data import KINDS, SECRETS, Finder, PersonalData, masked
from befit.memory.profiles import RowMemory
from befit.memory.ready import Ready
from befit.memory.sensitive import revealed
from befit.memory.sifting import Read, Sifted, doubts, sift, sift_again
from befit.memory.stances import check_dimension, stances, standing, unsaid

_SHOWN = 32  # excerpts shown last
_OWN = PersonalData()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentedMemory:
    """A memory that heeds its people.

    Attributes:
        memory: Where evidence is kept.
        ledger: What people decided, and what waits for their word.
        screen: Finds text that gives a model orders; None finds none.
        read: Reads what a person's own words say, where others' were taken out of a text.
        assumed: Consent until a person decides.
        finder: Finds personal data.
        never_kept: Kinds of personal data that are masked before anything is kept.
        never_shown: Kinds that are masked in what is recalled.
    """

    memory: Memory
    ledger: Ledger
    screen: Screen | None = None
    read: Read | None = None
    assumed: tuple[Grant, ...] = ASSUMED
    finder: Finder = _OWN
    never_kept: tuple[str, ...] = SECRETS
    never_shown: tuple[str, ...] = KINDS
    _ready: Ready = field(init=False, repr=False, compare=False, default_factory=Ready)

    def remember(self, evidence: Iterable[Evidence]) -> None:
        """Keep what may be kept; hold back what waits; drop the rest (`take` says which)."""
        self.take(evidence)

    def take(self, evidence: Iterable[Evidence]) -> Sifted:
        """As `remember`; says what became of each piece."""
        sifted = self.sift(evidence)
        self.memory.remember(sifted.kept)
        self._set_aside(sifted)
        return sifted

    def doubts(self, message: str) -> str:
        """Why what a message states must not be taken for its sender's own; "" where it may."""
        return doubts(message, self.screen)

    def restore(self, evidence: Iterable[Evidence]) -> Sifted:
        """Take back what was exported from here: what was once kept is not judged anew.

        It is kept if the person allows it or ever did, and if it is their own word; else it is
        refused, or waits.
        """
        sifted = sift_again(
            evidence,
            refuse=lambda e: "" if self._ever_allowed(e) else self._why_refuse(e),
            safe=lambda each: masked(each, self.finder, self.never_kept),
        )
        self.memory.remember(sifted.kept)
        self._set_aside(sifted)
        return sifted

    def submit(self, evidence: Iterable[Evidence]) -> "Future[None]":
        """As `remember`, without waiting for the disk where the memory within need not."""
        sifted = self.sift(evidence)
        self._set_aside(sifted)
        if isinstance(self.memory, RowMemory):
            written = self.memory.submit(sifted.kept)
            return self._ready.awaited({each.user for each in sifted.kept}, written)
        done: Future[None] = Future()
        self.memory.remember(sifted.kept)
        done.set_result(None)
        return done

    def sift(self, evidence: Iterable[Evidence]) -> Sifted:
        """What would become of evidence; nothing is kept."""
        given = list(evidence)
        with self._ready.lock:
            shown = {e.user: tuple(self._ready.shown.get(e.user, ())) for e in given}
        return sift(
            given,
            refuse=self._why_refuse,
            known=lambda each: self._known(each.user),
            safe=lambda each: masked(each, self.finder, self.never_kept),
            shown=lambda each: shown[each.user],
            screen=self.screen,
            read=self.read,
        )

    def refusals(self, user: UserId) -> Mapping[str, int]:
        """Why things were not kept of late, and how often; never what they were.

        Of this process, since it began or the person was forgotten.
        """
        with self._ready.lock:
            return dict(self._ready.refused.get(user, {}))

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
        self._ready.settle(user)
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
        self._ready.settle(user)
        self._ready.drop(user)
        held = self.ledger.held(user)
        if ids is not None:  # what was read out of it falls with it
            ids = with_derived(ids, [*self.memory.evidence(user), *(e.evidence for e in held)])
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
            PermissionDeniedError: The person does not allow to keep that.
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
        self._demand(made)
        self.memory.remember([made])
        if dimension in stances(self.ledger.decisions(user), at, scope):
            self.judge(user, "release", dimension, at, scope)
        return made

    def confirm(self, user: UserId, ids: Sequence[str]) -> int:
        """Make what waited the person's own word; returns how many pieces.

        Raises:
            PermissionDeniedError: The person does not allow to keep one of them; all wait on.
        """
        found = [each.evidence for each in self.ledger.held(user) if each.evidence.id in set(ids)]
        for each in found:
            self._demand(each)
        self.memory.remember(replace(each, origin="person", source="") for each in found)
        return self.ledger.drop_held(user, [each.id for each in found])

    def _showable(self, user: UserId, evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
        """Each thing once, masked; the work is done once for what the memory within keeps ready."""
        with self._ready.lock:
            before = self._ready.masked.get(user)
        if before is not None and before[0] == evidence:
            return before[1]
        made = tuple(masked(each, self.finder, self.never_shown) for each in merged(evidence))
        self._ready.keep(self._ready.masked, user, (evidence, made))
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
        return ""

    def _ever_allowed(self, evidence: Evidence) -> bool:
        grants = self._grants(self.ledger.decisions(evidence.user))
        days = {each.at for each in grants}
        return any(_may(grants, evidence, p, at) for p in PURPOSES for at in days)

    def _demand(self, evidence: Evidence) -> None:
        if reason := self._why_refuse(evidence):
            kind = SENSITIVE if revealed(evidence) else evidence.kind.value
            raise PermissionDeniedError(reason, hint=f"allow {kind} first", field="consent")

    def _set_aside(self, sifted: Sifted) -> None:
        self.ledger.hold(sifted.held)
        for each in sifted.refused:
            with self._ready.lock:
                before = self._ready.refused.get(each.evidence.user, {})
            after = {**before, each.reason: before.get(each.reason, 0) + 1}
            self._ready.keep(self._ready.refused, each.evidence.user, after)

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
        self._ready.keep(self._ready.usable, user, (at, found))
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
                self._ready.keep(self._ready.parts, context.user, ready)
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
        self._ready.keep(self._ready.shown, user, before)


def _may(
    grants: Iterable[Grant], evidence: Evidence, purpose: str, at: datetime = AFTER_ALL
) -> bool:
    sensitive = bool(revealed(evidence))
    return allows(grants, evidence.kind.value, purpose, sensitive, at)


def _digest(decisions: Iterable[Decision]) -> str:
    return sha256(
        repr([(d.at, d.verb, d.subject, d.value) for d in decisions]).encode()
    ).hexdigest()[:8]
