"""What the dashboard shows of our studies, drawn anew while they grow.

A thread of its own draws, so that no page waits for more than its first figures, and those for a
second at most: what is not drawn by then comes with the page's next look.
"""

import sys
import time
import traceback
from collections import defaultdict
from collections.abc import Mapping
from contextlib import AbstractContextManager
from queue import LifoQueue
from threading import Event, Thread
from types import TracebackType
from typing import Any

import optuna
from optuna_dashboard import save_note, save_plotly_graph_object

from tuner.dashboard import notes
from tuner.dashboard.attributes import metric_name
from tuner.dashboard.overlay import Overlay
from tuner.launch_commands import launch_commands
from tuner.phases import DEFAULT_CONFIG
from tuner.storage import Store
from tuner.summary import StudySummary, summarize

FIRST_WAIT_S = 1.0
REST_S = 3.0  # between two drawings of a study, or
REST_FACTOR = 5.0  # so many times as long as drawing it took
END = -1  # instead of the id of a study


class Exhibition(AbstractContextManager["Exhibition"]):
    """Hangs the studies of a database on an overlay, the last one first, others when visited."""

    def __init__(self, store: Store, overlay: Overlay) -> None:
        self._store, self._overlay = store, overlay
        self._visits: LifoQueue[int] = LifoQueue()
        self._hung: defaultdict[int, Event] = defaultdict(Event)
        self._next_at: dict[int, float] = {}
        self._seen: dict[int, object] = {}
        self._thread = Thread(target=self._work, name="exhibition", daemon=True)

    def __enter__(self) -> "Exhibition":
        studies = self._store.optuna.get_all_studies()
        ours = [s._study_id for s in studies if self._overlay.is_ours(s._study_id)]
        if ours:
            self._visits.put(max(ours))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._visits.put(END)
        self._thread.join()

    def visited(self, study_id: int) -> None:
        """Somebody asks for a study: see whether there is anything new, soon."""
        if self._overlay.is_ours(study_id):
            self._visits.put(study_id)
            self._hung[study_id].wait(FIRST_WAIT_S)

    def _work(self) -> None:
        while (study_id := self._visits.get()) != END:
            if time.monotonic() >= self._next_at.get(study_id, 0.0):
                began = time.monotonic()
                self._renew(study_id)
                now = time.monotonic()
                self._next_at[study_id] = now + max(REST_S, REST_FACTOR * (now - began))
        self._store.optuna.remove_session()

    def _renew(self, study_id: int) -> None:
        try:
            name = self._store.optuna.get_study_name_from_id(study_id)
        except KeyError:  # deleted meanwhile
            return
        trials = self._store.optuna.get_all_trials(study_id, deepcopy=False)
        seen = (self._store.run_count(name), [trial.state for trial in trials])
        if self._seen.get(study_id) != seen:
            self._seen[study_id] = seen
            try:
                self._overlay.hang(study_id, drawn(self._store, name))
            except Exception:  # a bug of ours, or damaged records: the pages go on without
                print(f"study '{name}' cannot be drawn:", file=sys.stderr)
                traceback.print_exc()
        self._hung[study_id].set()


def drawn(store: Store, name: str) -> Mapping[str, Any]:
    """System attributes that show a study, as optuna-dashboard's own functions write them."""
    summary = summarize(store, name)
    sheet = Overlay(store.optuna)
    study = optuna.load_study(study_name=name, storage=sheet)
    # what Study.set_metric_names writes, which warns each time that it is experimental
    sheet.set_study_system_attr(study._study_id, "study:metric_names", [metric_name(summary.study)])
    save_note(study, notes.study_note(summary, store.url, launch_commands(store, name)))
    ids = {trial.number: trial._trial_id for trial in study.get_trials(deepcopy=False)}
    for trial in summary.finals.finalists:
        if trial != DEFAULT_CONFIG:
            save_note(optuna.Trial(study, ids[trial]), notes.finalist_note(summary, trial))
    _draw_figures(study, summary)
    return sheet.drawn(study._study_id)


def _draw_figures(study: optuna.Study, summary: StudySummary) -> None:
    # here: they load Plotly, while the first page is on its way
    from tuner.figures.style import titled
    from tuner.gallery import GALLERY

    for place, exhibit in enumerate(GALLERY):
        found = exhibit.find(summary) if exhibit.in_dashboard else None
        if found is not None:
            figure = titled(exhibit.draw(found), found.title, found.caption)
            figure.layout.height = None  # the page has frames of one size
            save_plotly_graph_object(
                study, figure, graph_object_id=f"{place:02}-{exhibit.name.replace('_', '-')}"
            )
