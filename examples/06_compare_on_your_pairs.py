"""The reward and what it must beat, on pairs of your own, for people it was not fitted on."""

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from befit.evaluate.report import write_report
from befit.evaluate.reward import evaluate_reward

SHORT = "Boil the rice for twelve minutes."
LONG = "First rinse the rice well. Then boil it for twelve minutes, stir it now and then, and wait."
folder = Path(tempfile.mkdtemp())
with (folder / "pairs.jsonl").open("w", encoding="utf-8") as out:
    for person in range(24):  # half of the people like it short
        for dish in range(10):
            texts = [f"{SHORT} Dish {dish}.", f"{LONG} Dish {dish}."]
            chosen, rejected = texts if person % 2 else texts[::-1]
            asked = {"user": f"u{person}", "prompt": f"How do I cook dish {dish}?"}
            print(json.dumps({**asked, "chosen": chosen, "rejected": rejected}), file=out)

result = evaluate_reward(
    pairs=folder / "pairs.jsonl",
    methods=("default", "user-blind", "wrong-user"),
    shots=(0, 4),
    seeds=1,
    created=datetime.now(UTC),
)
write_report(result, folder / "report.html")
for row in result.rows:
    if row.metric == "accuracy":
        print(f"{row.method:12} {row.shots} shots: {row.value:.2f} [{row.lo:.2f}, {row.hi:.2f}]")
