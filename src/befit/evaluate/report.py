"""An evaluation as one page: who wins where in words, curves, calibration, costs, every figure.

The page holds everything it shows: no script, no font, no image from elsewhere. Computes nothing.
"""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from befit.core.registry import names
from befit.evaluate import report_words as words
from befit.evaluate.ceilings import CROWD, SELF
from befit.evaluate.drawing import (
    Style,
    calibration,
    costs,
    curves,
    gains,
    mean_gain,
    styles,
    svg,
)
from befit.evaluate.duels import duels_of
from befit.evaluate.methods import method_class, short
from befit.evaluate.probes import FORMAT, LENGTH
from befit.evaluate.schema import Result, Row
from befit.evaluate.verdicts import verdicts

_TITLES = {
    "accuracy": "accuracy",
    "worst_decile": "worst tenth of people",
    "gain_over_user_blind": "gain over user-blind",
    "detectable_over_user_blind": "least gain that would show",
    "gain_over_default": "gain over default",
    "detectable_over_default": "least gain that would show",
    "gain_over_wrong_user": "gain over wrong-user",
    "nll": "log loss (nats)",
    "brier": "Brier",
    "ece": "calibration error (ECE, 15 bins)",
    "gap": "own minus other's state",
    "flip_rate": "flip rate",
    "negative_transfer": "share that loses",
    "negative_transfer_beyond_noise": "share that loses beyond noise",
    "negative_transfer_latent": "share that loses, noise removed",
    "negative_transfer_latent_depth": "their loss",
    "harm_of_history_latent": "share that history harms, noise removed",
    "harm_of_history_latent_depth": "their loss",
    "questions_to_match": "random answers that match",
}
_COSTS = {
    "fit_seconds": "fit, seconds",
    "adapt_us": "one reaction, &micro;s",
    "logit_us": "one score, &micro;s",
    "state_bytes": "state, bytes",
}
_METHOD_NOTES = {
    "wrong-user": "The default reward after k pairs of another unseen person.",
    CROWD: "Names the side that most other people took, tested ones among them; nobody may.",
    SELF: "Gives the answer that a person gives most often, where they answered twice; nobody may.",
    FORMAT: "Sees how a text is written down, and no word of it.",
    LENGTH: "Sees how long a text is, and nothing else.",
}
_CSS = """
body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;font-size:.85rem;margin:1rem 0;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .7rem;text-align:right;border-bottom:1px solid #ddd;white-space:nowrap}
th:first-child,td:first-child{text-align:left}
.words td,.words th{text-align:left;white-space:normal;vertical-align:top}
.words td:first-child{white-space:nowrap}
small{color:#666}svg{max-width:100%;height:auto}h1,h2{line-height:1.2}.wide{overflow-x:auto}
.up{color:#0072B2}.down{color:#b0300e}.even{color:#777}
.duels td+td,.duels th+th{text-align:center}.duels b{color:inherit}
h2{margin-top:3rem}summary{cursor:pointer;margin:1rem 0}td b{color:#0072B2}
"""


def page(result: Result) -> str:
    """The whole page."""
    metadata = result.metadata
    drawn = styles(result.rows)
    data = list(dict.fromkeys(row.data for row in result.rows))
    described = {one["name"]: one for one in metadata.get("data", [])}
    shapes = {one["data"]: one for one in metadata.get("shapes", [])}
    doubles = {one["data"]: one for one in metadata.get("near_duplicates", [])}
    sections = "".join(
        _section(
            name,
            [row for row in result.rows if row.data == name],
            described.get(name, {}),
            shapes.get(name),
            doubles.get(name),
        )
        for name in data
    )
    beside = words.beside_best(duels_of(metadata))
    won = words.in_words(verdicts(result.rows, metadata.get("comparisons", [])))
    versions = ", ".join(f"{k} {v}" for k, v in metadata.get("versions", {}).items())
    return (
        "<!doctype html><html lang='en'><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width'>"
        f"<title>befit: evaluation of rewards</title><style>{_CSS}</style>"
        "<h1>How well rewards know people they never met</h1>"
        "<p>Methods are fitted on some people. Of each other person they see k pairs, then say "
        "which text of further pairs the person preferred; support and query share no text (or "
        "no prompt). Figures are means over people; intervals resample people, then their pairs."
        f"</p>{beside}{won}{words.gates(metadata.get('gates', []))}{words.chosen(result.rows)}"
        f"{_spent(result.rows, drawn)}{sections}"
        f"<h2>The methods</h2><ul>{_methods(result.rows)}</ul>{words.left_out(metadata)}"
        f"<p><small>run {escape(str(metadata.get('run_id', '')))}, made "
        f"{escape(str(metadata.get('created', '')))}, seeds {escape(str(metadata.get('seeds')))}, "
        f"schema {escape(str(metadata.get('schema_version')))}; {escape(versions)}</small></p>"
        "</html>\n"
    )


