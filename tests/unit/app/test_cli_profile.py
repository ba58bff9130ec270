from datetime import UTC, datetime

from befit.app.cli_profile import lines, rows
from befit.belief.fold import BayesFold
from befit.core.preference import Preference
from befit.memory.spaces import load_space

AT = datetime(2026, 6, 1, tzinfo=UTC)


def test_what_cannot_be_settled_is_asked_without_being_asked_why() -> None:
    belief = Preference(
        dimension="length", mean=0.0, std=0.6, question="Do you want answers short, or long?"
    )
    made = rows([belief], [], [], BayesFold(), (load_space("style"), AT, ""))
    for row in made:
        row.pop("why")
    assert "to ask: Do you want answers short, or long?" in lines(made)


def test_the_surest_side_comes_first() -> None:
    beliefs = [Preference(dimension=name, mean=mean) for name, mean in (("a", 0.1), ("b", -0.9))]
    said = lines(rows(beliefs, [], [], BayesFold(), (load_space("style"), AT, "")))
    assert said.index("b") < said.index("+0.10")
