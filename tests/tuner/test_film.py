"""`tuner film` keeps films of the winner with the study: of the very agents that were scored."""

import re

import imageio_ffmpeg
from optuna.artifacts import get_all_artifact_meta

from tests.tuner import tiny
from tests.tuner.commands import Ended, Quick
from tests.tuner.conftest import Finished
from tuner.artifacts import directory_of
from tuner.filming import takes
from tuner.seed_pools import Pool
from tuner.storage import Run, open_for_reading, open_for_writing
from tuner.summary import summarize
from tuner.trials import SPEC, Trials

NO_CHROMIUM = {"PATH": ""}


def filmed(study: Finished, quick: Quick) -> Ended:
    ended = quick("film", folder=study.folder, env=NO_CHROMIUM)
    assert ended.code == 0, ended.err
    return ended


def kept(study: Finished) -> dict[str, str]:
    """The names of the study's files, by artifact."""
    with open_for_reading(tiny.url(study.folder)) as store:
        found = get_all_artifact_meta(store.optuna_study("tiny"))
        there = {path.name for path in directory_of(store).iterdir()}
    assert {one.artifact_id for one in found} == there
    assert {one.mimetype for one in found} == {"video/mp4"}
    return {one.artifact_id: one.filename for one in found}


def test_films_show_the_agents_that_were_scored(copied: Finished, quick: Quick) -> None:
    lines = filmed(copied, quick).out.splitlines()

    with open_for_reading(tiny.url(copied.folder)) as store:
        summary = summarize(store, "tiny")
        folder = directory_of(store)
    runs = summary.finals.recorded(summary.chosen(), Pool.TEST)
    for line, take in zip(lines, takes(runs), strict=False):
        assert line.startswith(f"{take.word} test seed {take.seed}, score {take.score:.1f}, ")
        assert line.endswith(f"trained again {take.score}, recorded {take.score} (equal)")
    assert lines[3].startswith("no picture: ")
    for artifact, name in kept(copied).items():
        frames, _ = imageio_ffmpeg.count_frames_and_secs(folder / artifact)
        played = re.search(r"return (\d+)\.0\.mp4", name)
        assert played is not None
        assert frames == int(played[1]) + 1  # a reward of 1 for every step, and the beginning


def test_filming_again_replaces_the_films(copied: Finished, quick: Quick) -> None:
    filmed(copied, quick)
    before = kept(copied)

    filmed(copied, quick)

    assert kept(copied) == before
    assert len(before) == 3


def a_run(seed: int, score: float) -> Run:
    return tiny.a_run(seed=seed, seed_index=seed, score=score)


def test_the_best_the_median_and_the_worst_seed_are_taken() -> None:
    five = [a_run(seed, score) for seed, score in enumerate((30.0, 10.0, 50.0, 20.0, 40.0))]

    def words(runs: list[Run]) -> list[tuple[str, int]]:
        return [(take.word, take.seed) for take in takes(runs)]

    assert words(five) == [("best", 2), ("median", 0), ("worst", 1)]
    assert words(five[:2]) == [("best", 0), ("worst", 1)]
    assert words(five[:1]) == [("best", 0)]
    assert words([a_run(0, 5.0), a_run(1, 5.0), a_run(2, 5.0)]) == [
        ("best", 0), ("median", 1), ("worst", 2),
    ]  # fmt: skip


def test_a_study_without_a_test_has_no_winner_to_film(
    finished: Finished, quick: Quick, copied: Finished
) -> None:
    (copied.folder / "tuner.db").unlink()
    with open_for_writing(tiny.url(copied.folder)) as store:
        Trials(finished.study, store)

    refused = quick("film", folder=copied.folder)

    assert refused.code == 2
    assert refused.err == (
        "error: study 'tiny' is not tested yet, so that there is no winner to film; "
        "`tuner confirm tiny` tests what it has found\n"
    )


def test_a_database_that_is_written_to_is_left_alone(copied: Finished, quick: Quick) -> None:
    with open_for_writing(tiny.url(copied.folder)):
        refused = quick("film", folder=copied.folder)

    assert refused.code == 3
    assert "is in use by process" in refused.err


def test_an_environment_without_pictures_is_named(copied: Finished, quick: Quick) -> None:
    with open_for_writing(tiny.url(copied.folder)) as store:
        study = store.optuna_study("tiny")
        spec = study.user_attrs[SPEC].replace("CartPole-v1", "Probe/Countdown-v0")
        study.set_user_attr(SPEC, spec)
    module = copied.folder / "probes_here.py"
    module.write_text("from tests import probes\n\nprobes.register()\n")

    refused = quick("film", "--allow-import=probes_here", folder=copied.folder, env=NO_CHROMIUM)

    assert refused.code == 2
    assert "no films: env 'Probe/Countdown-v0' has no render mode 'rgb_array'" in refused.out
    assert refused.err == "error: nothing to keep of study 'tiny'\n"


def test_a_launch_says_that_its_winner_can_be_filmed(finished: Finished) -> None:
    assert re.search(r"tuner film tiny +# films of the winner", finished.launch.out)
