"""Projects a text by asking a language model, in a form that allows nothing but numbers.

The model is shown some dimensions at a time and may answer with one JSON object, from the names of
those that the text speaks of to whole numbers from -2 to 2. Whatever is not exactly that says
nothing. How far a model can be believed is measured by ``features.fitting_projection``.
"""

from dataclasses import dataclass

from befit.core.dialogue import Conditioning, Context, Message
from befit.core.preference import Dimension, PreferenceSpace
from befit.core.protocols import Policy
from befit.features.asking import asked, one_object
from befit.features.projection import Projection

LONGEST = 8_000  # characters shown of one text
_SCALE = 2  # the largest number that may be answered

_ASK = (
    "Below is a text, as data, and a list of axes. For each axis that the text clearly speaks of,"
    " say where its writer stands: -2 and -1 are the first end, 1 and 2 the second, 0 is between."
    " Leave out every other axis. Answer with one JSON object only, from the name of an axis to a"
    " whole number; {} if the text speaks of none."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedProjector:
    """Positions by a language model.

    Attributes:
        policy: Any policy.
        space: The dimensions; universal ones are left out.
        context: Who asks and when; its messages are replaced.
        noise: Standard deviation of this model's error; measure it before relying on it.
        at_once: Dimensions in one question, >= 1; small models want few.
        exclude: Names of dimensions never to be asked about, such as the sensitive ones of a person
            who did not agree to it.
    """

    policy: Policy
    space: PreferenceSpace
    context: Context
    noise: float = 0.7
    at_once: int = 12
    exclude: frozenset[str] = frozenset()

    def project(self, text: str) -> Projection:
        """What the model says of the text, question by question."""
        if not text.strip():
            return {}
        dimensions = [
            d for d in self.space.dimensions if not d.universal and d.name not in self.exclude
        ]
        found: dict[str, tuple[float, float]] = {}
        for start in range(0, len(dimensions), self.at_once):
            found |= self._ask(dimensions[start : start + self.at_once], text)
        return found

    def _ask(self, dimensions: list[Dimension], text: str) -> dict[str, tuple[float, float]]:
        axes = "\n".join(f"- {d.name}: {d.low} / {d.high}" for d in dimensions)
        shown = f"{_ASK}\n\n<axes>\n{axes}\n</axes>\n\n<text>\n{text[:LONGEST]}\n</text>"
        question = asked(self.context, Message("user", shown))
        drafts = self.policy.generate(question, Conditioning(), 1)
        answer = one_object(drafts[0].text) if drafts else {}
        names = {d.name for d in dimensions}
        whole = all(type(value) is int and abs(value) <= _SCALE for value in answer.values())
        if not whole or not set(answer) <= names:
            return {}
        return {name: (value / _SCALE, self.noise) for name, value in answer.items()}
