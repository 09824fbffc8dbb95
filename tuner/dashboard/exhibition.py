"""What the dashboard shows of our studies, drawn anew while they grow.

A thread of its own draws. It first reads the trials, which the pages need too, and then leaves the
processor to those who ask: a study is drawn once a page of it is answered, or once nobody asks for
a moment. What is not drawn by then comes with the page's next look.
"""

import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from queue import Empty, LifoQueue
from threading import Event, Lock, Thread
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

FIRST_WAIT_S = 0.2  # of a page for the first drawing of its study, if that is under way
IDLE_S = 1.0  # without a page, before a study is drawn that nobody asked for
BREATH_S = 0.3  # after a page, for the rest of what it asks
LEAVE_S = 0.5  # for a drawing under way when all ends
REST_S = 3.0  # between two drawings of a study, or
REST_FACTOR = 20.0  # so many times as long as drawing it took
END = -1  # instead of the id of a study


class Exhibition(AbstractContextManager["Exhibition"]):
    """Hangs the studies of a database on an overlay, the last one first, others when visited."""

    def __init__(self, store: Store, overlay: Overlay) -> None:
        self._store, self._overlay = store, overlay
        self._visits: LifoQueue[int] = LifoQueue()
        self._under_way: dict[int, Event] = {}  # first drawings; the events tell of their ends
        self._lock = Lock()  # of the line above
        self._ended = Event()
        self._next_at: dict[int, float] = {}
        self._seen: dict[int, object] = {}
        self._told: dict[int, str] = {}
        self._thread = Thread(target=self._work, name="exhibition", daemon=True)

    def __enter__(self) -> "Exhibition":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._visits.put(END)
        self._thread.join(LEAVE_S)

    @contextmanager
    def visited(self, study_id: int) -> Iterator[None]:
        """While somebody is answered about a study; then see whether there is anything new."""
        if not self._overlay.is_ours(study_id):
            yield
            return
        with self._lock:
            under_way = self._under_way.pop(study_id, None)  # one page waits, once
        if under_way is not None:
            under_way.wait(FIRST_WAIT_S)
        yield
        self._visits.put(study_id)

    def _work(self) -> None:
        try:
            study_id = self._first(self._warmed())
            while study_id != END and not self._ended.wait(BREATH_S):
                self._look(study_id)
                study_id = self._visits.get()
        except Exception:
            if not self._ended.is_set():  # else the database was closed under a drawing
                raise
        finally:
            self._store.optuna.remove_session()

    def _first(self, last: int | None) -> int:
        """Who is asked for, soon; else the last study."""
        if last is None:
            return self._visits.get()
        try:
            return self._visits.get(timeout=IDLE_S)
        except Empty:
            return last

    def _warmed(self) -> int | None:
        """The last of our studies, None if there is none; reads the trials of all of them."""
        studies = self._store.optuna.get_all_studies()
        ours = [s._study_id for s in studies if self._overlay.is_ours(s._study_id)]
        for study_id in sorted(ours, reverse=True):
            self._overlay.get_all_trials(study_id, deepcopy=False)
        return max(ours, default=None)

    def _look(self, study_id: int) -> None:
        """Draw a study anew, unless it was a moment ago."""
        began = time.monotonic()
        if began < self._next_at.get(study_id, 0.0):
            return
        done = Event()
        if study_id not in self._seen:
            with self._lock:
                self._under_way[study_id] = done
        try:
            self._renew(study_id)
        finally:
            done.set()
        now = time.monotonic()
        self._next_at[study_id] = now + max(REST_S, REST_FACTOR * (now - began))

    def _renew(self, study_id: int) -> None:
        try:
            name = self._store.optuna.get_study_name_from_id(study_id)
            trials = self._store.optuna.get_all_trials(study_id, deepcopy=False)
        except KeyError:  # deleted meanwhile
            return
        seen = (self._store.run_count(name), [trial.state for trial in trials])
        if self._seen.get(study_id) == seen:
            return
        try:
            self._overlay.hang(study_id, drawn(self._store, name))
            self._seen[study_id] = seen
        except Exception:  # a bug of ours, or damaged records: the pages go on without
            self._tell(study_id, f"study '{name}' cannot be drawn:\n{traceback.format_exc()}")

    def _tell(self, study_id: int, problem: str) -> None:
        """On the terminal, but not again with each try; nothing once the database is closed."""
        if self._told.get(study_id) != problem and not self._ended.is_set():
            self._told[study_id] = problem
            print(problem, end="", file=sys.stderr)


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
            framed = exhibit.framed(found)
            figure = titled(exhibit.draw(framed), framed.title, framed.caption)
            figure.layout.height = None  # the page has frames of one size
            save_plotly_graph_object(
                study, figure, graph_object_id=f"{place:02}-{exhibit.name.replace('_', '-')}"
            )
