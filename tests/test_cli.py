import subprocess
import sys
from pathlib import Path

import pytest

from svnr import cli
from svnr.experiments.scenarios import GAMES, LEARNERS

NOTEBOOK = """# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% tags=["parameters"]
answer: int = 42  # of everything

# %%
{code}
"""


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository of two tiny notebooks, the first of which fails."""
    (tmp_path / "pyproject.toml").touch()
    presets = tmp_path / "notebooks" / "presets"
    presets.mkdir(parents=True)
    codes = {"01_broken": "first = 1\nraise RuntimeError('no luck')", "02_whole": "print(answer)"}
    for name, code in codes.items():
        (tmp_path / "notebooks" / f"{name}.py").write_text(NOTEBOOK.format(code=code))
    for scale in ("smoke", "quick", "paper"):
        lines = [f"{name}: {{timeout: 60, parameters: {{answer: 7}}}}" for name in codes]
        (presets / f"{scale}.yaml").write_text("\n".join(lines))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from svnr import cli\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'pandas', 'numpy', 'papermill', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_list_names_everything_there_is(capsys):
    assert cli.main(["list"]) == 0
    printed = capsys.readouterr().out
    notebooks = Path(__file__).parents[1].joinpath("notebooks").glob("[0-9]*.py")
    assert all(name in printed for name in [*GAMES, *LEARNERS, *(p.stem for p in notebooks)])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "max_of_tree", "svnr"], "game must be one of max_of_three_1.5, "),
        (["train", "climbing", "svrn"], "learner must be one of svnr, svnr_f, svnr_m"),
        (["train", "climbing", "svnr", "--set", "alpha=1"], "setting must be one of sets, "),
        (["train", "climbing", "svnr", "--set", "alpha"], "set must be NAME=VALUE, got 'alpha'"),
        (["train", "climbing", "svnr", "--steps", "0"], "n_steps must be a whole number"),
        (["reproduce", "--scale", "fast"], "scale must be one of smoke, quick, paper, got 'fast'"),
        (["reproduce", "--only", "99"], "notebook must be one of 01, 02, got '99'"),
        (["reproduce", "--jobs", "0"], "jobs must be at least 1, got 0"),
    ],
)
def test_a_misspelling_is_refused_before_anything_is_written(
    repository, capsys, arguments, message
):
    before = sorted(repository.rglob("*"))
    assert cli.main(arguments) == 2
    assert message in capsys.readouterr().err
    assert sorted(repository.rglob("*")) == before


def test_a_misspelt_parameter_of_a_preset_is_refused_before_anything_is_run(repository, capsys):
    preset = repository / "notebooks" / "presets" / "quick.yaml"
    preset.write_text(preset.read_text().replace("answer", "anser"))
    assert cli.main(["reproduce"]) == 2
    assert "parameter must be one of answer, got 'anser'" in capsys.readouterr().err
    assert not (repository / "build").exists()


def test_one_failing_notebook_is_named_and_the_others_still_run(repository, capfd):
    assert cli.main(["reproduce"]) == 1
    printed = capfd.readouterr().out
    assert "FAILED in cell 2 (first = 1): RuntimeError: no luck" in printed
    assert "1 of 2 notebooks failed: 01_broken" in printed
    whole = (repository / "build" / "quick" / "notebooks" / "02_whole.ipynb").read_text()
    assert '"7\\n"' in whole


def test_train_keeps_the_run_and_prints_what_it_earned(repository, capsys):
    arguments = ["train", "max_of_three_3.0", "svnr", "--seed", "3", "--steps", "20"]
    assert cli.main([*arguments, "--set", "n_particles=16", "schedule=constant"]) == 0
    assert "SVNR on Max of Three, s₂ = 3.0" in capsys.readouterr().out
    (run,) = (repository / "results" / "max_of_three_3.0").glob("svnr-s3-*.npz")
    stamp = run.stat().st_mtime_ns
    cli.main([*arguments, "--set", "n_particles=16", "schedule=constant"])
    assert run.stat().st_mtime_ns == stamp
