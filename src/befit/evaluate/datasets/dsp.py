"""DSP: one question answered for four domains, of which a person wants one."""

from dataclasses import dataclass

from befit.evaluate.datasets.pairing import stable_seed
from befit.evaluate.datasets.search import digest, find_files, read_jsonl
from befit.evaluate.schema import PairData, PairRow

DOMAINS = ("academy", "business", "entertainment", "literature")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dsp:
    """The answer written for the person's own domain is chosen over that of each other domain.

    A "person" is made, not met: the questions are dealt out so that none is asked of two, and each
    share goes to one domain in turn. So no person's answers tell another's, no text recurs, and who
    does not know the person is at chance. The answers are a language model's: a controlled test of
    whether a reward follows the person, not proof on people.

    Source: Cheng et al., Everyone Deserves A Reward, 2023, CC BY-NC 4.0.

    Attributes:
        questions_per_person: How many questions one made person has; three pairs each.
    """

    questions_per_person: int = 10

    def load(self, seed: int) -> PairData:
        """Read questions and answers, and deal the questions out.

        Raises:
            MissingDataError: The data set is not on the search path.
        """
        paths = find_files("dsp", ("domain_specific_preference.test.jsonl.gz",))
        asked = [
            (str(row["query"]).strip(), {name: row["responses"][name].strip() for name in DOMAINS})
            for row in read_jsonl(paths[0])
        ]
        asked.sort(key=lambda one: stable_seed(seed, one[0]))
        size = self.questions_per_person
        shares = len(asked) // size // len(DOMAINS) * len(DOMAINS)  # each domain equally often
        rows = tuple(
            PairRow(
                user=f"{own}-{share // len(DOMAINS) + 1:02}",
                prompt=question,
                chosen=answers[own],
                rejected=answers[other],
                attributes={"domain": own, "against": other},
            )
            for share in range(shares)
            for own in (DOMAINS[share % len(DOMAINS)],)
            for question, answers in asked[share * size : (share + 1) * size]
            for other in DOMAINS
            if answers[own] and answers[other] and answers[own] != answers[other]
        )
        return PairData(
            name="dsp",
            rows=rows,
            licence="CC BY-NC 4.0",
            digest=digest(paths),
            rule=f"the answer for one's own domain beats each of the other three; {size} questions "
            "a made person, no question of two",
            shared_items=False,
            disjoint="prompts",
            notes={"person": "a made person who wants one domain's answers"},
        )
