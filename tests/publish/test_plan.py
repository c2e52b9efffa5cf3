import json
import os
from pathlib import Path

import pytest

from svnr.publish.plan import plan, rebuilding
from svnr.publish.sources import sources
from svnr.report.presets import presets
from svnr.report.scales import SCALES

ROOT = Path(__file__).parents[2]


def test_each_notebook_has_its_parameters_timeout_and_those_it_waits_for(repository):
    made = plan(repository, "quick")
    assert [job.name for job in made.jobs] == ["03_last", "01_broken", "02_whole"]
    last, broken, _ = made.jobs
    assert broken.given == {"n_jobs": 1, "answer": 7} and broken.timeout == 60
    assert last.after == ("02_whole",) and last.given == {"n_jobs": 1}
    assert last.path == repository / "build/quick/notebooks/03_last.ipynb"
    assert made.output == repository / "build/quick" and made.left_out == []


def test_the_papers_scale_writes_into_the_repository(repository):
    made = plan(repository, "paper", ["02"])
    assert made.output == repository
    assert made.jobs[0].path == repository / "build/paper/notebooks/02_whole.ipynb"


def test_a_folder_of_ones_own_lies_below_the_repository(repository):
    made = plan(repository, "quick", output="elsewhere")
    assert made.output == repository / "elsewhere"
    with pytest.raises(ValueError, match="output must be a folder below "):
        plan(repository, "quick", output="../away")
    with pytest.raises(ValueError, match="output must not be the repository itself at quick"):
        plan(repository, "quick", output=".")


def test_numbers_in_place_of_a_scales_go_elsewhere_than_the_committed_figures(repository):
    made = plan(repository, "paper", ["01"], changes={"answer": 3})
    assert made.jobs[0].given["answer"] == 3 and made.output == repository / "build/paper"
    with pytest.raises(ValueError, match=r"parameter must be one of .*, got 'question'"):
        plan(repository, "quick", ["01"], changes={"question": 3})
    with pytest.raises(ValueError, match="answer must be a whole number of at least 1, got 'x'"):
        plan(repository, "quick", ["01"], changes={"answer": "x"})


def replace(repository, old, new):
    preset = repository / "notebooks" / "presets" / "quick.yaml"
    preset.write_text(preset.read_text().replace(old, new))


@pytest.mark.parametrize(
    ("new", "message"),
    [
        ("anser: 7", "parameter must be one of answer, n_jobs, got 'anser'"),
        ("answer: '7'", "answer must be a whole number of at least 1, got '7'"),
    ],
)
def test_a_parameter_of_another_name_or_kind_is_refused_before_a_kernel_starts(
    repository, new, message
):
    replace(repository, "answer: 7", new)
    with pytest.raises(ValueError, match=message):
        plan(repository, "quick")
    assert not (repository / "build").exists()


@pytest.mark.parametrize("times", [0, 2])
def test_a_notebook_needs_one_cell_of_parameters(repository, times):
    source, cell = repository / "notebooks" / "02_whole.py", '# %% tags=["parameters"]\n'
    text = source.read_text(encoding="utf-8").replace(cell, "# %%\n")
    source.write_text(text + times * cell, encoding="utf-8")
    with pytest.raises(ValueError, match=f"must be tagged 'parameters', got {times}"):
        plan(repository, "quick")


def test_notebooks_without_a_preset_are_left_out_and_refused_if_asked_for(repository):
    replace(repository, "01_broken: {timeout: 60, parameters: {answer: 7}}\n", "")
    assert plan(repository, "quick").left_out == ["01_broken"]
    with pytest.raises(ValueError, match="quick scale must be one of 03_last, 02_whole, got '01"):
        plan(repository, "quick", ["01"])
    (repository / "notebooks" / "presets" / "quick.yaml").write_text("{}")
    with pytest.raises(ValueError, match="has a preset at quick scale"):
        plan(repository, "quick")


def test_what_was_made_is_what_these_notebooks_wrote_since(repository):
    made = plan(repository, "quick", ["02"])
    assert made.made(0) == {}
    figures = repository / "build/quick/figures"
    figures.mkdir(parents=True)
    writers = {"new.png": "02_whole", "old.png": "02_whole", "other.png": "01_broken"}
    for file, age in zip(writers, (0, 100, 0), strict=True):
        (figures / file).touch()
        os.utime(figures / file, (1000 - age, 1000 - age))
    entries = {file: {"notebook": name} for file, name in (writers | {"gone": "02_whole"}).items()}
    (figures / "manifest.json").write_text(json.dumps(entries))
    assert made.made(since=950) == {figures / "new.png": {"notebook": "02_whole"}}


def test_rebuilding_takes_the_notebooks_own_numbers(repository):
    (job,) = rebuilding(repository, ["02"]).jobs
    assert job.given == {} and job.path == repository / "build/notebooks/02_whole.ipynb"


def test_what_somebody_saved_with_other_numbers_is_not_made_the_papers(repository):
    source = repository / "notebooks" / "02_whole.py"
    source.write_text(source.read_text(encoding="utf-8").replace("42", "41"), encoding="utf-8")
    with pytest.raises(ValueError, match=r"answer of 02_whole must be 42, as presets/paper\.yaml"):
        rebuilding(repository, ["02"])
    assert plan(repository, "paper", ["02"]).jobs[0].given["answer"] == 42


@pytest.mark.parametrize("scale", SCALES)
def test_who_reads_anothers_runs_is_begun_after_it(scale):
    preset = presets(ROOT, scale)
    order = list(preset)
    assert set(order) == set(sources(ROOT))
    for name, values in preset.items():
        assert all(order.index(other) < order.index(name) for other in values.get("after", ()))
