"""The default beside the best of the peers, at every number of shots and over the whole curve.

The best peer is chosen by the accuracies that are compared, at each number of shots anew: chance is
on the peer's side, and the default is said to do a little worse than it does. Peers are tuned as
the default is, on people kept aside. Measures nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from befit.evaluate.active import MARK
from befit.evaluate.figures import BLIND, DEFAULT, WRONG
from befit.evaluate.schema import Row

NO_PEERS = frozenset({BLIND, WRONG, "longer-wins", "random"})
LEVEL = 0.05  # of p after Holm
_Key = tuple[str, str, int | None, str]  # data, method, shots, metric


@dataclass(frozen=True, slots=True, kw_only=True)
class Duel:
    """The default and one peer on one data set.

    Attributes:
        data: The data set, or a part of it.
        shots: After so many pairs of a person; None is the area under the k-shot curve.
        peer: The best peer there.
        ours: Accuracy of the default, or its area.
        theirs: Of the peer.
        gain: Ours less theirs, person by person.
        lo: Lower end of the 95% interval of it.
        hi: Upper end.
        p: Of no difference.
        p_holm: The same after Holm's correction over all comparisons of the data set.
    """

    data: str
    shots: int | None
    peer: str
    ours: float
    theirs: float
    gain: float
    lo: float
    hi: float
    p: float
    p_holm: float

    @property
    def outcome(self) -> str:
        """``ahead``, ``behind``, or ``level`` where the difference is noise."""
        if self.p_holm >= LEVEL:
            return "level"
        return "ahead" if self.gain > 0.0 else "behind"


def is_peer(method: str) -> bool:
    """Whether it is another's method: no baseline, not ours in another form, no chosen pairs."""
    ours = method == DEFAULT or method.startswith(f"{DEFAULT}-")
    return not ours and method not in NO_PEERS and MARK not in method


def duels(
    rows: Sequence[Row],
    comparisons: Sequence[Mapping[str, Any]],
    areas: Sequence[Mapping[str, Any]],
) -> list[Duel]:
    """One for each data set and number of shots, and one for the area under each curve.

    Args:
        rows: Of a result.
        comparisons: Of its metadata.
        areas: Of its metadata.
    """
    known = {(r.data, r.method, r.shots, r.metric): r for r in rows}
    tests = {
        (c["data"], c["method"], c["shots"]): c for c in comparisons if c["against"] == DEFAULT
    }
    curves = {(c["data"], c["method"]): c for c in areas if c["against"] == DEFAULT}
    found = []
    for data, shots in dict.fromkeys((r.data, r.shots) for r in rows if r.metric == "accuracy"):
        if shots is None:
            continue
        peer = _best(rows, data, shots, "accuracy")
        test = tests.get((data, peer, shots))
        gain = known.get((data, peer, shots, "gain_over_default"))
        if test is not None and gain is not None:
            ends = {"gain": gain.value, "lo": gain.lo, "hi": gain.hi}
            found.append(_duel(known, (data, peer, shots, "accuracy"), {**test, **ends}))
    for data in dict.fromkeys(data for data, _ in curves):
        peer = _best(rows, data, None, "area_under_curve")
        if (data, peer) in curves:
            key = (data, peer, None, "area_under_curve")
            found.append(_duel(known, key, curves[data, peer]))
    return found


def _best(rows: Sequence[Row], data: str, shots: int | None, metric: str) -> str:
    here = [r for r in rows if (r.data, r.shots, r.metric) == (data, shots, metric)]
    peers = [r for r in here if is_peer(r.method)]
    return max(peers, key=lambda r: r.value).method if peers else ""


def _duel(known: Mapping[_Key, Row], key: _Key, test: Mapping[str, Any]) -> Duel:
    """Turned round: the figures say what the peer gains over the default."""
    data, peer, shots, metric = key
    return Duel(
        data=data,
        shots=shots,
        peer=peer,
        ours=known[data, DEFAULT, shots, metric].value,
        theirs=known[key].value,
        gain=-test["gain"],
        lo=-test["hi"],
        hi=-test["lo"],
        p=test["p"],
        p_holm=test["p_holm"],
    )


def never_behind(found: Sequence[Duel], data: str, shots: Sequence[int]) -> bool | None:
    """Whether the default is level or ahead at each of these shots; None where none was asked."""
    own = [duel for duel in found if duel.data == data and duel.shots in shots]
    return all(duel.outcome != "behind" for duel in own) if own else None


def duels_of(metadata: Mapping[str, Any]) -> list[Duel]:
    """The duels that a result's metadata hold."""
    return [Duel(**each) for each in metadata.get("best_peers", ())]
