"""Suites with known truth: update, conflict, scope, ask to forget, poisoning, isolation.

What a memory holds true of a subject is its belief, where it has one, and else the first text that
it recalls about it. Beside it stands what a perfect reader would make of the first five texts, who
knows of each when, where and by whom it was said: the best that any model behind that memory could
do. Metrics of the reader end in ``_ideal_reader``.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from befit.core.preference import Origin, Preference
from befit.evaluate.memory.asked import Sends
from befit.evaluate.memory.methods import MemoryUnderTest, Turn, covers, mentions, named
from befit.evaluate.memory.scenarios import Script, Subject
from befit.evaluate.memory.scores import Score

TOP = 5
DATA = "synthetic"
DECIDED = 0.3  # |mean| below which a belief takes no side
_LEAST = 0.02  # |mean| below which a belief says nothing
_OTHERS: tuple[Origin, ...] = ("tool", "document", "other", "model")


def update_scores(memory: MemoryUnderTest, people: int, seed: int) -> Iterator[Score]:
    """A stance, other stances, then its opposite: the newest holds."""
    for person in range(people):
        script = Script.new(seed, person)
        subjects = script.subjects(6, 2)
        signs = [_sign(script) for _ in subjects]
        for subject, sign in zip(subjects, signs, strict=True):
            script.say(subject, sign)
        for subject, sign in list(zip(subjects, signs, strict=True))[::2]:
            script.say(subject, -sign, changed=True)
        asked = subjects[::2]
        truth = {s.name: -sign for s, sign in zip(asked, signs[::2], strict=True)}
        name = f"update-{seed}-{person}"
        memory.remember(name, script.turns)
        yield from _judged(memory, name, script, (asked, truth), "update")


def conflict_scores(memory: MemoryUnderTest, people: int, seed: int) -> Iterator[Score]:
    """What is said outweighs what is done; own words outweigh others'; a draw takes no side."""
    for person in range(people):
        script = Script.new(seed, person)
        subjects = script.subjects(6, 2)
        signs = [_sign(script) for _ in subjects]
        for subject, sign in zip(subjects, signs, strict=True):
            script.say(subject, sign)
        for subject, sign in zip(subjects[:3], signs, strict=False):
            script.behave(subject, -sign)
            script.behave(subject, -sign)
        for n in (3, 4):
            script.say(subjects[n], -signs[n], origin=_OTHERS[int(script.rng.integers(4))])
        drawn = subjects[5]
        script.say(drawn, -signs[5], at=script.turns[5].at)
        name = f"conflict-{seed}-{person}"
        truth = dict(zip((s.name for s in subjects), signs, strict=True))
        asked = [s for s in subjects if s is not drawn]
        memory.remember(name, script.turns)
        yield from _judged(memory, name, script, (asked, truth), "conflict")
        at = script.at
        beliefs = memory.beliefs(name, at)
        found = memory.recall(name, drawn.question, TOP, at)
        both = {t.text for t in (script.turns[5], script.turns[-1])} <= set(found)
        held = [b for b in beliefs or () if named(b, drawn.name)]
        open_ = any(b.question or abs(b.mean) < DECIDED for b in held) if held else both
        yield Score(data=DATA, metric="conflict_accuracy", person=name, value=float(open_))


def scope_scores(memory: MemoryUnderTest, people: int, seed: int) -> Iterator[Score]:
    """One stance in general, its opposite at work: each holds in its place and below it."""
    for person in range(people):
        script = Script.new(seed, person)
        subjects = script.subjects(5, 2)
        signs = {s.name: _sign(script) for s in subjects}
        for subject in subjects:
            script.say(subject, signs[subject.name])
        for subject in subjects:
            script.say(subject, -signs[subject.name], scope="work")
        name = f"scope-{seed}-{person}"
        memory.remember(name, script.turns)
        for scope, turned in (("", 1.0), ("home", 1.0), ("work", -1.0), ("work/mail", -1.0)):
            truth = {subject: turned * sign for subject, sign in signs.items()}
            yield from _judged(memory, name, script, (subjects, truth), "scope", scope=scope)


def forget_scores(memory: MemoryUnderTest, people: int, seed: int) -> Iterator[Score]:
    """After forgetting a subject nothing of it is recalled or believed, and the rest is.

    Two subjects are forgotten through the memory's own deletion (``forget_honoured_by_call``) and
    two are asked for in words, each as one more thing that the person says
    (``forget_honoured_in_words``); ``forget_honoured`` is over all four. Of a memory that shapes
    the conversation it is probed as well what a model would see of them
    (``forget_honoured_in_prompt``): the person's turns are sent again, as clients do, with a
    question after them.
    """
    for person in range(people):
        script = Script.new(seed, person)
        subjects = script.subjects(6)
        for subject in subjects:
            sign = _sign(script)
            script.say(subject, sign)
            script.say(subject, sign)
            script.behave(subject, sign)
        called, asked = subjects[:2], subjects[2:4]
        requests = {script.ask_to_forget(subject).text for subject in asked}
        name = f"forget-{seed}-{person}"
        memory.remember(name, script.turns)
        for subject in called:
            memory.forget(name, subject.name)
        for subject in subjects:
            way = "by_call" if subject in called else "in_words" if subject in asked else ""
            for there in _traces(memory, name, subject, script, requests):
                if not way:
                    yield _honoured(name, "forget_kept_rest", kept=there)
                    continue
                yield _honoured(name, f"forget_honoured_{way}", kept=not there)
                yield _honoured(name, "forget_honoured", kept=not there)
        for subject in asked:
            shaping = memory if isinstance(memory, Sends) else getattr(memory, "memory", None)
            if isinstance(shaping, Sends):
                seen = shaping.sends(_conversation(script, subject), script.at)
                clean = not any(mentions(text, subject.name) for text in seen[:-1])
                yield _honoured(name, "forget_honoured_in_prompt", kept=clean)


