"""Asking a language model in a constrained form: one question, one JSON object, or nothing."""

import json
from dataclasses import replace
from typing import Any

from befit.core.dialogue import Context, Message


def asked(context: Context, question: Message) -> Context:
    """The context with the question alone, sampled as little as the policy allows."""
    return replace(context, messages=(question,), temperature=0.0)


def one_object(text: str) -> dict[str, Any]:
    """The JSON object that an answer consists of; {} where it is anything else.

    A fence of three backticks around it is let pass, since chat models add one unasked. A key that
    stands twice makes it nonsense.
    """
    body = text.strip()
    if body.startswith("```") and body.endswith("```"):
        body = body.removeprefix("```").removeprefix("json").removesuffix("```").strip()
    try:
        value = json.loads(body, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a key stands twice")
    return table
