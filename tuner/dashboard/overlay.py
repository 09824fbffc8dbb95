"""A storage laid over another: what is drawn on it stays in memory, what is below stays as it is.

Optuna's dashboard reads our studies through it. It shows what we know of a study in Optuna's own
words (system attributes, as optuna-dashboard's functions write them), attributes of studies and
trials as a person would name them, and steps of the environment instead of marks. Studies of
other programs show through unchanged.
"""

import sys
from collections.abc import Container, Mapping, Sequence
from copy import copy
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.study._frozen import FrozenStudy
from optuna.trial import FrozenTrial, TrialState

from tuner.dashboard.attributes import marks, of_study, of_trial, readable
from tuner.errors import TunerError
from tuner.trials import SPEC

NOTE_VERSION = "note_ver"  # how optuna-dashboard's keys of a note's version end
NOTE_PIECE = "note_str:"  # what stands before the number of a piece of its text
Attributes = Mapping[str, Any]


class Overlay(BaseStorage):
    """What is below, with what is drawn over it.

    edits: whether what is written goes into the storage below; else system attributes of studies
    stay here, and everything else is left to the storage below, which may refuse it
    """

    def __init__(self, below: BaseStorage, *, edits: bool = False) -> None:
        self._below = below
        self._edits = edits
        self._drawn: dict[int, Attributes] = {}
        # of studies with a specification; None where it cannot be read
        self._marks: dict[int, Sequence[int] | None] = {}
        self._finished: dict[int, FrozenTrial] = {}

    def hang(self, study_id: int, drawn: Attributes) -> None:
        """Show these system attributes of a study from now on, instead of those before."""
        self._drawn[study_id] = drawn

    def drawn(self, study_id: int) -> Attributes:
        """What was written here of a study."""
        return self._drawn.get(study_id, {})

    def is_ours(self, study_id: int) -> bool:
        """Whether the study has a specification of ours, and one that this version can read."""
        try:
            return self._reads(study_id, self._below.get_study_user_attrs(study_id))
        except KeyError:  # no such study
            return False

    def _reads(self, study_id: int, attributes: Attributes) -> bool:
        """Whether we know what was searched; says once where we cannot."""
        if study_id not in self._marks and SPEC in attributes:
            try:
                self._marks[study_id] = marks(attributes[SPEC])
            except (ValueError, TypeError, LookupError, TunerError):  # of a later version, damaged
                self._marks[study_id] = None
                name = self._below.get_study_name_from_id(study_id)
                print(
                    f"study '{name}' cannot be read by this version, which shows it without notes "
                    "and figures; a later version may",
                    file=sys.stderr,
                )
        return self._marks.get(study_id) is not None

    # what is shown otherwise than it is below

    def get_all_studies(self) -> list[FrozenStudy]:
        return [self._shown_study(study) for study in self._below.get_all_studies()]

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        return _laid_over(self._below.get_study_system_attrs(study_id), self.drawn(study_id))

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        attributes = self._below.get_study_user_attrs(study_id)
        return of_study(attributes) if self._reads(study_id, attributes) else attributes

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        trials = self._below.get_all_trials(study_id, deepcopy=deepcopy, states=states)
        steps = self._marks.get(study_id) if self.is_ours(study_id) else None
        return trials if steps is None else [self._shown_trial(trial, steps) for trial in trials]

    def _shown_study(self, study: FrozenStudy) -> FrozenStudy:
        shown = copy(study)
        if self._reads(study._study_id, study.user_attrs):
            shown.user_attrs = of_study(study.user_attrs)
        shown.system_attrs = _laid_over(study.system_attrs, self.drawn(study._study_id))
        return shown

    def _shown_trial(self, trial: FrozenTrial, marks: Sequence[int]) -> FrozenTrial:
        shown = self._finished.get(trial._trial_id)
        if shown is None:
            shown = copy(trial)
            shown.user_attrs = of_trial(trial.user_attrs)
            shown.intermediate_values = {
                marks[mark - 1]: readable(mean) for mark, mean in trial.intermediate_values.items()
            }
            if trial.values is not None:
                shown.values = [readable(value) for value in trial.values]
            if trial.state.is_finished():  # then nothing of it changes any more
                self._finished[trial._trial_id] = shown
        return shown

    # what is written here

    def set_study_system_attr(self, study_id: int, key: str, value: Any) -> None:
        if self._edits:
            self._below.set_study_system_attr(study_id, key, value)
            self._keep_no_note_of_ours(study_id, key)
        else:
            self._drawn[study_id] = {**self.drawn(study_id), key: value}

    def _keep_no_note_of_ours(self, study_id: int, key: str) -> None:
        """Empty a note below that says what ours says: it would stay as it is while ours grows."""
        start, found, _ = key.partition(NOTE_PIECE)
        below = self._below.get_study_system_attrs(study_id) if found else {}
        if found and _text(below, start) == _text(self.drawn(study_id), start):
            for piece in _pieces(below, start):
                self._below.set_study_system_attr(study_id, piece, "")

    # what is left to the storage below

    def create_new_study(
        self, directions: Sequence[StudyDirection], study_name: str | None = None
    ) -> int:
        return self._below.create_new_study(directions, study_name)

    def delete_study(self, study_id: int) -> None:
        self._below.delete_study(study_id)

    def set_study_user_attr(self, study_id: int, key: str, value: Any) -> None:
        self._below.set_study_user_attr(study_id, key, value)

    def get_study_id_from_name(self, study_name: str) -> int:
        return self._below.get_study_id_from_name(study_name)

    def get_study_name_from_id(self, study_id: int) -> str:
        return self._below.get_study_name_from_id(study_id)

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        return self._below.get_study_directions(study_id)

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        return self._below.create_new_trial(study_id, template_trial)

    def set_trial_param(
        self,
        trial_id: int,
        param_name: str,
        param_value_internal: float,
        distribution: BaseDistribution,
    ) -> None:
        self._below.set_trial_param(trial_id, param_name, param_value_internal, distribution)

    def set_trial_state_values(
        self, trial_id: int, state: TrialState, values: Sequence[float] | None = None
    ) -> bool:
        return self._below.set_trial_state_values(trial_id, state, values)

    def set_trial_intermediate_value(
        self, trial_id: int, step: int, intermediate_value: float
    ) -> None:
        self._below.set_trial_intermediate_value(trial_id, step, intermediate_value)

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        self._below.set_trial_user_attr(trial_id, key, value)

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        self._below.set_trial_system_attr(trial_id, key, value)

    def get_trial(self, trial_id: int) -> FrozenTrial:
        return self._below.get_trial(trial_id)

    def remove_session(self) -> None:
        self._below.remove_session()


def _laid_over(below: Attributes, drawn: Attributes) -> dict[str, Any]:
    """Both; what stands below wins, but of a note there that is empty only its version does."""
    laid = {**drawn, **below}
    for key in below:
        start, found, _ = key.partition(NOTE_VERSION)
        if found and key in drawn:
            theirs = bool(_text(below, start))
            for piece in _pieces(drawn if theirs else below, start):
                del laid[piece]
            shown = below if theirs else drawn
            laid |= {piece: shown[piece] for piece in _pieces(shown, start)}
    return laid


def _text(attributes: Attributes, start: str) -> str:
    """A note. start: what its keys begin with, "dashboard:" or "dashboard:<trial id>:"."""
    return "".join(attributes[piece] for piece in _pieces(attributes, start))


def _pieces(attributes: Attributes, start: str) -> list[str]:
    """The keys of a note's text, in their order."""
    found = [key for key in attributes if key.startswith(start + NOTE_PIECE)]
    return sorted(found, key=lambda key: int(key.rpartition(":")[2]))
