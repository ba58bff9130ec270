"""Counts and times, in Prometheus' text format. No label ever names a person.

Written by the event loop alone, so nothing is locked.
Source: Prometheus exposition format 0.0.4.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

FAMILIES = {
    "befit_requests_total": ("counter", "Requests answered, by route and status."),
    "befit_failures_total": ("counter", "Requests answered with an error, by route and code."),
    "befit_turns_total": ("counter", "Chat turns, by whether and why they were personalized."),
    "befit_refusals_total": ("counter", "Answers that the boundary ended."),
    "befit_unrecorded_total": ("counter", "Turns that the journal could not take."),
    "befit_requests_in_flight": ("gauge", "Requests being answered now."),
    "befit_request_seconds": ("histogram", "Time to the end of the answer, by route."),
    "befit_upstream_seconds": ("histogram", "Time that the upstream took."),
    "befit_time_to_first_token_seconds": ("histogram", "Time to the first text of a stream."),
    "befit_overhead_seconds": ("histogram", "Time that befit added before the upstream."),
}

Labels = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Histogram:
    counts: list[int] = field(default_factory=lambda: [0] * (len(SECONDS) + 1))
    total: float = 0.0


@dataclass(slots=True)
class Metrics:
    """Every number of one server."""

    _numbers: dict[tuple[str, Labels], float] = field(default_factory=dict)
    _times: dict[tuple[str, Labels], _Histogram] = field(default_factory=dict)

    def add(self, name: str, amount: float = 1.0, **labels: str) -> None:
        """Move a counter or a gauge."""
        key = (name, tuple(labels.items()))
        self._numbers[key] = self._numbers.get(key, 0.0) + amount

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        """Put a duration into a histogram."""
        times = self._times.setdefault((name, tuple(labels.items())), _Histogram())
        times.counts[bisect_left(SECONDS, seconds)] += 1
        times.total += seconds

    def text(self) -> bytes:
        """Everything, for a scrape."""
        lines: list[str] = []
        for name, (kind, about) in FAMILIES.items():
            lines += [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]
            for (family, labels), number in self._numbers.items():
                if family == name:
                    lines.append(f"{name}{_braces(dict(labels))} {number:g}")
            for (family, labels), times in self._times.items():
                if family == name:
                    lines += _buckets(name, dict(labels), times)
        return ("\n".join(lines) + "\n").encode()


def _buckets(name: str, labels: Mapping[str, str], times: _Histogram) -> list[str]:
    lines, seen = [], 0
    for bound, count in zip((*map(str, SECONDS), "+Inf"), times.counts, strict=True):
        seen += count
        lines.append(f"{name}_bucket{_braces({**labels, 'le': bound})} {seen}")
    return [
        *lines,
        f"{name}_sum{_braces(labels)} {times.total:.9g}",
        f"{name}_count{_braces(labels)} {seen}",
    ]


def _braces(labels: Mapping[str, str]) -> str:
    inside = ",".join(f'{name}="{value}"' for name, value in labels.items())
    return f"{{{inside}}}" if inside else ""
