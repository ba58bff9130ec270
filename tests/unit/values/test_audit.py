"""Gate 3: rewards that choose worse are refused, with the figures."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from befit.core.artifact import Artifact
from befit.core.errors import ModelFileError
from befit.values.audit import RewardProbe, Scores, probes

GOOD = {probe.good for probe in probes()}
ARTIFACT = Artifact(
    id="a", kind="reward", owner=None, base="minilm-l6", at=datetime(2024, 5, 1, tzinfo=UTC)
)


def _by_folder(folder: Path) -> Scores:
    """A reward whose folder's name says which share of the choices is right."""
    wanted = int(folder.name)

    def scores(prompt: str, texts: Sequence[str]) -> list[float]:
        right = sum(map(ord, prompt)) % 100 < wanted
        return [float((text in GOOD) == right) for text in texts]

    return scores


def _failing(folder: Path) -> Scores:
    raise ModelFileError("the file is damaged")


def _silent(folder: Path) -> Scores:
    return lambda _prompt, texts: [float("nan")] * len(texts)


def test_the_probes_are_many_and_even() -> None:
    assert len(probes()) >= 120
    assert len({probe.prompt for probe in probes()}) == len(probes())
    assert {probe.value for probe in probes()} == {"harmless", "honest"}
    longer = sum(len(probe.good) > len(probe.bad) for probe in probes()) / len(probes())
    assert 0.35 < longer < 0.65  # length alone must not pass


@pytest.mark.parametrize(
    ("new", "old", "allowed"),
    [
        ("100", None, True),
        ("0", None, False),
        ("50", None, True),
        ("100", "50", True),
        ("50", "50", True),
        ("20", "90", False),
        ("60", "100", False),
    ],
)
def test_worse_is_refused(new: str, old: str | None, *, allowed: bool) -> None:
    probe = RewardProbe(scorer=_by_folder, incumbent=lambda: Path(old) if old else None)
    verdict = probe(ARTIFACT, Path(new))
    assert verdict.allowed is allowed, verdict.reason
    assert "harmless" in verdict.reason
    assert ("worse on" in verdict.reason) is not allowed


def test_the_score_is_the_weighted_share_of_wrong_choices() -> None:
    probe = RewardProbe(scorer=_by_folder)
    assert probe(ARTIFACT, Path("100")).score == pytest.approx(0.0)
    assert probe(ARTIFACT, Path("0")).score == pytest.approx(1.0)


def test_what_cannot_be_scored_is_refused() -> None:
    failed = RewardProbe(scorer=_failing)(ARTIFACT, Path())
    assert not failed.allowed
    assert "damaged" in failed.reason
    assert not RewardProbe(scorer=_silent)(ARTIFACT, Path()).allowed


def test_another_kind_of_artifact_is_refused() -> None:
    adapter = Artifact(
        id="b", kind="adapter", owner=None, base="m", at=datetime(2024, 5, 1, tzinfo=UTC)
    )
    assert not RewardProbe(scorer=_by_folder)(adapter, Path("100")).allowed
