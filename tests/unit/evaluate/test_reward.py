import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Self

import numpy as np
import pytest
from numpy.typing import NDArray

from befit.core.errors import InputError, UnknownComponentError
from befit.evaluate.methods import LongerWins, Method, RandomGuess, WrongUser
from befit.evaluate.report import curves, page, svg, write_report
from befit.evaluate.reward import BASELINES, evaluate_reward, pair_means
from befit.evaluate.schema import PairRow, Result
from befit.evaluate.trials import Trials

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ANIMALS = ("cats", "dogs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """Prefers the animal that the support preferred."""

    @property
    def history(self) -> Literal["own"]:
        return "own"

    @property
    def embeds(self) -> bool:
        return False

    @property
    def learner(self) -> Self:
        return self

    def fit(self, train: Sequence[PairRow], validation: Sequence[PairRow], seed: int) -> Self:
        return self

    def state(self, support: Sequence[PairRow]) -> int:
        return sum(1 if "cats" in row.chosen else -1 for row in support)

    def probabilities(self, state: int, query: Sequence[PairRow]) -> NDArray[np.float64]:
        sign = np.array([1 if "cats" in row.chosen else -1 for row in query])
        return np.asarray(0.5 + 0.4 * np.sign(state) * sign)


@pytest.fixture
def simple(monkeypatch: pytest.MonkeyPatch) -> None:
    methods: dict[str, object] = {
        "default": Counting(),
        "user-blind": RandomGuess(),
        "wrong-user": WrongUser(learner=Counting()),
        "longer-wins": LongerWins(),
        "random": RandomGuess(),
    }
    known: Callable[[str], object] = methods.__getitem__
    monkeypatch.setattr("befit.evaluate.reward._method", known)


def _file(folder: Path, people: int, *, parts: bool = False) -> Path:
    path = folder / "animals.jsonl"
    lines = []
    for person in range(people):
        liked, other = ANIMALS[:: 1 if person % 2 else -1]
        for number in range(24):
            tag = f"{person}x{number}"
            sides = "ab"[:: 1 if number % 2 else -1]  # nothing but the animal tells the sides apart
            row = {
                "user": f"u{person}",
                "prompt": "",
                "chosen": f"A story about {liked}, part {tag}{sides[0]}",
                "rejected": f"A story about {other}, part {tag}{sides[1]}",
            }
            if parts:
                row["part"] = ("support" if number < 8 else "query") if person < 6 else "train"
            lines.append(json.dumps(row))
    path.write_text("\n".join(lines))
    return path


def _evaluate(path: Path, shots: Sequence[int] = (0, 1, 8), seeds: int = 3) -> Result:
    return evaluate_reward(pairs=path, shots=shots, seeds=seeds, created=NOW)


@pytest.mark.usefixtures("simple")
def test_a_method_that_learns_the_person_wins_and_another_person_does_not_help(
    tmp_path: Path,
) -> None:
    result = _evaluate(_file(tmp_path, 30))
    learned = result.find("animals", "default", 8, "accuracy")
    assert learned is not None
    assert learned.value == 1.0
    assert learned.people == 30
    assert result.find("animals", "default", 0, "accuracy").value == 0.5  # type: ignore[union-attr]
    wrong = result.find("animals", "wrong-user", 8, "accuracy")
    assert wrong is not None
    assert wrong.lo < 0.55
    gain = result.find("animals", "default", 8, "gain_over_wrong_user")
    assert gain is not None
    assert gain.lo > 0.1
    test = next(
        c
        for c in result.metadata["comparisons"]
        if (c["method"], c["against"], c["shots"]) == ("default", "wrong-user", 8)
    )
    assert test["p"] < 0.01


@pytest.mark.usefixtures("simple")
def test_every_row_is_whole_and_the_baselines_are_always_there(tmp_path: Path) -> None:
    result = _evaluate(_file(tmp_path, 12))
    assert {row.method for row in result.rows} == {"default", *BASELINES}
    for row in result.rows:
        assert row.lo - 1e-9 <= row.value <= row.hi + 1e-9, row
        assert row.people >= 2
    keys = [(row.data, row.method, row.shots, row.metric) for row in result.rows]
    assert len(set(keys)) == len(keys)
    for name in ("schema_version", "run_id", "created", "seeds", "versions", "machine", "n"):
        assert name in result.metadata


@pytest.mark.usefixtures("simple")
def test_the_same_question_has_the_same_answer_to_the_bit(tmp_path: Path) -> None:
    path = _file(tmp_path, 12)
    assert _evaluate(path).to_json() == _evaluate(path).to_json()


@pytest.mark.usefixtures("simple")
def test_the_parts_of_the_file_decide_who_is_tested(tmp_path: Path) -> None:
    result = _evaluate(_file(tmp_path, 12, parts=True), shots=(0, 8, 16))
    row = result.find("animals", "default", 8, "accuracy")
    assert row is not None
    assert row.people == 6
    assert row.value == 1.0
    assert result.find("animals", "default", 16, "accuracy") is None  # nobody has 16


@pytest.mark.usefixtures("simple")
def test_progress_reaches_its_end(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    evaluate_reward(
        pairs=_file(tmp_path, 6),
        shots=(1,),
        seeds=1,
        created=NOW,
        progress=lambda what, done, total: told.append((what, done, total)),
    )
    ends = {what for what, done, total in told if done == total}
    assert ends == {what for what, _, _ in told}


def test_a_lacking_column_is_lacking_for_the_whole_person() -> None:
    trials = Trials(
        users=("a", "b"),
        person=np.array([0, 0, 0, 1]),
        pair=np.array([0, 1, 0, 0]),
        probabilities={},
        separated={},
    )
    values = np.array([[1.0, 1.0], [0.0, 1.0], [0.0, np.nan], [1.0, 1.0]])
    first, second = pair_means(trials, values)
    assert first[:, 0].tolist() == [0.5, 0.0]
    assert np.isnan(first[:, 1]).all()
    assert second.tolist() == [[1.0, 1.0]]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"shots": ()}, "shots"),
        ({"shots": (-1,)}, "shots"),
        ({"seeds": 0}, "seeds"),
        ({"pairs": None}, "data"),
    ],
)
def test_an_option_out_of_range_is_named(
    tmp_path: Path, change: dict[str, object], field: str
) -> None:
    options: dict[str, object] = {"pairs": tmp_path / "x", "shots": (1,), "seeds": 1, **change}
    with pytest.raises(InputError) as caught:
        evaluate_reward(created=NOW, **options)  # type: ignore[arg-type]
    assert caught.value.field == field


def test_an_unknown_method_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(UnknownComponentError) as caught:
        evaluate_reward(pairs=_file(tmp_path, 6), methods=("defualt",), created=NOW)
    assert "user-blind" in caught.value.hint


def test_longer_wins_and_the_coin_say_what_they_are() -> None:
    row = PairRow(user="u", prompt="", chosen="long text", rejected="short")
    other = PairRow(user="u", prompt="", chosen="short", rejected="long text")
    method: Method = LongerWins()
    fit = method.fit([row, row, row, other], [], 0)
    assert fit.probabilities(None, [row, other]).tolist() == [0.75, 0.25]
    assert RandomGuess().fit([], [], 0).probabilities(None, [row]).tolist() == [0.5]


@pytest.mark.usefixtures("simple")
def test_the_page_holds_curves_and_tables_and_escapes_names(tmp_path: Path) -> None:
    path = _file(tmp_path, 9)
    path = path.rename(path.with_name("<b>mine.jsonl"))
    result = _evaluate(path)
    write_report(result, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert text == page(result)
    assert text.count("<svg") == 1
    assert "gain over user-blind" in text
    assert "<b>mine" not in text.replace("&lt;b&gt;mine", "")
    assert "http" not in text.replace("http://www.w3.org", "").replace(
        "http://purl.org", ""
    ).replace("http://creativecommons.org", "")
    drawn = curves(result.rows, "<b>mine")
    assert svg(drawn).startswith("<svg")


@pytest.mark.local
@pytest.mark.slow
def test_the_real_methods_run_on_anyones_pairs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEFIT_CACHE", str(tmp_path / "cache"))
    result = evaluate_reward(pairs=_file(tmp_path, 24), shots=(0, 8), seeds=1, created=NOW)
    personal = result.find("animals", "default", 8, "accuracy")
    blind = result.find("animals", "user-blind", 8, "accuracy")
    wrong = result.find("animals", "wrong-user", 8, "accuracy")
    assert personal is not None
    assert blind is not None
    assert wrong is not None
    assert personal.value > max(blind.value, wrong.value) + 0.1
