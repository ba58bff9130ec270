"""Presidio beside our own checks: it knows the ids of more countries, and with a model, names.

Its findings come under our kinds where there is one; names and places come as "person" and
"place", which nothing masks unless a deployment asks for it: who loves Bach may say so. Where both
find something, our own checks win, for they test the digits. Nothing is downloaded here: without a
model its patterns work alone.

Source: Microsoft Presidio (presidio-analyzer), https://microsoft.github.io/presidio.
"""

from dataclasses import dataclass
from functools import lru_cache

import spacy  # type: ignore[import-not-found,unused-ignore]
from presidio_analyzer import (  # type: ignore[import-not-found,unused-ignore]
    AnalyzerEngine,
    RecognizerRegistry,
)
from presidio_analyzer.nlp_engine import (  # type: ignore[import-not-found,unused-ignore]
    SpacyNlpEngine,
)

from befit.core.errors import ModelFileError
from befit.memory.personal_data import Finder, Finding, PersonalData

#: Presidio's entities by our kinds; every other entity of a country counts as a national id.
KIND_OF = {
    "CREDIT_CARD": "card",
    "IBAN_CODE": "iban",
    "US_SSN": "ssn",
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "IP_ADDRESS": "ip",
    "PERSON": "person",
    "LOCATION": "place",
    "CRYPTO": "key",
}
_COUNTRY = 2  # letters before the first underscore of an entity that belongs to a country
_OWN = PersonalData()


@dataclass(frozen=True, slots=True, kw_only=True)
class PresidioFinder:
    """Our own checks, and Presidio's.

    Attributes:
        language: Of the texts, ISO 639-1.
        model: An installed spaCy pipeline, such as "en_core_web_sm", which finds names and places;
            "" leaves it at patterns.
        least: Score from which Presidio is believed, in [0, 1].
        own: Whose findings come first.
    """

    language: str = "en"
    model: str = ""
    least: float = 0.4
    own: Finder = _OWN

    def find(self, text: str) -> tuple[Finding, ...]:
        """What is there, in order, none within another.

        Raises:
            ModelFileError: The spaCy pipeline is not installed.
        """
        found = list(self.own.find(text))
        if not text.strip():
            return tuple(found)
        told = _analyzer(self.language, self.model).analyze(
            text=text, language=self.language, score_threshold=self.least
        )
        for each in sorted(told, key=lambda one: (-one.score, one.start, -one.end)):
            kind = _kind(each.entity_type)
            if kind and all(each.end <= f.start or each.start >= f.end for f in found):
                found.append(Finding(kind, each.start, each.end))
        return tuple(sorted(found, key=lambda one: one.start))


def _kind(entity: str) -> str:
    country, _, rest = entity.partition("_")
    known = KIND_OF.get(entity, "")
    return known or ("national_id" if rest and len(country) == _COUNTRY else "")


@lru_cache(maxsize=4)
def _analyzer(language: str, model: str) -> AnalyzerEngine:
    """Presidio with its predefined recognizers."""
    engine = SpacyNlpEngine(models=[{"lang_code": language, "model_name": model or language}])
    try:
        engine.nlp = {language: spacy.load(model) if model else spacy.blank(language)}
    except (OSError, ImportError) as error:
        raise ModelFileError(
            f"spaCy cannot load {model or language!r}: {error}",
            hint=f"python -m spacy download {model or language}",
            field="model",
        ) from error
    registry = RecognizerRegistry(supported_languages=[language])
    registry.load_predefined_recognizers(languages=[language], nlp_engine=engine)
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=[language])
