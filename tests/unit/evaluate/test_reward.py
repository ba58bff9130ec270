import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from befit.align.rewards.blind import LongerWins, RandomGuess
from befit.align.rewards.pairs import Array, Pairs, Person, Population
from befit.core.errors import InputError, UnknownComponentError
from befit.evaluate.collected import pair_means
from befit.evaluate.datasets.search import MissingDataError
from befit.evaluate.drawing import curves, svg
from befit.evaluate.report import page, write_report
from befit.evaluate.reward import BASELINES, evaluate_reward
from befit.evaluate.schema import Result
from befit.evaluate.trials import COSTS

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ANIMALS = ("cats", "dogs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """Prefers the animal that the history preferred."""

    @property
    def personal(self) -> bool:
        return True

    @property
    def embeds(self) -> bool:
        return False

    def fit(self, train: Population, validation: Population, *, seed: int) -> "Counting":
        return self

    def adapt(self, people: Sequence[Person]) -> Sequence[float]:
        return [float(_cats(person.pairs).sum()) for person in people]

    def logits(self, state: float, pairs: Pairs) -> Array:
        found: Array = 2.0 * np.sign(state) * _cats(pairs)
        return found


def _cats(pairs: Pairs) -> Array:
    return np.array([1.0 if "cats" in pairs.texts.names[at] else -1.0 for at in pairs.chosen])


@pytest.fixture
def simple(monkeypatch: pytest.MonkeyPatch) -> None:
    methods: dict[str, object] = {
        "default": Counting(),
        "user-blind": RandomGuess(),
        "longer-wins": LongerWins(),
        "random": RandomGuess(),
    }
    known: Callable[[str], object] = methods.__getitem__
    for module in ("reward", "running"):
        monkeypatch.setattr(f"befit.evaluate.{module}.method_named", known)


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
    compared = {row.method for row in result.rows if row.metric == "accuracy"}
    assert compared == {"default", *BASELINES}
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
    first, second = _evaluate(path), _evaluate(path)
    assert first.metadata == second.metadata
    assert _uncosted(first) == _uncosted(second)


def _uncosted(result: Result) -> list[object]:
    return [row for row in result.rows if row.metric not in COSTS]


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
    values = np.array([[1.0, 1.0], [0.0, 1.0], [0.0, np.nan], [1.0, 1.0]])
    first, second = pair_means(np.array([0, 0, 0, 1]), np.array([0, 1, 0, 0]), values)
    assert first[:, 0].tolist() == [0.5, 0.0]
    assert np.isnan(first[:, 1]).all()
    assert second.tolist() == [[1.0, 1.0]]


@pytest.mark.usefixtures("simple")
def test_what_is_personal_is_told_from_what_only_looks_so(tmp_path: Path) -> None:
    result = _evaluate(_file(tmp_path, 30))
    flips = result.find("animals", "default", 8, "flip_rate")
    assert flips is not None
    assert flips.value == 1.0  # the opposite answers, the opposite prediction
    gap = result.find("animals", "default", 8, "gap")
    assert gap is not None
    assert gap.lo > 0.1
    assert result.find("animals", "user-blind", 8, "gap") is None
    harm = result.find("animals", "default", 8, "negative_transfer")
    assert harm is not None
    assert harm.value == 0.0
    curve = result.find("animals", "default", None, "area_under_curve")
    assert curve is not None
    assert 0.5 < curve.value < 1.0


@pytest.mark.usefixtures("simple")
def test_what_was_done_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, folder = _file(tmp_path, 12), tmp_path / "kept"

    def go() -> Result:
        return evaluate_reward(pairs=path, shots=(0, 4), seeds=2, folder=folder, created=NOW)

    first = go()

    def refuse(*_: object) -> None:
        raise AssertionError("done again")

    monkeypatch.setattr("befit.evaluate.running.predict", refuse)
    again = go()
    assert first.rows == again.rows
    path.write_text(path.read_text().replace("0x1b", "0x1c"))
    with pytest.raises(AssertionError, match="done again"):
        go()  # other pairs are another question


@pytest.mark.usefixtures("simple")
@pytest.mark.parametrize("split", ["seen-person", "seen-text", "unseen-text"])
def test_other_splits_ask_something_new(tmp_path: Path, split: str) -> None:
    result = evaluate_reward(
        pairs=_file(tmp_path, 18) if split != "seen-text" else _shared(tmp_path),
        shots=(0, 2),
        seeds=1,
        split=split,  # type: ignore[arg-type]
        created=NOW,
    )
    learned = result.find("animals", "default", 2, "accuracy")
    assert learned is not None
    assert learned.value > 0.7


def _shared(folder: Path) -> Path:
    """Everyone compares the same stories."""
    path = folder / "animals.jsonl"
    lines = []
    for person in range(18):
        liked, other = ANIMALS[:: 1 if person % 2 else -1]
        for number in range(12):
            sides = [f"A story about {animal}, {number}" for animal in (liked, other)]
            row = {"user": f"u{person}", "prompt": "", "chosen": sides[0], "rejected": sides[1]}
            lines.append(json.dumps(row))
    path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"shots": ()}, "shots"),
        ({"shots": (-1,)}, "shots"),
        ({"seeds": 0}, "seeds"),
        ({"pairs": None}, "data"),
        ({"split": "new-person"}, "split"),
    ],
)
def test_an_option_out_of_range_is_named(
    tmp_path: Path, change: dict[str, object], field: str
) -> None:
    options: dict[str, object] = {"pairs": tmp_path / "x", "shots": (1,), "seeds": 1, **change}
    with pytest.raises(InputError) as caught:
        evaluate_reward(created=NOW, **options)  # type: ignore[arg-type]
    assert caught.value.field == field


@pytest.mark.usefixtures("simple")
def test_a_member_of_a_group_that_is_not_there_is_told_and_one_named_outright_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEFIT_DATA", "")
    monkeypatch.setenv("BEFIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)

    def go(*data: str, pairs: Path | None = None) -> Result:
        return evaluate_reward(data, pairs=pairs, shots=(0, 4), seeds=1, created=NOW)

    result = go("people", pairs=_file(tmp_path, 12))
    assert result.find("animals", "default", 4, "accuracy") is not None
    told = {each["data"]: each["why"] for each in result.metadata["not_tested"]}
    assert "was not found" in told["polis"]
    with pytest.raises(MissingDataError, match="polis"):
        go("people", "polis", pairs=_file(tmp_path, 12))
    with pytest.raises(MissingDataError):
        go("people")  # nothing at all is left


def test_an_unknown_method_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(UnknownComponentError) as caught:
        evaluate_reward(pairs=_file(tmp_path, 6), methods=("defualt",), created=NOW)
    assert "user-blind" in caught.value.hint


@pytest.mark.usefixtures("simple")
def test_the_page_holds_curves_and_tables_and_escapes_names(tmp_path: Path) -> None:
    path = _file(tmp_path, 9)
    path = path.rename(path.with_name("<b>mine.jsonl"))
    result = _evaluate(path)
    write_report(result, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert text == page(result)
    assert text.count("<svg") == 4  # curves, calibration, gains, costs
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
