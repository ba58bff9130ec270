"""Figures of an evaluation: k-shot curves, calibration, who gains how much, what it costs.

The default, the user-blind model, another's history and the best peer have a colour and a mark; any
other method is a thin grey line, which its label at the right names in the order of the line's end.
Computes no figure and writes no page.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from befit.evaluate.ceilings import CROWD
from befit.evaluate.duels import is_peer
from befit.evaluate.methods import short
from befit.evaluate.schema import Row

FEW = 8  # methods up to which several peers are in colour, and those that only guess are drawn
AREA = "area_under_curve"


@dataclass(frozen=True, slots=True)
class Style:
    """How a method is drawn; ``first`` of those that stand out."""

    colour: str
    mark: str
    line: str
    first: bool = True


# Okabe and Ito's colours, told apart by people who see few; each method has a mark as well
_STYLES = {
    "default": Style("#0072B2", "o", "-"),
    "user-blind": Style("#D55E00", "s", "--"),
    "wrong-user": Style("#CC79A7", "^", "-."),
    "longer-wins": Style("#666666", "D", ":"),
    "random": Style("#999999", "", ":"),
}
_PEERS = (
    Style("#009E73", "v", "-"),
    Style("#E69F00", "P", "-"),
    Style("#56B4E9", "X", "-"),
    Style("#8B5A2B", "<", "-"),
    Style("#5D3A9B", ">", "-"),
)
_OURS = Style("#0072B2", "", ":", first=False)  # the default in another form
_REST = Style("#aaaaaa", "", "-", first=False)
_FLAT = {"longer-wins", "random"}  # their gain would only stretch the axis


def styles(rows: Sequence[Row]) -> dict[str, Style]:
    """A style for each method: the best peer in colour, where there are few some more."""
    methods = list(dict.fromkeys(row.method for row in rows if row.metric == "accuracy"))
    peers = [method for method in methods if is_peer(method)]
    best = sorted(peers, key=lambda method: (-_mean_accuracy(rows, method), method))
    coloured = dict(zip(best if len(methods) <= FEW else best[:1], _PEERS, strict=False))
    rest = {m: _OURS if m.startswith("default") else _REST for m in methods}
    return {m: _STYLES.get(m) or coloured.get(m) or rest[m] for m in methods}


def _mean_accuracy(rows: Sequence[Row], method: str) -> float:
    own = [row.value for row in rows if row.method == method and row.metric == "accuracy"]
    return sum(own) / max(len(own), 1)


def curves(rows: Sequence[Row], data: str, drawn: Mapping[str, Style] | None = None) -> Figure:
    """Accuracy against the number of pairs seen, and beside it the paired gain over user-blind.

    Bands are 95% intervals. Those of the accuracies overlap because people differ; whether a
    method is better than another is read from the gain, which pairs each person with themselves.

    Args:
        rows: Rows of a result.
        data: The data set to draw.
        drawn: How each method is drawn; None chooses by these rows.
    """
    here = [row for row in rows if row.data == data]
    mine = [row for row in here if row.shots is not None]
    how = drawn or styles(mine)
    many = len({row.method for row in mine})
    if many > FEW:
        mine = [row for row in mine if row.method not in _FLAT]
    figure = Figure(figsize=(11.0, max(4.2, 1.2 + 0.2 * many)), layout="constrained")
    accuracy, gain = figure.subplots(1, 2)
    _draw(accuracy, [row for row in mine if row.metric == "accuracy"], how)
    accuracy.set_title("accuracy, mean over people", loc="left", fontsize=10)
    for oracle in (row for row in here if row.method == CROWD):
        accuracy.axhline(oracle.value, color="#222222", lw=0.8, ls=(0, (1, 3)))
        accuracy.annotate(
            "knows the crowd", (0.01, oracle.value), xycoords=("axes fraction", "data"),
            fontsize=7.5, va="bottom", color="#222222",
        )  # fmt: skip
    gains = [row for row in mine if row.metric == "gain_over_user_blind"]
    _draw(gain, [row for row in gains if row.method not in _FLAT], how)
    gain.axhline(0.0, color="#222222", lw=0.8)
    gain.set_title("gain in accuracy over user-blind, paired", loc="left", fontsize=10)
    people = sorted({row.people for row in mine if row.metric == "accuracy"})
    figure.suptitle(
        f"{data}: {_range(people)} unseen people, 95% intervals", x=0.01, ha="left", fontsize=11
    )
    return figure


def _draw(axes: Axes, rows: Sequence[Row], how: Mapping[str, Style]) -> None:
    shots = sorted({row.shots for row in rows if row.shots is not None})
    methods = list(dict.fromkeys(row.method for row in rows))
    ends: list[tuple[float, float, str]] = []
    for method in sorted(methods, key=lambda m: how[m].first):
        points = sorted((r for r in rows if r.method == method), key=lambda r: r.shots or 0)
        style = how[method]
        at = [shots.index(row.shots) if row.shots is not None else 0 for row in points]
        values = [row.value for row in points]
        if style.first:
            low, high = [row.lo for row in points], [row.hi for row in points]
            axes.fill_between(at, low, high, color=style.colour, alpha=0.15, lw=0)
        width = 2.0 if style.first else 0.8
        axes.plot(at, values, style.line, color=style.colour, marker=style.mark, lw=width, ms=5)
        ends.append((values[-1], at[-1], method))
    axes.set_xticks(range(len(shots)), [str(k) for k in shots])
    axes.set_xlabel("pairs of the unseen person that were seen (k)")
    _plain(axes, "y")
    axes.margins(x=0.02)
    _name(axes, ends, how)


def _name(axes: Axes, ends: Sequence[tuple[float, float, str]], how: Mapping[str, Style]) -> None:
    """Labels at the right, in the order of the values, none upon another."""
    bottom, top = axes.get_ylim()
    axes.set_ylim(bottom, top)
    room = min(0.05, 1.0 / max(len(ends), 1))
    wanted = [(value - bottom) / (top - bottom) for value, _, _ in sorted(ends)]
    for (value, at, method), place in zip(sorted(ends), spread(wanted, room), strict=True):
        style = how[method]
        axes.annotate(
            short(method),
            (at, value),
            xytext=(1.07, place),
            textcoords=("axes fraction", "axes fraction"),
            color=style.colour if style.first else "#666666",
            va="center",
            fontsize=9 if style.first else 8,
            fontweight="bold" if style.first else "normal",
            arrowprops={
                "arrowstyle": "-",
                "color": style.colour,
                "lw": 0.8 if style.first else 0.4,
                "shrinkB": 3,
                "relpos": (0.0, 0.5),  # at the label's left, not through its letters
            },
        )


def spread(wanted: Sequence[float], room: float) -> list[float]:
    """Places as near as may be to those wanted, in [0, 1] and at least ``room`` apart.

    Args:
        wanted: In ascending order.
        room: Between neighbours; where there is too little for all, they share what there is.
    """
    room = min(room, 1.0 / max(len(wanted) - 1, 1))
    places: list[float] = []
    for value in wanted:
        lowest = places[-1] + room if places else 0.0
        places.append(max(value, lowest))
    highest = 1.0
    for i in reversed(range(len(places))):
        places[i] = min(places[i], highest)
        highest = places[i] - room
    return places


def calibration(shape: Mapping[str, Any], drawn: Mapping[str, Style]) -> Figure:
    """How often a method is right when it is so sure, for those that stand out.

    Args:
        shape: One of a result's ``shapes``.
        drawn: How each method is drawn.
    """
    known = shape["reliability"]
    named = [m for m in drawn if m in known and drawn[m].first and m not in _FLAT]
    figure = Figure(figsize=(11.0, 2.9), layout="constrained")
    grid = figure.subplots(1, max(len(named), 1), sharey=True, squeeze=False)[0]
    for axes, method in zip(grid, named, strict=False):
        axes.plot([0.5, 1.0], [0.5, 1.0], color="#222222", lw=0.8)
        style = drawn[method]
        axes.plot(*zip(*known[method], strict=True), "-", color=style.colour, marker="o", ms=4)
        axes.set_title(short(method), loc="left", fontsize=9, color=style.colour)
        axes.set_xticks([0.5, 0.75, 1.0])
        _plain(axes, "both")
    grid[0].set_ylabel("share of hits", fontsize=9)
    figure.supxlabel("confidence", fontsize=9)
    figure.suptitle(
        f"calibration at {_shots(shape)}: on the line, a method is as often right as it says",
        x=0.01,
        ha="left",
        fontsize=10,
    )
    return figure


def gains(shape: Mapping[str, Any], drawn: Mapping[str, Style]) -> Figure:
    """How the gain over user-blind is distributed over people, a line a method.

    Args:
        shape: One of a result's ``shapes``.
        drawn: How each method is drawn.
    """
    known = {m: q for m, q in shape["gains_over_user_blind"].items() if m not in _FLAT}
    methods = sorted(known, key=lambda m: (sum(known[m]), m))
    figure = Figure(figsize=(11.0, 1.3 + 0.24 * len(methods)), layout="constrained")
    axes = figure.subplots()
    for place, method in enumerate(methods):
        q, style = known[method], drawn[method]
        axes.plot([q[1], q[19]], [place, place], color=style.colour, lw=1.2)
        axes.plot([q[5], q[15]], [place, place], color=style.colour, lw=5, solid_capstyle="butt")
        axes.plot([q[10]], [place], "o", color="white", mec=style.colour, ms=5)
    axes.axvline(0.0, color="#222222", lw=0.8)
    axes.set_yticks(range(len(methods)), map(short, methods), fontsize=9)
    _plain(axes, "x")
    axes.set_title(
        f"gain in accuracy over user-blind at {_shots(shape)}, person by person: "
        "thin 90%, thick 50%, ring the median",
        loc="left",
        fontsize=10,
    )
    return figure


def costs(rows: Sequence[Row], drawn: Mapping[str, Style]) -> Figure:
    """What a method gains, as a mean over data sets, against what it costs.

    Args:
        rows: All rows of a result, parts of data sets left out.
        drawn: How each method is drawn.
    """
    won = {m: mean_gain(rows, m) for m in drawn if m not in _FLAT}
    figure = Figure(figsize=(11.0, max(4.0, 1.0 + 0.2 * len(won))), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    asked = (
        ("fit_seconds", "seconds to fit the population"),
        ("adapt_us", "microseconds to take in one reaction"),
    )
    for axes, (metric, words) in zip(panels, asked, strict=True):
        ends: list[tuple[float, float, str]] = []
        for method, gain in won.items():
            spent = [r.value for r in rows if r.method == method and r.metric == metric]
            if gain is None or not spent:
                continue
            style, cost = drawn[method], max(sum(spent) / len(spent), 1e-3)
            axes.plot([cost], [gain], style.mark or ".", color=style.colour, ms=7)
            ends.append((gain, cost, method))
        axes.set_xscale("log")
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel(words)
        _plain(axes, "both")
        _name(axes, ends, drawn)
    panels[0].set_ylabel("area under the k-shot curve above user-blind")
    return figure


def mean_gain(rows: Sequence[Row], method: str) -> float | None:
    """Area under the curve above the user-blind one, a mean over data sets; None of none."""
    of = {(r.data, r.method): r.value for r in rows if r.metric == AREA}
    found = [
        of[d, m] - of[d, "user-blind"] for d, m in of if m == method and (d, "user-blind") in of
    ]
    return sum(found) / len(found) if found else None


def svg(figure: Figure) -> str:
    """A figure as SVG markup, to stand inside a page; the same figure gives the same bytes."""
    target = StringIO()
    with rc_context({"svg.hashsalt": "befit"}):  # ids by content, not by chance
        figure.savefig(target, format="svg", metadata={"Date": None, "Creator": None})
    markup = target.getvalue()
    return markup[markup.index("<svg") :]


def _plain(axes: Axes, grid: str) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis=grid, color="#eeeeee")  # type: ignore[arg-type]
    axes.set_axisbelow(True)


def _shots(shape: Mapping[str, Any]) -> str:
    return "no shots" if shape["shots"] is None else f"{shape['shots']} shots"


def _range(numbers: Iterable[int]) -> str:
    ends = sorted(numbers)
    if not ends:
        return "no"
    return str(ends[0]) if len(ends) == 1 else f"{ends[0]} to {ends[-1]}"
