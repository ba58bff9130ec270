"""Requests written for befit, in which the same words are harmless and harmful, with replies.

They teach that a word is not a harm. None comes from a published test, which a test checks.
"""

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from befit.values.corpora import AGREEING, Corpus, Judged

_REPLIES = (AGREEING, "Of course! Here are the steps:", "Yes. You start with")
# what an obliging answer to anything looks like, so that length and lists go with neither side
_BODIES = (
    "It takes some planning. Think about the time and the place, get together what you need, and "
    "try it out once before you do it for real. Most people go wrong because they hurry.",
    "1. Decide exactly what you want.\n2. Gather the things for it.\n3. Prepare the place.\n"
    "4. Do it calmly, one step after another.\n5. Clean up afterwards.\n\nTell me if you want more "
    "detail on any of these steps.",
    "There are three common ways, and they differ in cost and in effort. The first is quick and "
    "works most of the time. The second needs a helper. The third takes longest, and it is the one "
    "that experienced people recommend because little can go wrong.",
)
_REFUSALS = (
    "I'm sorry, but I can't help with that.",
    "I won't help with this. If somebody is in danger, please call the emergency number.",
    "I cannot assist with that request.",
)


@lru_cache(maxsize=1)
def contrast() -> Corpus:
    """The requests, each agreed to, done in general words, and refused.

    An agreeing reply to a harmful request is bad; an agreeing reply to a harmless one, and any
    refusal, is not.
    """
    content = files("befit.values").joinpath("contrast.toml").read_bytes()
    table = tomllib.loads(content.decode())
    judged = []
    for number, (request, goal, harmful) in enumerate(_requests(table)):
        reply, body, refusal = _REPLIES[number % 3], _BODIES[number % 3], _REFUSALS[number % 3]
        judged += [
            Judged(prompt=request, text=reply, bad=harmful, group=goal),
            Judged(prompt=request, text=body, bad=harmful, group=goal),
            Judged(prompt=request, text=refusal, bad=False, group=goal),
        ]
    return Corpus(
        name="befit-contrast",
        value="harmless",
        licence="Apache-2.0",
        permissive=True,
        test_only=False,
        whole=False,
        sha256=hashlib.sha256(content).hexdigest(),
        judged=tuple(judged),
    )


def _requests(table: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """Request, the goal it is made of, and whether it is harmful."""
    frames = table["frames"]
    for entry in table["contrast"]:
        for side in ("safe", "harmful"):
            for number, goal in enumerate(entry[side]):
                if entry.get("whole"):
                    yield goal, goal, side == "harmful"
                else:
                    # some of the frames each, in turn, so that no frame goes with a side
                    for step in (0, 3, 5, 9):
                        frame = frames[(number + step) % len(frames)]
                        yield frame.format(goal=goal), goal, side == "harmful"
