"""The cycle's verbs off the event loop: memory under a deadline, the rest in threads of its own.

Personalization fails open: a store that is slow or broken costs the turn its beliefs, never its
answer. Harm fails closed in the boundary, which this module does not touch.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ParamSpec, TypeVar

from befit.app.listening import Heard, Listener
from befit.app.server.options import ServerOptions
from befit.app.server.problems import problem_of
from befit.app.server.turn import Turn, beside_text
from befit.core.dialogue import Conditioning, Context, Draft, Message, Response
from befit.core.errors import BefitError, InputError
from befit.core.feedback import Interaction
from befit.core.people import UserId
from befit.core.preference import PreferenceSpace
from befit.core.protocols import Submits
from befit.cycle import Cycle
from befit.features.forget_conversation import any_asks

RECORD_S = 1.0  # longest wait for the journal; past it the answer goes out without its id

NOBODY = UserId("befit:nobody")  # of whom nothing is ever kept

P = ParamSpec("P")
T = TypeVar("T")
logger = logging.getLogger("befit.server")


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a model is conditioned on for one turn.

    Attributes:
        conditioning: Empty where nothing of the person may or can be used.
        reason: In a word why it is empty; "" where it is not.
        learns: Whether memory answered, so that what the turn states can be kept.
    """

    conditioning: Conditioning
    reason: str = ""
    learns: bool = False

    @property
    def personal(self) -> bool:
        """Whether anything of the person reaches the model."""
        c = self.conditioning
        return bool(c.instructions or c.quotes or c.examples or c.beliefs or c.adapter or c.tools)


@dataclass(slots=True)
class Offload:
    """Runs one cycle for many requests.

    Attributes:
        cycle: The cycle.
        options: The deadline, how many threads, what is learned from a turn.
        listener: Hears what people say in their turns; None reads by the grammar.
        guards_are_slow: Whether the guards, when last asked, would keep the event loop waiting.
    """

    cycle: Cycle
    options: ServerOptions
    listener: Listener | None = None
    guards_are_slow: bool = False
    _memory: ThreadPoolExecutor = field(init=False, repr=False)
    _slow: ThreadPoolExecutor = field(init=False, repr=False)
    _listener: Listener = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Make the threads; none starts before it is needed."""
        self._listener = self.listener or Listener(cycle=self.cycle)
        self._memory = ThreadPoolExecutor(self.options.threads, "befit-memory")
        self._slow = ThreadPoolExecutor(self.options.threads, "befit-slow")

    def warm(self, at: datetime) -> None:
        """Load, beside the first requests, what memory and guards load on first use."""
        hello = (Message("user", "Hello."),)
        context = Context(user=NOBODY, messages=hello, at=at, incognito=True)
        self._memory.submit(self.cycle.prepare, context)
        answer = [Draft(text="Hello.", policy="warm")]
        self._slow.submit(self.cycle.admit, context, Conditioning(), answer)

    async def hear(self, turn: Turn) -> tuple[Heard, int | None]:
        """Understand a turn, and forget what it asks to be forgotten.

        Returns:
            What was understood, and how many records went; None where nothing was asked to.

        Raises:
            StoreError: It could not be erased; to be asked again.
        """
        if not any_asks(turn.context.messages):
            texts = tuple(message.text for message in turn.context.messages)
            return Heard(context=turn.context, texts=texts), None
        heard = await self.call(self._listener.hear, turn.context, beside_text(turn.body))
        if not heard.requests:
            return heard, None
        return heard, await self.finish(self._listener.forget, heard)

    async def prepare(self, turn: Turn) -> Prepared:
        """The conditioning, within the deadline.

        Raises:
            InputError: The conversation makes no sense.
        """
        if not turn.personalize:
            return Prepared(Conditioning(), "off" if turn.context.user else "anonymous")
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._memory, self.cycle.prepare, turn.context)
        try:
            conditioning = await asyncio.wait_for(work, self.options.deadline_ms / 1000)
        except TimeoutError:
            return Prepared(Conditioning(), "deadline")
        except InputError:
            raise
        except BefitError as error:
            logger.warning("no personalization: %s", error)
            return Prepared(Conditioning(), problem_of(error).code)
        except Exception:
            logger.exception("no personalization")  # fails open whatever it is
            return Prepared(Conditioning(), "error")
        prepared = Prepared(conditioning, learns=True)
        return prepared if prepared.personal else replace(prepared, reason="nothing-known")

    async def admit(
        self, context: Context, conditioning: Conditioning, drafts: Sequence[Draft]
    ) -> Response:
        """The first allowed draft, else the generic answer, else the refusal."""
        return await self.call(self.cycle.admit, context, conditioning, drafts)

    async def judge(self, context: Context, conditioning: Conditioning, text: str) -> Response:
        """``text`` if it is allowed, else the refusal; no other answer is sought."""
        strict = Conditioning(caution=conditioning.caution)
        return await self.admit(context, strict, [Draft(text=text, policy="upstream")])

    async def record(self, turn: Turn, prepared: Prepared, responses: Sequence[Response]) -> bool:
        """Journal the turn and remember what it states; whether it is in the journal."""
        if turn.context.incognito or not responses:
            return False
        try:
            await asyncio.wait_for(asyncio.shield(self._recorded(turn, responses)), RECORD_S)
        except TimeoutError:
            logger.warning("the turn was not recorded in time")
        except BefitError as error:
            logger.warning("the turn was not recorded: %s", error)
        except Exception:
            logger.exception("the turn was not recorded")  # the answer goes out whatever it is
        else:
            await self._learn(turn, prepared, responses[0])
            return True
        return False

    async def call(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run anything of the cycle in a thread."""
        return await asyncio.get_running_loop().run_in_executor(
            self._slow, lambda: work(*args, **kwargs)
        )

    async def finish(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As `call`, but where the caller is cancelled it waits until the work is done."""
        doing = asyncio.ensure_future(self.call(work, *args, **kwargs))
        try:
            return await asyncio.shield(doing)
        except asyncio.CancelledError:
            await asyncio.wait({doing})
            raise

    def space(self, context: Context) -> PreferenceSpace:
        """The named coordinates, which the memory knows."""
        return self._listener.space(context)

    def close(self) -> None:
        """End the threads; what has not begun is dropped."""
        for pool in (self._memory, self._slow):
            pool.shutdown(wait=False, cancel_futures=True)

    def _recorded(self, turn: Turn, responses: Sequence[Response]) -> "asyncio.Future[list[None]]":
        """Done once the turn is in the journal."""
        journal, context = self.cycle.journal, turn.context
        if isinstance(journal, Submits):
            given = [journal.submit(Interaction(context=context, response=r)) for r in responses]
            return asyncio.gather(*map(asyncio.wrap_future, given))
        return asyncio.gather(*(self.call(self.cycle.record, context, r) for r in responses))

    async def _learn(self, turn: Turn, prepared: Prepared, response: Response) -> None:
        """Keep what the newest message states, in the person's own words alone."""
        if not (self.options.learn_stated and prepared.learns):
            return
        try:
            await self.call(self._listener.remember, turn.context, response.id)
        except BefitError as error:
            logger.warning("nothing was learned from the turn: %s", error)
        except Exception:
            logger.exception("nothing was learned from the turn")
