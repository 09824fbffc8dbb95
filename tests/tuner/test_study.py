"""Study files are read strictly, and every problem of a file is named at once."""

from pathlib import Path

import pytest

from tests.tuner.tiny import TINY, changed
from tuner import study as studies
from tuner.errors import StudyError
from tuner.study import Study, load, parse


def refusals(text: str | bytes) -> list[str]:
    content = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(StudyError) as refused:
        parse(content, "s.toml")
    return list(refused.value.problems)


@pytest.mark.parametrize("name", ["cartpole", "cartpole-course", "quickstart"])
def test_the_shipped_studies_load_under_their_own_names(name: str) -> None:
    assert name in studies.shipped_names()
    assert load(name).name == name


def test_every_shipped_study_loads() -> None:
    assert all(load(name).name == name for name in studies.shipped_names())


def test_cartpole_searches_the_six_hyperparameters_this_project_is_about() -> None:
    assert set(load("cartpole").space) >= {
        "learning_rate",
        "gamma",
        "buffer_size",
        "target_update_interval",
        "epsilon_decay_steps",
        "hidden_layers",
    }


RATE = "learning_rate = { low = 1e-4, high = 1e-2, log = true }"
GAMMA = "gamma = { choices = [0.9, 0.99] }"
LAYERS = "hidden_layers = { choices = [[8], [16]] }"
BAD = [
    ("trials = 3", "n_trails = 3", ["[study] trials: missing", "[study] n_trails: unknown key"]),
    ("trials = 3", "trials = true", ["[study] trials: needs a whole number (got true)"]),
    ("trials = 3", 'trials = "3"', ["[study] trials: needs a whole number (got '3')"]),
    ("trials = 3", "trials = 3.0", ["[study] trials: needs a whole number (got 3.0)"]),
    ("trials = 3", "trials = 0", ["[study] trials: must be at least 1 (got 0)"]),
    ("trials = 3", "trials = 1_000_001", ["[study] trials: must be at most 1000000"]),
    ('name = "tiny"', 'name = "../../etc"', ["[study] name: only letters, digits"]),
    ('name = "tiny"', 'name = ""', ["[study] name: only letters, digits"]),
    ('name = "tiny"', f'name = "{"n" * 101}"', ["at most 100 characters"]),
    ('name = "tiny"', 'name = "a\\nb"', ["[study] name: only letters, digits", "'a\\nb'"]),
    ('env = "CartPole-v1"', "", ["[study] env: missing"]),
    ("[study]", "[study]\nenv_kwargs = 3", ["[study] env_kwargs: needs a table (got 3)"]),
    ('agent = "deep_q"', 'agent = "deep_r"', ["[study] agent: must be one of 'deep_q'"]),
    ("master_seed = 7", "master_seed = -1", ["[study] master_seed: must be at least 0 (got -1)"]),
    ("steps = 600", "steps = 0", ["[budget] steps: must be at least 1 (got 0)"]),
    ("evaluations = 6", "evaluations = 0", ["[budget] evaluations: must be at least 1"]),
    ("evaluations = 6", "evaluations = 601", ["[budget] evaluations = 601: must be at most"]),
    ("[seeds]", "[seedz]", ["[seedz]: unknown key; did you mean 'seeds'?"]),
    ("max = 2", "max = 1", ["[seeds] start = 2 is above max = 1"]),
    ("test = 3", "test = 1", ["[seeds] test: must be at least 2 (got 1)"]),
    ("test = 3", "test = 3\nown_test = [1, 2]", ["own_test: 2 seeds, but test = 3"]),
    (
        "test = 3",
        "test = 3\nown_tune = [5, 6]\nown_test = [7, 6, 8]",
        ["[seeds] own_test: 6 is also a tune seed", "cannot judge it"],
    ),
    ("test = 3", "test = 3\nown_tune = [5, 5]", ["[seeds] own_tune: 5 is twice"]),
    ('name = "random"', 'name = "magic"', ["[sampler] name: must be one of 'tpe' or 'random'"]),
    (RATE, "learning_rate = { low = 1e-2, high = 1e-4 }", ["low 0.01 is above high 0.0001"]),
    (RATE, "learning_rate = { low = 0, high = 1e-2, log = true }", ["a log scale needs low > 0"]),
    (RATE, "learning_rate = { low = nan, high = inf }", ["rate.low: must be a finite number"]),
    (RATE, "learning_rate = { lwo = 1e-4, high = 1e-2 }", ["low: missing", "did you mean 'low'?"]),
    (RATE, "learning_rate = 1e-3", ["[space] learning_rate: needs a table (got 0.001)"]),
    (RATE, "learning_rat = { low = 1e-4, high = 1e-2 }", ["did you mean 'learning_rate'?"]),
    (GAMMA, "gamma = { low = 0.9, high = 1.5 }", ["[space] gamma: must be at most 1.0 (got 1.5)"]),
    (GAMMA, "gamma = { choices = [] }", ["[space] gamma: choices is empty"]),
    (GAMMA, "gamma = { choices = [0.9, 0.9] }", ["[space] gamma: 0.9 given twice"]),
    (GAMMA, 'gamma = { choices = [0.9, "0.99"] }', ["[space] gamma: needs a number (got '0.99')"]),
    (GAMMA, 'gamma = { choices = "high" }', ["[space] gamma.choices: needs a list (got 'high')"]),
    (GAMMA, "gamma = { low = 0.9, high = 1.0, step = 0.5 }", ["step must be above 0 and at most"]),
    (GAMMA, "tau = { low = 0.1, high = 1.0, log = true, step = 0.1 }", ["log and step"]),
    (LAYERS, "hidden_layers = { choices = [[0]] }", ["[space] hidden_layers: must be at least 1"]),
    (LAYERS, "hidden_layers = { choices = [[8], [8]] }", ["hidden_layers: [8] given twice"]),
    (LAYERS, "hidden_layers = { low = 1, high = 9 }", ["hidden_layers: has no range; write {"]),
    (LAYERS, "train_freq = { low = 1.5, high = 4 }", ["[space] train_freq: needs a whole number"]),
    (LAYERS, "train_freq = { low = 1, high = 4, step = 0.5 }", ["step needs a whole number"]),
    ("batch_size = 16", "batch_sise = 16", ["[fixed] batch_sise: unknown", "'batch_size'?"]),
    ("batch_size = 16", "gamma = 0.9", ["[fixed] gamma: also in [space]; keep one of the two"]),
    ("batch_size = 16", "batch_size = 16.5", ["[fixed] batch_size: needs a whole number"]),
    ("batch_size = 16", "tau = nan", ["[fixed] tau: must be a finite number (got nan)"]),
    ("batch_size = 16", 'activation = "os.system"', ["[fixed] activation: must be one of"]),
    ("batch_size = 16", "buffer_size = 32", ["batch_size up to 64 can exceed"]),
    (
        "batch_size = 16",
        "buffer_size = 32\n[space.batch_size]\nchoices = [8, 16]",
        ["[fixed]: does not go with the agent's defaults", "batch_size = 64 is larger than"],
    ),
    ("learning_starts = 100", "learning_starts = 600", ["learning_starts up to 600 is not below"]),
]


