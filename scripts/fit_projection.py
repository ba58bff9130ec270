"""Fits the card of the projectors anew: python scripts/fit_projection.py [FOLDER].

The anchors on the texts that ship with the package, the surface on the replies that volunteers
wrote for OASST1 (English validation split), of twenty words or more. Without a folder it replaces
the card in the package. Takes about a minute.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

from befit.evaluate.datasets.search import find_files, read_jsonl
from befit.features import fitting_projection
from befit.memory.spaces import load_space

FEWEST_WORDS, FEWEST_TEXTS = 20, 3


def authors() -> dict[str, list[str]]:
    """Author -> their replies."""
    (path,) = find_files("oasst1-validation-en", ("messages.jsonl.gz",))
    found: dict[str, list[str]] = defaultdict(list)
    for message in read_jsonl(path):
        if message["role"] == "assistant" and len(message["text"].split()) >= FEWEST_WORDS:
            found[message["user_id"]].append(message["text"])
    return {who: texts for who, texts in found.items() if len(texts) >= FEWEST_TEXTS}


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if sys.argv[1:] else Path(fitting_projection.__file__).parent
    source = {"name": "oasst1-validation-en", "licence": "Apache-2.0"}
    card = fitting_projection.fit_projection(folder, load_space("needs"), authors(), source)
    print(json.dumps(card["anchors"]["figures"], indent=1))
