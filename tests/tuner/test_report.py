"""`tuner report`: what stands in it, what it refuses, and that its numbers are those recorded."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.tuner import tiny
from tests.tuner.commands import Quick
from tests.tuner.conftest import Finished
from tests.tuner.landscapes import fresh_runs, landscape
from tuner import study as studies
from tuner.comparison import compare
from tuner.finals import Finals
from tuner.gallery import GALLERY
from tuner.phases import DEFAULT_CONFIG
from tuner.plain_data import as_plain
from tuner.report import report
from tuner.report_page import comparison_page, report_page
from tuner.seed_pools import Pool
from tuner.spending import covered_s, failures, spent
from tuner.storage import DEFAULT_URL, Run, open_for_reading, open_for_writing
from tuner.study import Study
from tuner.study_text import study_text
from tuner.summary import StudySummary, summarize
from tuner.trials import Trials

SPACE = "gamma = { low = 0.5, high = 1.0 }\nloss = { choices = ['huber', 'mse'] }\n"
KEYS = {
    "schema", "study", "sentence", "missing", "configurations", "hyperparameters", "over_default",
    "figures", "spent", "failures", "checklist", "spec", "study_file", "reproduce",
}  # fmt: skip


def read(finished: Finished) -> StudySummary:
    with open_for_reading(tiny.url(finished.folder)) as store:
        return summarize(store, "tiny")


def studied(trials: int = 12, **swaps: Any) -> StudySummary:
    return landscape(SPACE, lambda params, k: 100 * params["gamma"] + k, trials=trials, **swaps)


def with_runs(summary: StudySummary, runs: Sequence[Run]) -> StudySummary:
    finals = Finals(summary.study, summary.finals.params, [*summary.finals.runs, *runs])
    return replace(summary, finals=finals)


def over(summary: StudySummary, ours: float = 90.0) -> StudySummary:
    """Every finalist confirmed, the winner tested with `ours` and `ours` + 4."""
    confirms = [
        run
        for k, trial in enumerate(summary.finals.finalists)
        for run in fresh_runs(trial, Pool.CONFIRM, [80.0 - k, 80.0 - k])
    ]
    confirmed = with_runs(summary, confirms)
    assert confirmed.best is not None
    runs = fresh_runs(confirmed.best, Pool.TEST, [ours, ours + 4])
    return with_runs(confirmed, [*runs, *fresh_runs(DEFAULT_CONFIG, Pool.TEST, [10.0, 12.0])])


def renamed(old: Study, name: str, **tables: dict[str, Any]) -> Study:
    spec = old.spec()
    spec["study"]["name"] = name
    for table, changes in tables.items():
        spec[table] |= changes
    return Study.from_spec(spec)


def test_the_page_says_what_status_says_and_needs_no_network(
    finished: Finished, quick: Quick, tmp_path: Path
) -> None:
    ended = quick("report", "-o", str(tmp_path / "r.html"), finished.option, folder=tmp_path)

    page = (tmp_path / "r.html").read_text()
    said = json.loads(quick("status", "--json", folder=finished.folder).out)["studies"][0]
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == f"wrote {tmp_path}/r.html: tiny\n"
    assert said["sentence"].split("(")[0] in page
    assert [path.name for path in tmp_path.iterdir()] == ["r.html"]
    assert 'src="http' not in page and "@import" not in page and "<link" not in page
    assert len(page) < 6_000_000


def test_the_json_holds_the_numbers_of_the_database(
    finished: Finished, quick: Quick, tmp_path: Path
) -> None:
    ended = quick("report", "tiny", "-o", "-", "--format", "json", folder=finished.folder)

    data = json.loads(ended.out, parse_constant=pytest.fail)
    said = json.loads(quick("status", "--json", folder=finished.folder).out)["studies"][0]
    assert data.keys() == KEYS
    assert data["sentence"] == said["sentence"]
    [chosen] = [found for found in data["configurations"] if found["chosen"]]
    for pool in ("confirm", "test"):
        assert chosen[pool]["scores"] == said["chosen"][pool]["scores"]
    assert data["figures"].keys() == {exhibit.name for exhibit in GALLERY}
    recorded = tiny.recorded(finished.folder)
    assert data["spent"]["all"]["runs"] == len(recorded)
    assert data["spent"]["all"]["steps"] == 600 * len(recorded)
    assert (data["failures"], data["missing"]) == ([], [])
    assert studies.parse(data["study_file"].encode(), "again") == finished.study


def test_every_figure_is_either_there_or_says_what_it_needs(finished: Finished) -> None:
    found = report(read(finished), DEFAULT_URL)

    page = report_page(found)

    for exhibit, finding in found.exhibits:
        assert f'id="{exhibit.name}"' in page
        assert (f'data-figure="data-{exhibit.name}"' in page) == (finding is not None)
    assert "Not shown: it needs 15 complete trials" in page


def test_a_file_is_replaced_by_force_only(finished: Finished, quick: Quick, tmp_path: Path) -> None:
    (tmp_path / "r.html").write_text("mine")
    (tmp_path / "link.html").symlink_to("nowhere")

    refused = quick("report", "-o", "r.html", finished.option, folder=tmp_path)
    dangling = quick("report", "-o", "link.html", finished.option, folder=tmp_path)
    kept = (tmp_path / "r.html").read_text()
    forced = quick("report", "-o", "r.html", "--force", finished.option, folder=tmp_path)

    assert (refused.code, kept) == (2, "mine")
    assert refused.err == "error: -o: 'r.html' exists; add --force to replace it\n"
    assert dangling.code == 2
    assert forced.code == 0 and (tmp_path / "r.html").read_text() != "mine"


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        (["other", "-o", "r.html"], "no study 'other' in sqlite:///tuner.db; it holds: tiny"),
        (["tiny", "tiny", "-o", "r.html"], "'tiny' is named twice"),
        (["a", "b", "c", "-o", "r.html"], "3 studies are named; one, or two to compare"),
        (["tiny", "other", "-o", "r.html"], "no study 'other'"),
        (["-o", "r.pdf", "--format", "pdf"], "--format: 'pdf' is unknown; html, json"),
        (["-o", "no/r.html"], "directory 'no' does not exist"),
        (["-o", "."], "is a directory"),
        (["-o", "n" * 300], "cannot be written"),
        (["tiny"], "Missing option '-o'"),
    ],
)
def test_what_cannot_be_written_is_refused_in_one_line(
    finished: Finished, quick: Quick, tmp_path: Path, arguments: list[str], fragment: str
) -> None:
    folder = shutil.copytree(finished.folder, tmp_path / "copy")
    before = sorted(folder.iterdir())

    ended = quick("report", *arguments, folder=folder)

    assert (ended.code, ended.out) == (2, "")
    assert fragment in ended.err and "Traceback" not in ended.err
    assert {path.suffix for path in set(folder.iterdir()) - set(before)} <= {".db-shm", ".db-wal"}


def test_a_study_that_has_just_begun_gets_a_page_that_says_so(quick: Quick, tmp_path: Path) -> None:
    tiny.opened(tmp_path, tiny.written(tmp_path))

    ended = quick("report", "-o", "r.html", folder=tmp_path)
    data = json.loads(quick("report", "-o", "-", "--format", "json", folder=tmp_path).out)

    assert (ended.code, ended.err) == (0, "")
    assert (
        "No trial is complete: there is nothing to choose from yet."
        in (tmp_path / "r.html").read_text()
    )
    assert (data["sentence"], data["configurations"]) == (None, [])
    assert data["missing"][1] == "The search is not over: 0 of 3 trials are."


def test_an_empty_study_gets_a_page_too(quick: Quick, tmp_path: Path) -> None:
    tiny.written(tmp_path)
    with open_for_writing(tiny.url(tmp_path)) as store:
        Trials(studies.load(str(tmp_path / "tiny.toml")), store)

    ended = quick("report", "-o", "r.html", folder=tmp_path)

    assert (ended.code, ended.err) == (0, "")


def test_a_search_that_is_not_confirmed_says_what_is_missing() -> None:
    missing = report(studied(), DEFAULT_URL).missing
    none = report(over(studied()), DEFAULT_URL).missing

    assert missing == [
        "The finalists are not confirmed on fresh seeds.",
        "The winner is not tested: its scores took part in choosing it.",
    ]
    assert none == []


def test_one_trial_is_enough_for_a_page() -> None:
    page = report_page(report(studied(trials=1), DEFAULT_URL))

    assert "best of 1 trial" in page


def test_pages_print_no_interval_of_three_seeds() -> None:
    few, enough = (over(studied(trials=1, seeds=seeds)) for seeds in (3, 5))

    assert "(t)" not in report_page(report(few, DEFAULT_URL)).partition('id="figures"')[0]
    assert "(t)" in report_page(report(enough, DEFAULT_URL)).partition('id="figures"')[0]


def test_what_was_spent_is_counted_once() -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    runs = [
        tiny.a_run(trial=0, seconds=60.0, recorded_at=noon + timedelta(seconds=60)),
        tiny.a_run(trial=1, seconds=60.0, recorded_at=noon + timedelta(seconds=90)),
        tiny.a_run(trial=2, seconds=10.0, recorded_at=noon + timedelta(seconds=300)),
        tiny.a_run(trial=3, status="failed", curve={"steps": [], "returns": []}, error="x\nboom"),
        tiny.a_run(trial=0, purpose="test", curve={"steps": [5, 7], "returns": [[1.0], [2.0]]}),
    ]
    summary = replace(studied(), finals=Finals(studied().study, {}, runs))

    cost = spent(summary)

    assert cost.work_s == 100.0  # 12:00:00 to 12:01:30, and ten seconds later on
    assert [purpose.runs for purpose in cost.purposes] == [4, 0, 1]
    assert [purpose.steps for purpose in cost.purposes] == [3, 0, 7]
    assert cost.whole.failed == 1
    assert cost.seeds == {2: 12}
    assert [(f.what, f.reason) for f in failures(summary)] == [("trial 3, tune seed 1", "boom")]
    assert covered_s([]) == 0.0


@pytest.mark.parametrize("name", studies.shipped_names())
def test_the_study_file_reads_as_the_same_study(name: str) -> None:
    study = studies.load(name)

    assert studies.parse(study_text(study).encode(), "again.toml") == study


def test_the_checklist_names_space_seeds_budget_and_incumbent() -> None:
    summary = over(studied())
    items = {item.question: item for item in report(summary, DEFAULT_URL).checklist}

    def answered(question: str) -> str:
        [item] = [item for asked, item in items.items() if question in asked]
        return " ".join([item.answer, *item.details])

    study = summary.study
    assert len(items) == 17
    assert answered("configuration space") == "of deep_q: gamma: (0.5, 1) loss: {huber, mse}"
    for pool, question in ((Pool.TUNE, "Tuning was done"), (Pool.TEST, "Testing was done")):
        seeds = [study.run_seed(pool, k) for k in range(2)]
        assert f"[{seeds[0]}, {seeds[1]}]" in answered(question)
    assert "12 of 12 trials" in items["The tuning budget was"].answer
    assert summary.best is not None
    gamma = summary.finals.params[summary.best]["gamma"]
    assert f"gamma: {gamma!r}" in answered("incumbent")  # to the last digit
    assert answered("all results reported on the test seeds").startswith("Yes")
    unfinished = {i.question: i.answer for i in report(studied(), DEFAULT_URL).checklist}
    assert unfinished["Are all results reported on the test seeds?"].startswith("No")


def test_two_studies_are_compared_on_test_seeds() -> None:
    one = over(studied(), ours=90.0)
    other = over(studied(), ours=60.0)
    other = replace(other, study=renamed(other.study, "second", fixed={"tau": 0.5}))

    found = compare(report(one, DEFAULT_URL), report(other, DEFAULT_URL))

    assert found.difference is not None
    assert (found.pool, found.difference.mean, found.difference.probability_better) == (
        "test", 30.0, 1.0,
    )  # fmt: skip
    assert [(change.key, change.values) for change in found.settings] == [
        ("fixed.tau", ["1.0", "0.5"])
    ]
    assert (found.space, found.warnings) == ([], [])
    assert found.strips is not None
    assert [strip.mean for strip in found.strips.strips] == [92.0, 11.0, 62.0, 11.0]
    page = comparison_page(found)
    assert 'data-figure="data-side_by_side"' in page and "second" in page
    data = json.loads(json.dumps(found.as_data(), allow_nan=False))
    assert data["comparison"]["difference"]["mean"] == 30.0
    assert [study["study"] for study in data["studies"]] == ["landscape", "second"]


def test_why_a_probability_has_no_interval_is_said() -> None:
    summary = studied(trials=1)
    equals = [
        run
        for trial in summary.finals.finalists
        for run in fresh_runs(trial, Pool.CONFIRM, [80.0, 80.0])
    ]

    alike = report(with_runs(summary, equals), DEFAULT_URL)
    apart = report(over(studied()), DEFAULT_URL)

    assert "none: all seeds score alike" in comparison_page(compare(alike, alike))
    assert "none: all seeds of one lie above all of the other" in report_page(apart)


def test_studies_of_other_environments_or_budgets_are_not_passed_off_as_alike() -> None:
    one, other = over(studied()), over(studied())
    elsewhere = replace(other, study=renamed(other.study, "far", study={"env": "Acrobot-v1"}))
    longer = replace(other, study=renamed(other.study, "long", budget={"steps": 12_000}))

    apart = compare(report(one, DEFAULT_URL), report(elsewhere, DEFAULT_URL))
    budgets = compare(report(one, DEFAULT_URL), report(longer, DEFAULT_URL))

    assert (apart.difference, apart.strips, apart.profile) == (None, None, None)
    assert "differ in study.env (CartPole-v1, Acrobot-v1)" in apart.warnings[0]
    assert "no difference between them is given" in comparison_page(apart)
    assert budgets.difference is not None
    assert "The runs differ in budget.steps (6000, 12000)" in budgets.warnings[0]


def test_a_comparison_with_an_unfinished_study_says_so() -> None:
    one, other = over(studied()), studied()
    other = replace(other, study=renamed(other.study, "young"))

    found = compare(report(one, DEFAULT_URL), report(other, DEFAULT_URL))

    assert found.difference is None
    assert found.warnings == ["young has no winner on fresh seeds yet."]
    assert "young has no winner" in comparison_page(found)


def test_spaces_are_compared_key_by_key() -> None:
    one = studied()
    spec = one.study.spec()
    del spec["space"]["loss"]
    spec["space"]["gamma"]["high"] = 0.9
    spec["study"]["name"] = "narrow"
    other = replace(one, study=Study.from_spec(spec), finals=Finals(one.study, {}, []), trials=[])

    found = compare(report(one, DEFAULT_URL), report(other, DEFAULT_URL))

    assert {change.key: change.values for change in found.space} == {
        "gamma": ["(0.5, 1)", "(0.5, 0.9)"],
        "loss": ["{huber, mse}", "fixed to huber"],
    }


def test_plain_data_knows_no_infinity() -> None:
    assert as_plain({"a": (float("nan"), 1.5, float("inf")), 3: datetime(2026, 1, 1)}) == {
        "a": [None, 1.5, None],
        "3": "2026-01-01T00:00:00",
    }