@pytest.mark.parametrize(("old", "new", "fragments"), BAD, ids=[new[:50] for _, new, _ in BAD])
def test_a_bad_file_is_refused_by_name_and_place(old: str, new: str, fragments: list[str]) -> None:
    lines = refusals(changed((old, new)))

    assert all(line.startswith("s.toml: ") for line in lines)
    assert all(any(fragment in line for line in lines) for fragment in fragments), lines


@pytest.mark.parametrize(
    ("content", "fragment"),
    [
        (b"", "empty; needs at least [study], [budget] and [space]"),
        (b"# nothing\n", "empty"),
        (b"[study]\nname = \xff", "not UTF-8 text (byte 0xff at offset 15)"),
        (b"[study]\nname\n", "invalid TOML"),
        (b"[study]\nname = 'a'\nname = 'b'\n", "invalid TOML"),
        (b"a = " + b"[" * 100_000, "nested too deeply"),
    ],
    ids=["empty", "comments only", "not UTF-8", "syntax", "key twice", "nested"],
)
def test_what_is_no_study_file_is_refused(content: bytes, fragment: str) -> None:
    assert fragment in refusals(content)[0]


def test_all_problems_of_a_file_are_reported_together() -> None:
    swaps = [
        ("trials = 3", "trials = 0"),
        ("steps = 600", 'steps = "many"'),
        ("start = 2", "strat = 2"),
        (GAMMA, "gamma = { lo = 0.9, high = 0.99 }"),
    ]

    text = "\n".join(refusals(changed(*swaps)))

    for fragment in ("[study] trials", "[budget] steps", "did you mean 'start'?", "gamma.low"):
        assert fragment in text


