"""What an evaluation of rewards prints, and what it says beside."""

from befit.app.cli_pairs import MOST_ROWS, headline, notes
from befit.evaluate.schema import Row


def row(metric: str) -> Row:
    return Row(
        data="votes", method="default", shots=8, metric=metric, value=0.7, lo=0.6, hi=0.8, people=9
    )


def test_few_figures_are_printed_whole_and_of_many_the_accuracies() -> None:
    few = [row("accuracy"), row("ece")]
    assert headline(few) == few
    many = [row("accuracy"), *[row("ece")] * MOST_ROWS]
    assert headline(many) == [row("accuracy")]


def test_what_was_left_out_and_what_is_not_met_is_said() -> None:
    gate = {"data": "votes", "wanted": "people", "value": 0.25, "met": False}
    metadata = {
        "not_tested": [{"data": "polis", "why": "was not found"}],
        "left_out_for_too_few_people": [{"data": "votes", "method": "lore", "shots": 32}],
        "gates": [gate, {**gate, "met": True}],
    }
    assert list(notes(metadata)) == [
        "not tested: polis: was not found",
        "left out, too few people: votes, lore, 32 shots",
        "not met: votes: people; measured 0.250",
        "gates met: 1 of 2",
    ]
