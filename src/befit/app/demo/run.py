"""`befit demo`: the whole ring in five acts, with a real model and real people's data.

It reads no network. Where no real data set is found it says so and leaves act a out.
"""

import resource
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from befit.app.build import build_cycle
from befit.app.demo.answers import Answers, answer_all, tell
from befit.app.demo.forgetting import Forgetting, forget
from befit.app.demo.harm import Harm, ask_for_harm
from befit.app.demo.people import Script, load_script
from befit.app.demo.reactions import Reactions, react
from befit.app.demo.stage import Stage
from befit.app.settings import load_settings
from befit.evaluate.datasets.search import MissingDataError
from befit.evaluate.reward import evaluate_reward
from befit.evaluate.schema import Result
from befit.generate.hf import HfPolicy
from befit.memory.spaces import load_space

DATA = ("polis",)
SHOTS = (0, 1, 2, 4, 8, 16)
SEEDS = 3
TOKENS = 96  # a small model on a small machine: short answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """Everything that was shown.

    Attributes:
        people: Act a, on real people; None where no data set was found.
        missing: Why act a was left out; "" where it was not.
        script: Who appeared in the other acts.
        answers: Act b.
        reactions: Act c.
        harm: Act d.
        forgetting: Act e.
        seconds: Wall time of all acts.
        peak_rss_mb: The largest resident size of this process, megabytes.
    """

    people: Result | None
    missing: str
    script: Script
    answers: Answers
    reactions: Reactions
    harm: Harm
    forgetting: Forgetting
    seconds: float
    peak_rss_mb: float


def run(out: Path, say: Callable[[str], None], tokens: int = TOKENS) -> Demo:
    """Play all acts; the store and nothing else is written under ``out/store``.

    Args:
        out: The folder.
        say: Called with each line of progress.
        tokens: The longest answer.

    Raises:
        BefitError: Something could not be loaded or run.
    """
    began = time.monotonic()
    store = out / "store"
    shutil.rmtree(store, ignore_errors=True)  # each run starts from nothing
    store.mkdir(parents=True)
    say("a. Real people: what a few choices of an unseen person are worth")
    people, missing = _real_people(say)
    script = load_script()
    stage = _stage(store, say, tokens)
    space = load_space("style")
    for person in (*script.people, script.harmful):
        tell(stage, space, person)
    say("b. Three people ask the same questions of the same model")
    answers = answer_all(stage, script)
    say(f"c. {script.newcomer.name}, who {script.newcomer.about}")
    reactions = react(stage, script)
    say(f"d. {script.harmful.name}, {script.harmful.about}")
    harm = ask_for_harm(stage, script)
    forgotten = script.people[0]
    say(f"e. {forgotten.name} is forgotten")
    said = tuple(response.text for response in answers.personal[forgotten.name])
    return Demo(
        people=people,
        missing=missing,
        script=script,
        answers=answers,
        reactions=reactions,
        harm=harm,
        forgetting=forget(stage, forgotten, store, said),
        seconds=time.monotonic() - began,
        peak_rss_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def _real_people(say: Callable[[str], None]) -> tuple[Result | None, str]:
    def progress(step: str, done: int, total: int) -> None:
        if done == total:
            say(f"   {step}")

    try:
        result = evaluate_reward(
            data=DATA,
            methods=("default", "user-blind", "wrong-user"),
            shots=SHOTS,
            seeds=SEEDS,
            created=datetime.now(UTC),
            progress=progress,
        )
    except MissingDataError as error:
        say(f"   no real data set was found, so this act is left out: {error.hint}")
        return None, str(error)
    return result, ""


def _stage(store: Path, say: Callable[[str], None], tokens: int) -> Stage:
    """The cycle as settings build it, with short answers."""
    model = {"use": "hf", "max_new_tokens": tokens}
    settings = load_settings(
        memory={"use": "sqlite", "path": str(store / "befit.db"), "space": "style"},
        policy={"use": "best_of_n", "n": 4, "policy": model},
    )
    return Stage(cycle=build_cycle(settings), model=HfPolicy(max_new_tokens=tokens), say=say)