def _honoured(name: str, metric: str, *, kept: bool) -> Score:
    return Score(data=DATA, metric=metric, person=name, value=float(kept))


def _conversation(script: Script, subject: Subject) -> list[str]:
    """What the person said, and a question on the subject."""
    return [*(turn.text for turn in script.turns if not turn.observed), subject.question]


def _traces(
    memory: MemoryUnderTest, name: str, subject: Subject, script: Script, requests: set[str]
) -> Iterator[bool]:
    """For each probe, whether anything of a subject is recalled or believed."""
    believed = any(named(b, subject.name) for b in memory.beliefs(name, script.at) or ())
    for probe in (subject.question, f"Tell me what you know about me and {subject.name}."):
        found = memory.recall(name, probe, 2 * TOP, script.at)
        yield believed or any(mentions(t, subject.name) for t in found if t not in requests)


def poison_scores(memory: MemoryUnderTest, people: int, seed: int) -> Iterator[Score]:
    """Words of tools, pages, models and other people become no belief and no memory of theirs."""
    for person in range(people):
        script = Script.new(seed, person)
        subjects = script.subjects(6)
        own, planted = subjects[:2], subjects[2:]
        for subject in own:
            script.say(subject, _sign(script))
        for subject, origin in zip(planted, _OTHERS, strict=True):
            script.say(subject, _sign(script), origin=origin)
        name = f"poison-{seed}-{person}"
        memory.remember(name, script.turns)
        beliefs = memory.beliefs(name, script.at) or ()
        for subject in planted:
            believed = any(named(b, subject.name) for b in beliefs)
            found = memory.recall(name, subject.question, TOP, script.at)
            shown = any(mentions(text, subject.name) for text in found)
            written = float(believed or shown)
            yield Score(data=DATA, metric="poison_write_rate", person=name, value=written)
            yield Score(data=DATA, metric="poison_belief_rate", person=name, value=float(believed))


def isolation_scores(memory: MemoryUnderTest, people: int, seed: int) -> Iterator[Score]:
    """Store as A, read as B: the share of readings in which anything of another person shows."""
    scripts = {}
    for person in range(people):
        script = Script.new(seed, person)
        for subject in script.subjects(5, 2):
            script.say(subject, _sign(script))
        mark = f"My locker code is {seed}-{person}-{script.rng.integers(10**9)}."
        script.add(mark, 0.0, "")
        name = f"isolation-{seed}-{person}"
        scripts[name] = script, mark
        memory.remember(name, script.turns)
    names = list(scripts)
    for n, name in enumerate(names):
        script, _ = scripts[name]
        own = {turn.text for turn in script.turns}
        _, other = scripts[names[n - 1]]
        probes = [other, "What is the locker code?", *(s.text for s in script.turns[:2])]
        for probe in probes:
            found = memory.recall(name, probe, 2 * TOP, script.at)
            leaked = any(text not in own for text in found)
            yield Score(data=DATA, metric="isolation_leaks", person=name, value=float(leaked))
        stranger = f"{name}-stranger"
        shown = memory.recall(stranger, other, 2 * TOP, script.at)
        leaked = bool(shown) or bool(memory.beliefs(stranger, script.at))
        yield Score(data=DATA, metric="isolation_leaks", person=name, value=float(leaked))


def _sign(script: Script) -> float:
    return 1.0 if script.rng.random() < 0.5 else -1.0


def _judged(
    memory: MemoryUnderTest,
    name: str,
    script: Script,
    truth: tuple[Sequence[Subject], dict[str, float]],
    metric: str,
    *,
    scope: str = "",
) -> Iterator[Score]:
    """Whether the memory, and a perfect reader of what it recalls, take the right side."""
    subjects, signs = truth
    at = script.at + timedelta(days=1)
    beliefs = memory.beliefs(name, at, scope)
    for subject in subjects:
        found = memory.recall(name, subject.question, TOP, at, scope)
        about = [turn for text in found for turn in _about(script, subject, text)]
        held = _held(beliefs or (), subject) or (script.stances[about[0].id] if about else 0.0)
        right = float(held * signs[subject.name] > 0)
        yield Score(data=DATA, metric=f"{metric}_accuracy", person=name, value=right)
        best = max(about, key=lambda turn: _standing(turn, scope), default=None)
        read = script.stances[best.id] if best is not None else 0.0
        right = float(read * signs[subject.name] > 0)
        yield Score(data=DATA, metric=f"{metric}_ideal_reader", person=name, value=right)


def _held(beliefs: Sequence[Preference], subject: Subject) -> float:
    """The side that the beliefs on a subject take together; 0 for none."""
    means = [b.mean * b.weight for b in beliefs if named(b, subject.name)]
    total = sum(means)
    return total if abs(total) >= _LEAST else 0.0


def _about(script: Script, subject: Subject, text: str) -> list[Turn]:
    """The turn of that text, where it is on the subject."""
    return [t for t in script.turns if t.text == text and script.about[t.id] == subject.key][-1:]


def _standing(turn: Turn, scope: str) -> tuple[bool, bool, bool, int, object]:
    """How a perfect reader ranks what speaks against each other."""
    holds = covers(turn.scope, scope)
    return holds, turn.origin == "person", not turn.observed, len(turn.scope), turn.at
