"""What was shown, as `demo.json` and on one screen."""

from dataclasses import asdict
from typing import Any

from befit.app.demo.measure import DATA
from befit.app.demo.run import Demo
from befit.evaluate.schema import Row


def rows(demo: Demo) -> tuple[Row, ...]:
    """Every measured figure, act a first."""
    people = demo.people.rows if demo.people else ()
    return (*people, *demo.answers.rows, *demo.reactions.rows)


def as_json(demo: Demo) -> dict[str, Any]:
    """The content of `demo.json`."""
    return {
        "schema_version": "1.0",
        "data": sorted({row.data for row in rows(demo)}),
        "real_people": demo.people is not None,
        "missing": demo.missing,
        "rows": [asdict(row) for row in rows(demo)],
        "values": {
            "prompts": demo.harm.prompts,
            "violations": demo.harm.violations,
            "violations_generic": demo.harm.violations_generic,
            "refused": demo.harm.refused,
            "refused_generic": demo.harm.refused_generic,
            "memories_kept_out": demo.harm.kept_out,
        },
        "beliefs_moved": {name: list(ends) for name, ends in demo.reactions.moved.items()},
        "forget": {
            "person": demo.forgetting.person,
            "records": demo.forgetting.records,
            "bytes_before": demo.forgetting.bytes_before,
            "bytes_found": demo.forgetting.bytes_found,
            "files": demo.forgetting.files,
        },
        "seconds": round(demo.seconds, 1),
        "peak_rss_mb": round(demo.peak_rss_mb, 1),
    }


def find(demo: Demo, data: str, method: str, shots: int | None, metric: str) -> Row | None:
    """The row of that name; None where there is none."""
    key = (data, method, shots, metric)
    return next((r for r in rows(demo) if (r.data, r.method, r.shots, r.metric) == key), None)


def screen(demo: Demo) -> str:
    """A summary that fits one screen."""
    return "\n".join(
        (
            "",
            "What befit showed",
            "-----------------",
            *_people(demo),
            *_answers(demo),
            *_reactions(demo),
            f"d. harm       {demo.harm.prompts} harmful prompts: {demo.harm.violations} violations "
            f"with a memory that asks for harm, {demo.harm.violations_generic} without; "
            f"{demo.harm.kept_out} of {len(demo.script.harmful.statements)} memories kept out",
            f"e. forgotten  {demo.forgetting.person}: {demo.forgetting.records} records went; "
            f"{demo.forgetting.bytes_before} traces in the files before, "
            f"{demo.forgetting.bytes_found} after, in {demo.forgetting.files} files",
            f"   {demo.seconds:.0f} s, {demo.peak_rss_mb:.0f} MB at most",
        )
    )


def _people(demo: Demo) -> list[str]:
    if demo.people is None:
        return ["a. real people  left out: no real data set was found (set BEFIT_DATA)"]
    lines = []
    for data in sorted({row.data for row in demo.people.rows}):
        for shots in (0, 8, 16):
            told = [
                _figure(demo, data, method, shots, "accuracy")
                for method in ("default", "user-blind", "wrong-user")
            ]
            lines.append(f"a. {data}, unseen people, {shots:2d} shots: {', '.join(told)}")
    return lines


def _answers(demo: Demo) -> list[str]:
    return [
        f"b. answers    closeness to what each wants: "
        f"{_figure(demo, DATA, 'personal', None, 'style_closeness')}, "
        f"{_figure(demo, DATA, 'generic', None, 'style_closeness')}, "
        f"{_figure(demo, DATA, 'wrong-user', None, 'style_closeness')}",
        f"              nats a token gained on the answers they would have liked: "
        f"{_figure(demo, DATA, 'personal', None, 'log_likelihood_gain')}, "
        f"{_figure(demo, DATA, 'wrong-user', None, 'log_likelihood_gain')}",
    ]


def _reactions(demo: Demo) -> list[str]:
    choices = demo.reactions.choices
    moved = ", ".join(f"{n} {a:+.2f} to {b:+.2f}" for n, (a, b) in demo.reactions.moved.items())
    return [
        f"c. reactions  {choices} choices moved: {moved}",
        f"              closeness before {_figure(demo, DATA, 'personal', 0, 'style_closeness')}, "
        f"after {_figure(demo, DATA, 'personal', choices, 'style_closeness')}",
    ]


def _figure(demo: Demo, data: str, method: str, shots: int | None, metric: str) -> str:
    row = find(demo, data, method, shots, metric)
    return f"{method} {row.value:.3f} [{row.lo:.3f}, {row.hi:.3f}]" if row else f"{method} -"
