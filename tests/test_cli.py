import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from svnr import cli
from svnr.experiments.catalogue import GAMES, LEARNERS
from svnr.experiments.studies import tuned

ROOT = Path(__file__).parents[1]

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
        answer = 42 if scale == "paper" else 7
        lines = [f"{name}: {{timeout: 60, parameters: {{answer: {answer}}}}}" for name in codes]
        (presets / f"{scale}.yaml").write_text("\n".join(lines))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("code", "heavy"),
    [
        (
            "import contextlib\nfrom svnr import cli\n"
            "with contextlib.suppress(SystemExit):\n    cli.main(['--help'])",
            {"torch", "pandas", "papermill", "matplotlib"},
        ),
        ("import svnr.publish.plan, svnr.publish.queue", {"torch", "pandas", "matplotlib"}),
    ],
)
def test_neither_help_nor_a_queue_of_notebooks_imports_what_only_notebooks_need(code, heavy):
    code += f"\nimport sys\nheavy = {heavy} & set(sys.modules)\nassert not heavy, heavy"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_what_is_trained_is_kept_with_the_checkout_one_stands_in(repository, monkeypatch, capsys):
    """From a folder of it the same run is read; outside of any, results/ is where one stands."""
    train = ["train", "climbing", "hysteretic", "--episodes", "3", "--tests", "2"]
    times = []
    for folder in ("", "notebooks"):
        monkeypatch.chdir(repository / folder)
        assert cli.main(train) == 0
        (run,) = repository.glob("results/climbing/*.npz")
        times.append(run.stat().st_mtime_ns)
    assert times[0] == times[1]
    assert [*repository.rglob("results")] == [repository / "results"]
    outside = repository.parent / f"{repository.name}_outside"
    outside.mkdir()
    monkeypatch.chdir(outside)
    assert cli.main(train) == 0
    assert len([*outside.glob("results/climbing/*.npz")]) == 1


def test_a_run_says_whether_it_was_read_and_keeps_its_team_if_asked(
    repository, monkeypatch, capsys
):
    monkeypatch.chdir(repository)
    train = ["train", "climbing", "hysteretic", "--episodes", "3", "--tests", "2"]
    assert cli.main(train) == 0
    assert "(0 read, 1 made; all are in " in capsys.readouterr().out
    assert not [*repository.rglob("*.policy.npz")]
    assert cli.main([*train, "--keep", "--seed", "0", "1"]) == 0
    assert "(1 read, 1 made; all are in " in capsys.readouterr().out
    assert len([*repository.rglob("*.policy.npz")]) == 2


def test_a_folder_that_cannot_be_written_to_is_told(repository, tmp_path, capsys):
    (afile := tmp_path / "afile").touch()
    told = ["train", "climbing", "hysteretic", "--episodes", "3", "--output", str(afile)]
    assert cli.main(told) == 1
    assert f"folder must be one that can be written to, got {afile}" in capsys.readouterr().err


def test_tune_reads_the_committed_study_of_its_game(repository, capsys):
    """Its budget is that of all studies on the game, so it is finished, and nothing is run."""
    study = repository / "results/tuning/max_of_three_1.5/maddpg-1500.jsonl"
    shutil.copytree(ROOT / study.parent.relative_to(repository), study.parent)
    before, names = study.read_bytes(), sorted(study.parent.iterdir())
    assert cli.main(["tune", "max_of_three_1.5", "maddpg"]) == 0
    printed = capsys.readouterr().out
    assert "the best trials" in printed
    best = tuned("maddpg", "max_of_three_1.5")
    last = printed.splitlines()[-1]
    assert last.startswith("svnr train max_of_three_1.5 maddpg --set ")
    assert all(f"{name}={value}" in last for name, value in best.items())
    assert study.read_bytes() == before and sorted(study.parent.iterdir()) == names


def test_tune_with_settings_held_reads_the_study_in_which_they_were(repository, capsys):
    study = repository / "results/tuning/max_of_three_1.5/svnr-1500-schedule-printed.jsonl"
    shutil.copytree(ROOT / study.parent.relative_to(repository), study.parent)
    before, names = study.read_bytes(), sorted(study.parent.iterdir())
    assert cli.main(["tune", "max_of_three_1.5", "svnr", "--set", "schedule=printed"]) == 0
    assert "0.1001" in capsys.readouterr().out  # the α′ of its best trial
    assert study.read_bytes() == before and sorted(study.parent.iterdir()) == names


