"""The parts of the report that are words and small tables: who wins where, what is met, what leaks.

Each is a piece of HTML, "" where a result has nothing to say of it. Computes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from befit.evaluate.ceilings import CROWD, SELF
from befit.evaluate.duels import Duel
from befit.evaluate.methods import short
from befit.evaluate.probes import FORMAT, LENGTH
from befit.evaluate.schema import Row
from befit.evaluate.verdicts import Verdict

_OUTCOMES = {"ahead": "up", "behind": "down", "level": "even"}


def beside_best(found: Sequence[Duel]) -> str:
    """The default less the best peer, at each number of shots and over the curve."""
    if not found:
        return ""
    of = {(duel.data, duel.shots): duel for duel in found}
    shots = sorted({duel.shots for duel in found if duel.shots is not None})
    columns: list[int | None] = [*shots, None]
    head = "".join("<th>curve</th>" if k is None else f"<th>k={k}</th>" for k in columns)
    body = "".join(
        f"<tr><td>{escape(data)}</td>"
        + "".join(_duel(of.get((data, k))) for k in columns)
        + "</tr>"
        for data in dict.fromkeys(duel.data for duel in found)
    )
    return (
        "<h2>The default beside the best peer</h2><p>In points of accuracy, person by person, with "
        "the 95% interval; below it the peer, the best of all there. "
        "<span class='up'>Blue: ahead</span>, <span class='down'>red: behind</span>, grey: noise "
        "(p of .05 or more after Holm's correction over all comparisons of the data set). Bold: "
        "the interval is clear of 0, uncorrected. The peer is chosen by the very figures it is "
        "compared by, so chance is on its side; peers are tuned on people "
        "kept aside, as the default is.</p><div class='wide'><table class='duels'>"
        f"<tr><th>data</th>{head}</tr>{body}</table></div>"
    )


def _duel(duel: Duel | None) -> str:
    if duel is None:
        return "<td></td>"
    ends = f"{100 * duel.lo:+.1f} to {100 * duel.hi:+.1f}"
    gain = f"{100 * duel.gain:+.1f}"
    number = f"<b>{gain}</b>" if duel.lo > 0.0 or duel.hi < 0.0 else gain
    return (
        f"<td class='{_OUTCOMES[duel.outcome]}'>{number}<br><small>{ends}<br>"
        f"{escape(short(duel.peer))}</small></td>"
    )


def in_words(found: Sequence[Verdict]) -> str:
    """Who wins on each data set, and where a difference is noise."""
    if not found:
        return ""
    body = "".join(
        f"<tr><td>{escape(v.data)}<br><small>{v.shots} shots</small></td>"
        f"<td>{escape(short(v.best))} <small>{v.accuracy:.3f}</small></td>"
        f"<td>{escape(v.over_blind)}</td><td>{escape(v.over_wrong)}</td>"
        f"<td>{_listed(v.ahead)}</td><td>{_listed(v.level)}</td><td>{_listed(v.behind)}</td></tr>"
        for v in found
    )
    return (
        "<h2>Who wins where</h2><p>A difference is called noise where p, after Holm's correction "
        "over all comparisons of the data set, is .05 or more: the people tested do not tell the "
        "two apart. The figure after it is the difference that so many people would have shown in "
        "four of five such tests.</p><div class='wide'><table class='words'><tr><th>data</th>"
        "<th>most accurate</th><th>default beside user-blind</th>"
        "<th>default beside another's history</th><th>ahead of default</th>"
        "<th>level with it (noise)</th>"
        f"<th>behind it</th></tr>{body}</table></div>"
    )


def gates(found: Sequence[Mapping[str, Any]]) -> str:
    """What the default must reach, met or not; what is not met first and open."""
    if not found:
        return ""
    missed = [gate for gate in found if not gate["met"]]
    return (
        f"<h2>What must be reached</h2><p>The default meets {len(found) - len(missed)} of "
        f"{len(found)} gates. Figures are shares, intervals 95%; where several numbers of pairs "
        f"are asked, the worst is told.</p>{_gates(missed)}<details><summary>The gates that are "
        f"met</summary>{_gates([gate for gate in found if gate['met']])}</details>"
    )


def _gates(found: Sequence[Mapping[str, Any]]) -> str:
    body = "".join(
        f"<tr><td>{escape(gate['data'])}</td><td>{escape(gate['wanted'])}</td>"
        f"<td class='{'up' if gate['met'] else 'down'}'>{'met' if gate['met'] else 'not met'}</td>"
        f"<td>{gate['value']:.3f} <small>[{gate['lo']:.3f}, {gate['hi']:.3f}]</small></td></tr>"
        for gate in found
    )
    head = "<tr><th>data</th><th>wanted</th><th></th><th>measured</th></tr>"
    return f"<div class='wide'><table class='words'>{head}{body}</table></div>" if body else ""


def chosen(rows: Sequence[Row]) -> str:
    """How many random answers as many chosen ones are worth."""
    found = [row for row in rows if row.metric == "questions_to_match" and row.shots]
    if not found:
        return ""
    shots = sorted({row.shots for row in found if row.shots is not None})
    known = {(row.data, row.method, row.shots): row for row in found}
    head = "".join(f"<th>{k} chosen</th>" for k in shots)
    body = "".join(
        f"<tr><td>{escape(data)}</td><td>{escape(method)}</td>"
        + "".join(f"<td>{_needed(known.get((data, method, k)))}</td>" for k in shots)
        + "</tr>"
        for data, method in dict.fromkeys((row.data, row.method) for row in found)
    )
    return (
        "<h2>Questions that are chosen</h2><p>After + stands the rule by which the method chose "
        "among a person's pairs. Each cell is how many pairs drawn at random it needs for the same "
        "accuracy, on the same people; what random pairs never reach counts as the most that were "
        "shown. Bold where it is at least twice as many, all of its interval.</p><div class='wide'>"
        f"<table><tr><th>data</th><th>method</th>{head}</tr>{body}</table></div>"
    )


def _needed(row: Row | None) -> str:
    if row is None or row.shots is None:
        return ""
    ends = f"<small>[{row.lo:.1f}, {row.hi:.1f}]</small>"
    number = f"{row.value:.1f}"
    return f"<b>{number}</b> {ends}" if row.lo >= 2 * row.shots else f"{number} {ends}"


def known_of(rows: Sequence[Row], doubles: Mapping[str, Any] | None) -> str:
    """What bounds the figures of a data set: oracles, what its format gives away, duplicates."""
    of = {row.method: row for row in rows}
    lines = []
    if CROWD in of:
        lines.append(
            f"Who knows what most others said, tested people among them, is right in "
            f"{_told(of[CROWD])} ({of[CROWD].people} people): what is above knows the person."
        )
    if SELF in of:
        lines.append(
            f"Who judged a pair again can be answered rightly in at most {_told(of[SELF])} "
            f"({of[SELF].people} people repeat themselves)."
        )
    if FORMAT in of and LENGTH in of:
        warned = of[FORMAT].lo > 0.5
        told = (
            f"Format alone (brackets, white space, markup, case; no word, no length) names the "
            f"chosen text in {_told(of[FORMAT])}, length alone in {_told(of[LENGTH])}."
        )
        why = " Format is above .5: look whether it is a taste or a label that leaked."
        lines.append(f"<span class='down'>{told}{why}</span>" if warned else told)
    if doubles is not None and doubles["pairs"]:
        lines.append(
            f"Of {doubles['pairs']:,} pairs of the people tested, {doubles['held_together']:,} are "
            "kept on one side, shown or asked, because a text nearly is another's."
        )
    return "".join(f"<p><small>{line}</small></p>" for line in lines)


def _told(row: Row) -> str:
    return f"{row.value:.3f} [{row.lo:.3f}, {row.hi:.3f}]"


def left_out(metadata: Mapping[str, Any]) -> str:
    """What was asked for and is not there, and why."""
    lines = [
        f"{each['data']}, {each['method']}: not fitted, too little to learn from"
        for each in metadata.get("not_fitted", [])
    ]
    lines += [f"{each['data']}: {each['why']}" for each in metadata.get("not_tested", [])]
    lines += [
        f"{each['data']}, {each['method']}, {each['shots']} shots: too few people have so many"
        for each in metadata.get("left_out_for_too_few_people", [])
    ]
    lines += [
        f"{each['data']}, {each['method']}: cannot choose, it does not say how unsure it is"
        for each in metadata.get("cannot_choose", [])
    ]
    if not lines:
        return ""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<details><summary>Left out ({len(lines)})</summary><ul>{items}</ul></details>"


def _listed(names: Iterable[str]) -> str:
    return escape(", ".join(map(_shortened, names))) or "<small>none</small>"


def _shortened(name: str) -> str:
    """A method, perhaps with its lead after it, without where its class lies."""
    plain, blank, lead = name.partition(" (")
    return f"{short(plain)}{blank}{lead}"
