"""The people of the demonstration, written for it and shipped with the package."""

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Someone with a way of their own.

    Attributes:
        name: Their id.
        about: What they want, in words; no component ever sees it.
        statements: What they tell befit.
        wants: Surface feature -> the value in [-1, 1] they would like; hidden truth, used to
            measure and never shown to a component.
        references: The answers they would have liked, one a question.
    """

    name: str
    about: str
    statements: tuple[str, ...] = ()
    wants: dict[str, float]
    references: tuple[str, ...] = ()

    @classmethod
    def read(cls, table: dict[str, Any]) -> Self:
        """From its JSON object."""
        return cls(
            name=table["name"],
            about=table["about"],
            statements=tuple(table.get("statements", ())),
            wants=dict(table.get("wants", {})),
            references=tuple(table.get("references", ())),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """Who appears, and what they ask.

    Attributes:
        questions: What the three people ask, the same for all.
        people: The three.
        newcomer: Someone who states nothing and only chooses.
        newcomer_questions: What the newcomer compares two answers to.
        newcomer_after: What is asked before and after the newcomer's choices.
        harmful: Someone whose memory asks for harm.
        harmful_prompts: What they ask.
    """

    questions: tuple[str, ...]
    people: tuple[Person, ...]
    newcomer: Person
    newcomer_questions: tuple[str, ...]
    newcomer_after: tuple[str, ...]
    harmful: Person
    harmful_prompts: tuple[str, ...]


def load_script() -> Script:
    """The script that ships with the package."""
    text = files("befit.app.demo").joinpath("people.json").read_text("utf-8")
    table = json.loads(text)
    return Script(
        questions=tuple(table["questions"]),
        people=tuple(Person.read(person) for person in table["people"]),
        newcomer=Person.read(table["newcomer"]),
        newcomer_questions=tuple(table["newcomer"]["questions"]),
        newcomer_after=tuple(table["newcomer"]["after"]),
        harmful=Person.read({"wants": {}, **table["harm"]}),
        harmful_prompts=tuple(table["harm"]["prompts"]),
    )
