"""The commands that look at a study and leave it as it is: status."""

import json
import sys
import time
from typing import Any

from rich.console import Console
from rich.text import Text

from tuner import results
from tuner.arguments import AsJson, Storage, StudyName
from tuner.errors import StudyError
from tuner.picture import Picture
from tuner.progress import Progress
from tuner.standing import standing
from tuner.storage import DEFAULT_URL, Store, open_for_reading
from tuner.summary import StudySummary, only_study, our_studies, summarize


def status(
    study: StudyName = None, storage: Storage = DEFAULT_URL, as_json: AsJson = False
) -> None:
    """Show where a study stands (all studies of the database, if none is named)."""
    with open_for_reading(storage) as store:
        named = None if study is None else only_study(store, study)
        summaries = _readable(store) if named is None else [summarize(store, named)]
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


def _readable(store: Store) -> list[StudySummary]:
    """All studies of the database, without those that this version cannot read; says which."""
    found = []
    for name in our_studies(store):
        try:
            found.append(summarize(store, name))
        except StudyError as error:
            print(f"left out: {error.problems[0]}", file=sys.stderr)
    return found


def _as_data(summary: StudySummary, progress: Progress) -> dict[str, Any]:
    pace = {"steps_per_second": progress.steps_per_second, "left_s": progress.left_s}
    return summary.as_data() | {
        "runs": progress.runs,
        "pace": pace if progress.running else None,
        "progress": progress.as_data(),
    }