def test_list_names_everything_there_is(capsys):
    assert cli.main(["list"]) == 0
    printed = capsys.readouterr().out
    notebooks = Path(__file__).parents[1].joinpath("notebooks").glob("[0-9]*.py")
    assert all(name in printed for name in [*GAMES, *LEARNERS, *(p.stem for p in notebooks)])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "max_of_tree", "svnr"], "game must be one of max_of_three_1.5, "),
        (["train", "my_game.py", "svnr"], "must name what is in the file, as my_game.py:MyGame"),
        (["train", "climbing", "svrn"], "learner must be one of svnr, svnr_f, svnr_m"),
        (["train", "climbing", "svnr", "--episodes", "0"], "n_episodes must be a whole number"),
        (["reproduce", "--scale", "fast"], "scale must be one of smoke, quick, paper, got 'fast'"),
        (["reproduce", "--only", "99"], "notebook must be one of 01, 02, got '99'"),
        (["reproduce", "--only", "01", "--set", "anser=1"], "parameter must be one of answer"),
        (["reproduce", "--set", "output="], "output must be told by --output, got '' among"),
        (["status", "--output", "no_such"], "output must be a folder of runs, got 'no_such'"),
        (["reproduce", "--jobs", "0"], "jobs must be a whole number of at least 1, got 0"),
        (["reproduce", "--output", "../away"], "output must be a folder below "),
        (["reproduce", "--output", "."], "output must not be the repository itself at quick"),
        (
            ["reproduce", "--engine", "threads"],
            "engine must be one of serial, proc",
        ),
        (
            ["reproduce", "--scheduler", "tls://a:1"],
            "engine must be dask to join a ",
        ),
        (
            ["train", "climbing", "svnr", "--engine", "dask", "--scheduler", "tcp://192.0.2.7:1"],
            "scheduler must speak TLS, or be of this machine alone",
        ),
        (["notebooks", "--only", "1"], "notebook must be one of 01, 02, got '1'"),
        (
            ["train", "climbing", "svnr", "--jobs", "0"],
            "jobs must be a whole number of at least 1",
        ),
        (["train", "climbing", "svnr", "--seed", "2", "-1"], "seed must be a whole number of at "),
        (["train", "climbing", "svnr", "--steps", "0"], "length must be a whole number in [1, "),
        (
            ["train", "climbing", "svnr", "--steps", "9", "--episodes", "5"],
            "steps must stand in place of episodes, got 5 too",
        ),
        (["train", "climbing", "svnr", "--tests", "0"], "n_test must be a whole number in [1, "),
        (["tune", "climbing", "svnr", "--trials", "0"], "n_trials must be a whole number in [1, "),
        (["tune", "climbing", "svnr", "--jobs", "-1"], "jobs must be a whole number of at least"),
    ],
)
def test_a_misspelling_is_refused_before_anything_is_written(
    repository, capsys, arguments, message
):
    before = sorted(repository.rglob("*"))
    assert cli.main(arguments) == 2
    assert message in capsys.readouterr().err
    assert sorted(repository.rglob("*")) == before


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("alpha=1", "setting must be one of "),
        ("alpha", "set must be NAME=VALUE, each name once, got 'alpha'"),
        ("discount=0.9", "set must be NAME=VALUE, each name once, got 'discount=0.9'"),  # again
        ("learning_rate=fast", "learning_rate must be a finite number, got 'fast'"),
        ("layer_norm=no", "layer_norm must be True or False, got 'no'"),
        ("hidden=100", "hidden must be a tuple that is not empty, got 100"),
        ("hidden=(-1,)", "hidden[0] must be a whole number in [1, inf], got -1"),
        ("hidden=('a',)", "hidden[0] must be a whole number, got 'a'"),
        ("sets=[[],[0],[0,1]]", "sets must hold one set for each of 2 agents, got 3"),
        ("sets=[[],[1]]", "sets[1] must not contain agent 1, got {1}"),
        ("schedule=[]", "schedule must be one of printed, "),
    ],
)
def test_a_setting_of_no_use_is_refused_by_its_name_before_anything_is_written(
    repository, capsys, setting, message
):
    before = sorted(repository.rglob("*"))
    assert cli.main(["train", "climbing", "svnr", "--set", "discount=0.9", setting]) == 2
    assert message in capsys.readouterr().err
    assert sorted(repository.rglob("*")) == before


