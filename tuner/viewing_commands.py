"""The commands that look at a study and leave it as it is: status."""

import json
import time
from typing import Any

from rich.console import Console
from rich.text import Text

from tuner import results
from tuner.arguments import AsJson, Storage, StudyName
from tuner.picture import Picture
from tuner.progress import Progress
from tuner.standing import standing
from tuner.storage import DEFAULT_URL, open_for_reading
from tuner.summary import StudySummary, only_study, our_studies, summarize


def status(
    study: StudyName = None, storage: Storage = DEFAULT_URL, as_json: AsJson = False
) -> None:
    """Show where a study stands (all studies of the database, if none is named)."""
    with open_for_reading(storage) as store:
        names = [only_study(store, study)] if study is not None else our_studies(store)
        summaries = [summarize(store, name) for name in names]
        writer = store.writer()
    now = time.time()
    found = [(summary, standing(summary, writer, now)) for summary in summaries]
    if as_json:
        data = {
            "writer": None if writer is None else writer.pid,
            "studies": [_as_data(summary, progress) for summary, progress in found],
        }
        print(json.dumps(data, allow_nan=False))
        return
    console = Console()
    for summary, progress in found:
        console.print(Picture(progress))
        if summary.last_failure is not None:
            console.print(Text(f"the last failure: {summary.last_failure}"))
        results.print_results(console, summary)
    if writer is not None:
        console.print(f"\nprocess {writer.pid} is at work on this database", highlight=False)


def _as_data(summary: StudySummary, progress: Progress) -> dict[str, Any]:
    pace = {"steps_per_second": progress.steps_per_second, "left_s": progress.left_s}
    return summary.as_data() | {
        "runs": progress.runs,
        "pace": pace if progress.running else None,
        "progress": progress.as_data(),
    }
