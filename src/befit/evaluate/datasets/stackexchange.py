"""Stack Exchange: the answer that the asker accepted against the other answers."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

from befit.evaluate.datasets.search import digest, find_files, read_csv, read_jsonl
from befit.evaluate.schema import PairData, PairRow

MOST_WRITTEN = 2000  # characters of one asker's other posts
_BLOCKS = frozenset({"p", "br", "li", "pre", "h1", "h2", "h3", "blockquote", "hr"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StackExchange:
    """The accepted answer is chosen over each other answer to the same question.

    Texts are stripped of HTML. Most askers have few pairs, so few shots can be shown. A pair is as
    old as the later of its two answers: before that there was nothing to choose. Each pair says
    whether the asker went against the votes of the community. What is known of an asker is the site
    and what else they wrote there, in threads that none of their pairs is from.

    Source: Stack Exchange data dump, CC BY-SA, authors named by their ids.

    Attributes:
        pairs_per_question: At most this many other answers of one question.
    """

    pairs_per_question: int = 4

    def load(self, seed: int) -> PairData:
        """Read posts and accepted pairs. There is nothing to draw: ``seed`` changes nothing.

        Raises:
            MissingDataError: The data set is not on the search path.
        """
        paths = find_files("stackexchange", ("accepted_pairs.csv", "posts.jsonl.gz"))
        posts = {(str(post["site"]), str(post["post_id"])): post for post in read_jsonl(paths[1])}
        rows: list[PairRow] = []
        used: dict[tuple[str, str], int] = {}  # pairs of a question so far
        for pair in read_csv(paths[0]):
            site, asked = pair["site"], (pair["site"], pair["question_id"])
            question = posts.get(asked)
            chosen = posts.get((site, pair["chosen_post_id"]))
            rejected = posts.get((site, pair["rejected_post_id"]))
            if question is None or chosen is None or rejected is None:
                continue
            used[asked] = used.get(asked, 0) + 1
            if used[asked] <= self.pairs_per_question:
                rows.append(
                    PairRow(
                        user=f"{site}/{pair['user_id']}",
                        prompt=f"{question['title']}\n\n{plain_text(question['body_html'])}",
                        chosen=plain_text(chosen["body_html"]),
                        rejected=plain_text(rejected["body_html"]),
                        at=max(_date(chosen), _date(rejected)),
                        attributes={
                            "site": site,
                            "against_votes": "yes" if int(pair["score_difference"]) < 0 else "no",
                        },
                    )
                )
        return PairData(
            name="stackexchange",
            rows=tuple(sorted(rows, key=lambda row: row.user)),
            licence="CC BY-SA 3.0 and 4.0, Stack Exchange contributors",
            digest=digest(paths),
            rule=f"accepted beats every other answer, at most {self.pairs_per_question} pairs a "
            "question",
            shared_items=False,
            disjoint="prompts",
            notes={"person": "an asker who accepted an answer"},
            about=_about(rows, posts.values(), used),
        )


def _date(post: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(post["date"]).replace(tzinfo=UTC)


def _about(
    rows: Sequence[PairRow],
    posts: Iterable[Mapping[str, Any]],
    asked: Collection[tuple[str, str]],
) -> dict[str, dict[str, str]]:
    """Each asker's site, and what they wrote in threads other than those asked about."""
    about = {row.user: {"site": row.attributes["site"]} for row in rows}
    for post in posts:
        person = f"{post['site']}/{post['user_id']}"
        if person in about and (str(post["site"]), str(post["question_id"])) not in asked:
            words = f"{about[person].get('wrote', '')}\n{plain_text(post['body_html'])}"
            about[person]["wrote"] = words.strip()[:MOST_WRITTEN]
    return about


class _Stripper(HTMLParser):
    """Keeps the text and breaks the line where a block begins."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS:
            self.pieces.append("\n- " if tag == "li" else "\n")

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)


def plain_text(html: str) -> str:
    """The text of a piece of HTML, list items marked, no empty lines doubled."""
    stripper = _Stripper()
    stripper.feed(html)
    stripper.close()
    lines = (line.strip() for line in "".join(stripper.pieces).splitlines())
    return "\n".join(line for line in lines if line and line != "-")