@pytest.mark.parametrize("text", ["", "[01_broken]", "a: {b: [", "01_broken: 5"])
def test_a_preset_of_another_form_is_refused_by_its_file(repository, capsys, text):
    (repository / "notebooks" / "presets" / "quick.yaml").write_text(text)
    assert cli.main(["reproduce"]) == 2
    assert "quick.yaml must " in capsys.readouterr().err
    assert not (repository / "build").exists()


BARE = "import sys; sys.modules |= dict.fromkeys(['yaml', 'papermill', 'jupytext', 'optuna'])\n"


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_a_terminal_of_few_letters_outside_a_checkout_gets_the_list(tmp_path, encoding):
    # As installed, without any extra: a copy that lies in no repository.
    shutil.copytree(Path(cli.__file__).parent, tmp_path / "lib" / "site" / "svnr")
    environment = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONPATH": "lib/site"}
    command = [sys.executable, "-c", f"{BARE}from svnr import cli; cli.main(['list'])"]
    listed = subprocess.run(
        command, cwd=tmp_path, env=environment, check=True, capture_output=True
    ).stdout.decode(encoding)
    assert "Max of Three, s? = 1.5" in listed and "L-MADRL" in listed
    assert "notebooks:" not in listed


@pytest.mark.parametrize("encoding", ["cp1252:strict", "ascii:strict", "utf-8:strict"])
def test_every_terminal_is_told_what_there_is_and_what_is_wrong(tmp_path, encoding):
    code = (
        "from svnr import cli\n"
        "def status(*told):\n"
        "    try: return cli.main(told)\n"
        "    except SystemExit as end: return end.code\n"
        "told = [['list'], ['status'], ['train', '--help'], ['train', 'r\\xfcdern', 'svnr'],\n"
        "    ['train', 'climbing', 'svnr', '--set', '\\u03b1=1'],\n"
        "    ['reproduce', '--output', '../\\xfc']]\n"
        "assert [status(*each) for each in told] == [0, 0, 0, 2, 2, 2]\n"
    )
    environment = os.environ | {"PYTHONIOENCODING": encoding, "LC_ALL": "C"}
    command = [sys.executable, "-X", "utf8=0", "-c", code]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, check=False, capture_output=True, timeout=120
    )
    assert done.returncode == 0, done.stderr.decode(encoding.split(":")[0])