def test_problems_of_the_space_are_reported_together_with_those_of_the_budget() -> None:
    swaps = [
        ("evaluations = 6", "evaluations = 601"),
        ("max = 2", "max = 1"),
        (RATE, "learning_rate = { low = 1e-2, high = 1e-4 }"),
        ("batch_size = 16", "batch_sise = 16"),
    ]

    text = "\n".join(refusals(changed(*swaps)))

    for fragment in ("evaluations = 601", "max = 1", "low 0.01 is above", "batch_sise"):
        assert fragment in text


def test_an_unknown_key_does_not_hide_an_impossible_range() -> None:
    swaps = [("trials = 3", "trails = 3"), (GAMMA, "gamma = { low = 0.9, high = 0.1 }")]

    text = "\n".join(refusals(changed(*swaps)))

    assert "did you mean 'trials'?" in text
    assert "low 0.9 is above high 0.1" in text


def test_an_unknown_study_names_the_nearest_shipped_one() -> None:
    with pytest.raises(StudyError, match="no study 'cartpol'; did you mean 'cartpole'"):
        load("cartpol")
    with pytest.raises(StudyError, match=r"shipped: .*quickstart"):
        load("zzz")


def test_a_missing_a_huge_and_an_unreadable_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "huge.toml").write_bytes(b"#" * 2_000_000)
    (tmp_path / "folder.toml").mkdir()

    for name, fragment in (
        ("missing.toml", "no such file"),
        ("huge.toml", "larger than 1 MB"),
        ("folder.toml", "cannot be read"),
    ):
        with pytest.raises(StudyError, match=f"{name}: {fragment}"):
            load(str(tmp_path / name))


def tiny() -> Study:
    return parse(TINY.encode(), "tiny.toml")


def test_the_fingerprint_ignores_the_number_of_trials() -> None:
    longer = parse(changed(("trials = 3", "trials = 9")).encode(), "tiny.toml")

    assert longer.fingerprint() == tiny().fingerprint() == tiny().with_trials(50).fingerprint()
    assert longer.differences(tiny()) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('name = "tiny"', 'name = "small"'),
        ("CartPole-v1", "Acrobot-v1"),
        ("[study]", "[study]\nenv_kwargs = { sutton_barto_reward = true }"),
        ("master_seed = 7", "master_seed = 8"),
        ("steps = 600", "steps = 601"),
        ("evaluations = 6", "evaluations = 5"),
        ("episodes = 2", "episodes = 3"),
        ("start = 2\nmax = 2", "start = 3\nmax = 3"),
        ("[space]", '[objective]\nscore = "auc"\n[space]'),
        ('name = "random"', 'name = "tpe"'),
        ("high = 1e-2", "high = 1e-3"),
        ("[0.9, 0.99]", "[0.9, 0.95]"),
        ("[[8], [16]]", "[[8], [16, 16]]"),
        ("batch_size = 16", "batch_size = 32"),
        ("batch_size = 16", "batch_size = 16\ntau = 0.5"),
    ],
)
def test_the_fingerprint_changes_with_everything_else(old: str, new: str) -> None:
    other = parse(changed((old, new)).encode(), "tiny.toml")

    assert other.fingerprint() != tiny().fingerprint()
    assert other.differences(tiny())


def test_a_difference_names_the_key_and_both_values() -> None:
    other = parse(changed(("steps = 600", "steps = 900")).encode(), "tiny.toml")

    assert other.differences(tiny()) == ["budget.steps 600 -> 900"]


def test_a_recorded_specification_gives_the_same_study_again() -> None:
    for study in (tiny(), *map(load, studies.shipped_names())):
        again = Study.model_validate(study.spec())

        assert again.fingerprint() == study.fingerprint()
        assert again.spec() == study.spec()


def test_the_study_file_in_the_documentation_is_a_good_one() -> None:
    page = (Path(__file__).parents[2] / "docs" / "study-files.md").read_text()
    block = page.split("```toml\n")[1].split("```")[0]

    study = parse(block.encode(), "lander.toml")

    assert (study.name, study.study.env) == ("lander", "LunarLander-v3")
