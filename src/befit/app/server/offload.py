"""The cycle's verbs off the event loop: memory under a deadline, the rest in threads of its own.

Personalization fails open: a store that is slow or broken costs the turn its beliefs, never its
answer. Harm fails closed in the boundary, which this module does not touch.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import ParamSpec, TypeVar

from befit.app.evidence import stated
from befit.app.server.options import ServerOptions
from befit.app.server.problems import problem_of
from befit.app.server.turn import Turn
from befit.core.dialogue import Conditioning, Context, Draft, Response
from befit.core.errors import BefitError, InputError
from befit.core.preference import PreferenceSpace
from befit.cycle import Cycle
from befit.feedback.provenance import own_words

LONGEST_STATEMENT = 2_000  # characters; a longer turn is a document and no statement
SAME = timedelta(days=1)  # within which the same words are said once

P = ParamSpec("P")
T = TypeVar("T")
logger = logging.getLogger("befit.server")


@dataclass(slots=True)
class Offload:
    """Runs one cycle for many requests.

    Attributes:
        cycle: The cycle.
        options: The deadline, how many threads, what is learned from a turn.
    """

    cycle: Cycle
    options: ServerOptions
    _memory: ThreadPoolExecutor = field(init=False, repr=False)
    _slow: ThreadPoolExecutor = field(init=False, repr=False)
    _space: PreferenceSpace | None = field(init=False, repr=False, default=None)

    def __post_init__(self) -> None:
        """Make the threads; none starts before it is needed."""
        self._memory = ThreadPoolExecutor(self.options.threads, "befit-memory")
        self._slow = ThreadPoolExecutor(self.options.threads, "befit-slow")

    async def prepare(self, turn: Turn) -> tuple[Conditioning, str]:
        """The conditioning, and in a word why there is none.

        Raises:
            InputError: The conversation makes no sense.
        """
        if not turn.personalize:
            return Conditioning(), "off" if turn.context.user else "anonymous"
        work = asyncio.get_running_loop().run_in_executor(
            self._memory, self.cycle.prepare, turn.context
        )
        try:
            conditioning = await asyncio.wait_for(work, self.options.deadline_ms / 1000)
        except TimeoutError:
            return Conditioning(), "deadline"
        except InputError:
            raise
        except BefitError as error:
            logger.warning("no personalization: %s", error)
            return Conditioning(), problem_of(error).code
        except Exception:
            logger.exception("no personalization")  # fails open whatever it is
            return Conditioning(), "error"
        return conditioning, "" if is_personal(conditioning) else "nothing-known"

    async def admit(
        self, context: Context, conditioning: Conditioning, drafts: Sequence[Draft]
    ) -> Response:
        """The first allowed draft, else the generic answer, else the refusal."""
        return await self.call(self.cycle.admit, context, conditioning, drafts)

    async def judge(self, context: Context, conditioning: Conditioning, text: str) -> Response:
        """``text`` if it is allowed, else the refusal; no other answer is sought."""
        strict = Conditioning(caution=conditioning.caution)
        return await self.admit(context, strict, [Draft(text=text, policy="upstream")])

    async def record(self, turn: Turn, responses: Sequence[Response]) -> bool:
        """Journal the turn and remember what it states; whether that worked."""
        if turn.context.incognito or not responses:
            return True
        try:
            await self.call(self._record, turn, responses)
        except BefitError as error:
            logger.warning("the turn was not recorded: %s", error)
            return False
        return True

    async def call(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run anything of the cycle in a thread."""
        return await asyncio.get_running_loop().run_in_executor(
            self._slow, lambda: work(*args, **kwargs)
        )

    def space(self, context: Context) -> PreferenceSpace:
        """The named coordinates, which the memory knows."""
        if self._space is None:
            self._space = self.cycle.memory.recall(replace(context, messages=())).space
        return self._space

    def close(self) -> None:
        """End the threads; what has not begun is dropped."""
        for pool in (self._memory, self._slow):
            pool.shutdown(wait=False, cancel_futures=True)

    def _record(self, turn: Turn, responses: Sequence[Response]) -> None:
        for response in responses:
            self.cycle.record(turn.context, response)
        if self.options.learn_stated and turn.personalize:
            self._learn(turn.context, responses[0])

    def _learn(self, context: Context, response: Response) -> None:
        """Keep a preference that the newest message states, in the person's own words alone."""
        if context.messages[-1].role != "user":  # a tool's result: the words were read before
            return
        said = [m.text for m in context.messages if m.role in ("system", "assistant")]
        words = own_words(context.prompt, said).strip()
        if not words or len(words) > LONGEST_STATEMENT:
            return
        found = stated(self.space(context), context.user, words, context.at, context.scope)
        if found.values and not any(
            old.text == words and abs(context.at - old.at) < SAME
            for old in self.cycle.memory.evidence(context.user)
        ):
            self.cycle.remember([replace(found, source=response.id)])


def is_personal(conditioning: Conditioning) -> bool:
    """Whether anything of the person reaches the model."""
    c = conditioning
    return bool(c.instructions or c.quotes or c.examples or c.beliefs or c.adapter or c.tools)