def test_who_reads_no_further_is_no_error():
    """As in `svnr list | head -1`: nobody is at the other end of the pipe."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "svnr.cli", "list"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_notebooks_of_another_checkout_are_not_run(tmp_path, monkeypatch, capsys):
    (tmp_path / "notebooks" / "presets").mkdir(parents=True)
    (tmp_path / "src" / "svnr").mkdir(parents=True)
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.chdir(tmp_path)
    trains = ["train", "climbing", "svnr", "--episodes", "10"]
    for command in (["reproduce"], ["notebooks"], ["list"], trains, ["tune", *trains[1:3]]):
        assert cli.main(command) == 2
        message = capsys.readouterr().err
        own = Path(cli.__file__).parents[2]
        assert f"svnr is imported, {own}, got {tmp_path}" in message


def test_a_misspelt_option_is_refused_with_the_valid_ones(capsys):
    with pytest.raises(SystemExit) as exit_:
        cli.main(["reproduce", "--scael", "quick"])
    message = capsys.readouterr().err
    assert exit_.value.code == 2
    assert "unrecognized arguments: --scael quick" in message
    assert all(option in message for option in ("--scale", "--only", "--jobs", "--output"))


def test_a_misspelt_parameter_of_a_preset_is_refused_before_anything_is_run(repository, capsys):
    preset = repository / "notebooks" / "presets" / "quick.yaml"
    preset.write_text(preset.read_text().replace("answer", "anser"))
    assert cli.main(["reproduce"]) == 2
    assert "parameter must be one of answer, got 'anser'" in capsys.readouterr().err
    assert not (repository / "build").exists()


def test_one_failing_notebook_is_named_and_the_others_still_run(repository, capfd):
    assert cli.main(["reproduce"]) == 1
    printed = capfd.readouterr().out
    # Cell 1 is tagged parameters, papermill puts in cell 2, and cell 3 fails.
    assert "FAILED in cell In [3] (first = 1): RuntimeError: no luck" in printed
    assert "1 of 2 notebooks failed: 01_broken" in printed
    whole = (repository / "build" / "quick" / "notebooks" / "02_whole.ipynb").read_text()
    assert '"7\\n"' in whole


def test_the_summary_names_what_was_made_and_its_note(repository, capfd):
    source = repository / "notebooks" / "02_whole.py"
    source.write_text(
        NOTEBOOK.format(
            code="import pandas as pd\n"
            "from svnr.report.provenance import Outputs\n"
            "table = pd.DataFrame({'a': [answer]})\n"
            "outputs = Outputs('02_whole', 'quick', 'build/quick')\n"
            "outputs.table(table, 'table1', 'Table 1', note='7 here, 8 in the paper')"
        )
    )
    assert cli.main(["reproduce", "--only", "02"]) == 0
    printed = capfd.readouterr().out
    assert "Table 1: build/quick/figures/table1.md\n      7 here, 8 in the paper" in printed
    assert "FAILED" not in printed and "01_broken" not in printed


def test_a_notebook_without_a_preset_is_left_out_and_named(repository, capfd):
    preset = repository / "notebooks" / "presets" / "smoke.yaml"
    preset.write_text("02_whole: {timeout: 60, parameters: {}}")
    assert cli.main(["reproduce", "--scale", "smoke"]) == 0
    assert "left out, no preset at smoke scale: 01_broken" in capfd.readouterr().err
    assert cli.main(["reproduce", "--scale", "smoke", "--only", "01"]) == 2
    assert "smoke scale must be one of 02_whole, got '01_broken'" in capfd.readouterr().err


def test_a_repository_without_presets_is_refused(repository, capsys):
    (repository / "notebooks" / "presets" / "quick.yaml").write_text("{}")
    assert cli.main(["reproduce"]) == 2
    assert "has a preset at quick scale" in capsys.readouterr().err
    assert not (repository / "build").exists()


def test_a_run_that_diverges_ends_with_its_step_and_setting(repository, capsys):
    arguments = ["two_modalities", "svnr", "--episodes", "40", "--set", "learning_rate=1e38"]
    assert cli.main(["train", *arguments]) == 1
    assert "at step" in (message := capsys.readouterr().err) and "1e+38" in message
    (record,) = (repository / "results").rglob("*.failed.json")
    assert json.loads(record.read_text())["run"]["game"]["name"] == "two_modalities"


def test_train_keeps_the_run_and_prints_what_it_earned(repository, capsys):
    arguments = ["train", "max_of_three_3.0", "svnr", "--seed", "3", "--episodes", "20"]
    assert cli.main([*arguments, "--set", "n_particles=16", "schedule=constant"]) == 0
    assert "SVNR on Max of Three, s₂ = 3.0" in capsys.readouterr().out
    (run,) = (repository / "results" / "max_of_three_3.0").glob("svnr-s3-*.npz")
    stamp = run.stat().st_mtime_ns
    cli.main([*arguments, "--set", "n_particles=16", "schedule=constant"])
    assert run.stat().st_mtime_ns == stamp


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["serial", "processes", "dask"])
def test_what_notebooks_run_is_run_by_the_engine_that_was_chosen(repository, capfd, engine):
    """One cluster serves all notebooks: both print its address."""
    pytest.importorskip("distributed")
    for name in ("01_broken", "02_whole"):
        code = "from svnr.experiments.engine import chosen\nprint(chosen())"
        (repository / "notebooks" / f"{name}.py").write_text(NOTEBOOK.format(code=code))
    assert cli.main(["reproduce", "--engine", engine]) == 0
    told = {
        cell["outputs"][0]["text"][0]
        for path in (repository / "build" / "quick" / "notebooks").glob("*.ipynb")
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"][-1:]
    }
    assert len(told) == 1
    assert f"kind='{engine}'" in (text := told.pop()) and ("tcp://" in text) == (engine == "dask")
