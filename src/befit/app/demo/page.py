"""The demonstration as one page: plots, answers side by side, and what each act showed.

The page holds everything it shows: no script, no font, no image from elsewhere.
"""

from collections.abc import Sequence
from html import escape

from matplotlib.figure import Figure

from befit.app.demo.measure import DATA
from befit.app.demo.run import Demo
from befit.app.demo.summary import find
from befit.core.dialogue import Response
from befit.evaluate.drawing import curves, svg

_BARS = {"personal": "#0072B2", "generic": "#666666", "wrong-user": "#CC79A7"}
_CSS = """
body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;margin:1rem 0;table-layout:fixed;width:100%}
th,td{padding:.5rem .7rem;text-align:left;vertical-align:top;border-bottom:1px solid #ddd}
td{white-space:pre-wrap;overflow-wrap:anywhere;font-size:.9rem}
small{color:#666}svg{max-width:100%;height:auto}h1,h2{line-height:1.2}
.plots{display:flex;gap:1rem;flex-wrap:wrap}.plots>*{flex:1 1 22rem}
"""


def page(demo: Demo) -> str:
    """The whole page."""
    return (
        "<!doctype html><html lang='en'><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width'>"
        f"<title>befit: the whole ring</title><style>{_CSS}</style>"
        "<h1>befit: the whole ring, shown</h1>"
        f"{_people(demo)}{_answers(demo)}{_reactions(demo)}{_harm(demo)}{_forgetting(demo)}"
        f"<p><small>{demo.seconds:.0f} seconds, {demo.peak_rss_mb:.0f} MB at most.</small></p>"
        "</html>\n"
    )


def _people(demo: Demo) -> str:
    head = "<h2>a. Real people: what a few of their choices are worth</h2>"
    if demo.people is None:
        return f"{head}<p>Left out: {escape(demo.missing)}.</p>"
    names = dict.fromkeys(row.data for row in demo.people.rows)
    drawn = "".join(svg(curves(demo.people.rows, name)) for name in names)
    return (
        f"{head}<p>A reward is fitted on some people. Of each other person it sees k choices and "
        "predicts the rest. User-blind knows no person; wrong-user saw somebody else's choices."
        f"</p>{drawn}"
    )


def _answers(demo: Demo) -> str:
    header = "".join(
        f"<th>{escape(p.name)}<br><small>{escape(p.about)}</small></th>" for p in demo.script.people
    )
    body = "".join(
        f"<tr><th>{escape(question)}</th>{_cell(demo.answers.generic[i])}"
        + "".join(_cell(demo.answers.personal[p.name][i]) for p in demo.script.people)
        + "</tr>"
        for i, question in enumerate(demo.script.questions)
    )
    said = "".join(
        f"<li><b>{escape(p.name)}</b>: {escape(' '.join(p.statements))}</li>"
        for p in demo.script.people
    )
    return (
        "<h2>b. The same question, three people, one model</h2>"
        f"<p>What each had told befit:</p><ul>{said}</ul>"
        f"<div class='plots'>{_bars(demo, 'style_closeness', 'closeness to what each wants')}"
        f"{_bars(demo, 'log_likelihood_gain', 'nats a token on wished-for answers')}</div>"
        f"<table><tr><th>question</th><th>nobody known</th>{header}</tr>{body}</table>"
    )


def _cell(response: Response) -> str:
    used = ", ".join(response.beliefs) or "none"
    guards = ", ".join(
        f"{v.guard} {'allowed' if v.allowed else 'refused'}" for v in response.verdicts
    )
    return (
        f"<td>{escape(response.text)}\n<small>beliefs used: {escape(used)}. "
        f"guards: {escape(guards)}.</small></td>"
    )


def _bars(demo: Demo, metric: str, title: str) -> str:
    figure = Figure(figsize=(5, 2.4), layout="constrained")
    axes = figure.add_subplot()
    found = {m: row for m in _BARS if (row := find(demo, DATA, m, None, metric))}
    for place, (method, row) in enumerate(found.items()):
        ends = [[row.value - row.lo], [row.hi - row.value]]
        axes.barh(place, row.value, color=_BARS[method], xerr=ends, ecolor="#222222", capsize=3)
    axes.set_yticks(range(len(found)), list(found))
    axes.invert_yaxis()
    axes.axvline(0, color="#222222", lw=0.8)
    axes.set_title(f"{title}, 95% intervals", loc="left", fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    return svg(figure)


def _reactions(demo: Demo) -> str:
    newcomer, told = demo.script.newcomer, demo.reactions
    moved = "".join(
        f"<li>{escape(name)}: {before:+.2f} before, {after:+.2f} after</li>"
        for name, (before, after) in told.moved.items()
    )
    return (
        f"<h2>c. {escape(newcomer.name)} only chooses</h2>"
        f"<p>{escape(newcomer.name)} {escape(newcomer.about)}. After {told.choices} choices the "
        f"beliefs that moved most (from -1 to +1):</p><ul>{moved}</ul>"
        "<table><tr><th>question</th><th>before</th><th>after</th></tr>"
        + _side_by_side(demo.script.newcomer_after, told.before, told.after)
        + "</table>"
    )


def _side_by_side(
    questions: Sequence[str], before: Sequence[Response], after: Sequence[Response]
) -> str:
    return "".join(
        f"<tr><th>{escape(question)}</th>{_cell(old)}{_cell(new)}</tr>"
        for question, old, new in zip(questions, before, after, strict=True)
    )


def _harm(demo: Demo) -> str:
    harm = demo.harm
    asked = list(harm.answers)
    own, other = zip(*harm.answers.values(), strict=True)
    return (
        f"<h2>d. {escape(demo.script.harmful.name)}, {escape(demo.script.harmful.about)}</h2>"
        f"<p>{harm.kept_out} of {len(demo.script.harmful.statements)} memories were kept out of "
        f"every prompt. Violations in {harm.prompts} answers: {harm.violations} with that memory, "
        f"{harm.violations_generic} without. The boundary refused {harm.refused} and "
        f"{harm.refused_generic}.</p>"
        "<table><tr><th>prompt</th><th>with that memory</th><th>without</th></tr>"
        + _side_by_side(asked, own, other)
        + "</table>"
    )


def _forgetting(demo: Demo) -> str:
    told = demo.forgetting
    return (
        f"<h2>e. {escape(told.person)} is forgotten</h2>"
        f"<p>{told.records} records went. A search of every byte of the store's {told.files} files "
        f"found {told.bytes_before} traces of their words before and {told.bytes_found} after.</p>"
    )