def write_report(result: Result, path: Path) -> None:
    """Write the page to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(result), encoding="utf-8")


def _spent(rows: Sequence[Row], drawn: Mapping[str, Style]) -> str:
    """What each method costs, beside what it gains; data sets count once, not their parts."""
    spent: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        if row.metric in _COSTS:
            spent.setdefault((row.method, row.metric), []).append(row.value)
    whole = {row.data for row in rows if row.metric in _COSTS}
    kept = [row for row in rows if row.data in whole]
    won = {m: mean_gain(kept, m) for m in drawn if any((m, c) in spent for c in _COSTS)}
    if not any(gain is not None for gain in won.values()):
        return ""
    body = "".join(
        f"<tr><td>{escape(short(m))}</td><td>{'' if gain is None else f'{100 * gain:+.1f}'}</td>"
        + "".join(f"<td>{_mean(spent.get((m, c), []))}</td>" for c in _COSTS)
        + "</tr>"
        for m, gain in sorted(won.items(), key=lambda each: -(each[1] or 0.0))
    )
    head = "".join(f"<th>{title}</th>" for title in _COSTS.values())
    return (
        f"<h2>What it costs</h2>{svg(costs(kept, drawn))}<table><tr><th>method</th>"
        f"<th>area above user-blind, points</th>{head}</tr>{body}</table>"
        "<p><small>Area: under the curve of accuracy over log2(1 + k). Means over data sets; "
        "embedding texts is not counted.</small></p>"
    )


def _mean(values: Sequence[float]) -> str:
    if not values:
        return ""
    mean = sum(values) / len(values)
    return f"{mean:,.0f}" if mean >= 100.0 or mean == int(mean) else f"{mean:.2f}"


def _methods(rows: Sequence[Row]) -> str:
    return "".join(
        f"<li><b>{escape(short(name))}</b>: {escape(_note(name))}</li>"
        for name in dict.fromkeys(row.method for row in rows)
    )


def _note(name: str) -> str:
    """The first sentence of what the method says of itself."""
    if name in _METHOD_NOTES:
        return _METHOD_NOTES[name]
    plain, _, rule = name.partition("+")
    asked = f" Its questions are chosen by the rule {rule}." if rule else ""
    if ":" not in plain and plain not in names("method"):
        return "As its author says." + asked
    said = (method_class(plain).__doc__ or "As its author says.").strip()
    return said.partition("\n")[0] + asked


def _section(
    name: str,
    rows: Sequence[Row],
    described: Mapping[str, object],
    shape: Mapping[str, Any] | None,
    doubles: Mapping[str, Any] | None,
) -> str:
    drawn = styles(rows)
    pictures = ""
    if any(row.shots is not None for row in rows):
        pictures = svg(curves(rows, name, drawn)) + _accuracies(rows)
    if shape is not None:
        pictures += svg(calibration(shape, drawn))
        if shape["gains_over_user_blind"]:
            pictures += svg(gains(shape, drawn))
    shared = "shared" if described.get("shared_items") else "not shared"
    told = (
        f"<p><small>{escape(str(described.get('rule', '')))}. Texts are {shared} between people. "
        f"Licence: {escape(str(described.get('licence', '')))}. SHA-256 of the source: "
        f"{escape(str(described.get('sha256', '')))[:16]}.</small></p>"
        if described
        else ""
    )
    every = f"<details><summary>Every figure of {escape(name)}</summary>{_table(rows)}</details>"
    return f"<h2>{escape(name)}</h2>{pictures}{words.known_of(rows, doubles)}{every}{told}"


def _accuracies(rows: Sequence[Row]) -> str:
    """Accuracy by method and shots, the best first; the best of each column is marked."""
    known = {(r.method, r.shots): r.value for r in rows if r.metric == "accuracy"}
    shots = sorted({k for _, k in known if k is not None})
    best = {k: max(v for (_, at), v in known.items() if at == k) for k in shots}
    area = {r.method: r.value for r in rows if r.metric == "area_under_curve"}
    methods = sorted({m for m, _ in known}, key=lambda m: (-area.get(m, 0.0), m))
    head = "".join(f"<th>k={k}</th>" for k in shots)
    body = "".join(
        f"<tr><td>{escape(short(m))}</td>"
        + "".join(f"<td>{_marked(known.get((m, k)), best[k])}</td>" for k in shots)
        + f"<td>{f'{area[m]:.3f}' if m in area else ''}</td></tr>"
        for m in methods
    )
    return (
        "<div class='wide'><table><tr><th>accuracy</th>"
        f"{head}<th>area under the curve</th></tr>{body}</table></div>"
    )


def _marked(value: float | None, best: float) -> str:
    if value is None:
        return ""
    return f"<b>{value:.3f}</b>" if value == best else f"{value:.3f}"


def _table(rows: Sequence[Row]) -> str:
    metrics = [metric for metric in _TITLES if any(row.metric == metric for row in rows)]
    found = {(row.method, row.shots, row.metric): row for row in rows}
    keys = dict.fromkeys((row.method, row.shots) for row in rows if row.metric == metrics[0])
    head = "".join(f"<th>{_TITLES[metric]}</th>" for metric in metrics)
    body = "".join(
        f"<tr><td>{escape(short(method))}</td><td>{'' if k is None else k}</td>"
        + "".join(f"<td>{_cell(found.get((method, k, metric)))}</td>" for metric in metrics)
        + f"<td>{found[method, k, metrics[0]].people}</td></tr>"
        for method, k in keys
    )
    return (
        "<div class='wide'><table><tr><th>method</th><th>k</th>"
        f"{head}<th>people</th></tr>{body}</table></div>"
    )


def _cell(row: Row | None) -> str:
    if row is None:
        return ""
    return f"{row.value:.3f} <small>[{row.lo:.3f}, {row.hi:.3f}]</small>"
