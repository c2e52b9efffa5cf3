import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from svnr.experiments.runs import Run
from svnr.experiments.specs import run_spec
from svnr.report import provenance
from svnr.report.presets import REBUILDING
from svnr.report.provenance import WANTED, Outputs, markdown
from svnr.report.style import styled


@styled
def line():
    figure, axis = plt.subplots()
    axis.plot([0, 1], [0, 1])
    return figure


def test_figures_and_tables_are_written_and_recorded(tmp_path):
    outputs = Outputs("09_max_of_three", "quick", str(tmp_path), {"n_seeds": 2})
    outputs.figure(line(), "fig4", "Figure 4", note="ours")
    outputs.table(pd.DataFrame({"a": [1]}, index=pd.Index(["x"], name="k")), "table1", "Table 1")
    written = {path.name for path in (tmp_path / "figures").glob("[!.]*")}
    assert written == {"fig4.svg", "fig4.png", "table1.csv", "table1.md", "manifest.json"}
    manifest = json.loads((tmp_path / "figures" / "manifest.json").read_text())
    assert list(manifest) == ["fig4.png", "table1.md"]
    entry = manifest["fig4.png"]
    assert entry["label"] == "Figure 4" and entry["note"] == "ours"
    assert entry["scale"] == "quick" and entry["parameters"] == {"n_seeds": 2}
    assert entry["versions"].keys() >= {"torch", "numpy", "matplotlib"}


def test_what_is_drawn_after_runs_were_read_says_which(tmp_path):
    """Else the manifest would say that it comes from none, and no run that it is too short."""
    outputs, table = Outputs("09", "quick", str(tmp_path)), pd.DataFrame({"a": [1]})
    spec = run_spec("climbing", "hysteretic", n_episodes=3, training={"n_test": 2})
    for read in (outputs.finished, outputs.kept):
        runs = read([spec])
        with pytest.raises(ValueError, match=r"runs must be .* 1 were read since .*, got none"):
            outputs.table(table, "first", "First")
        with pytest.raises(ValueError, match="runs must be"):
            outputs.figure(line(), "first", "First")
        with pytest.raises(ValueError, match="runs must be"):
            outputs.animation([line()], "first", "First", 0.1)
        outputs.table(table, "first", "First", runs)
        outputs.table(table, "second", "Second")  # nothing was read since
        outputs.finished([spec])
        outputs.table(table, "third", "Third", [])
    told = json.loads((tmp_path / "figures" / "manifest.json").read_text(encoding="utf-8"))
    assert {name: entry["runs"] for name, entry in told.items()} == {
        "first.md": 1, "second.md": 0, "third.md": 0,
    }  # fmt: skip


def test_animations_are_written_and_recorded(tmp_path):
    outputs = Outputs("04_negotiation", "smoke", str(tmp_path), {"n_rounds": 30})
    path = outputs.animation([line(), line()], "falling", "While α falls", 0.1, note="ours")
    assert path == tmp_path / "figures" / "falling.gif" and path.read_bytes()[:4] == b"GIF8"
    manifest = json.loads((tmp_path / "figures" / "manifest.json").read_text(encoding="utf-8"))
    entry = manifest["falling.gif"]
    assert entry["label"] == "While α falls" and entry["note"] == "ours"
    assert entry["runs"] == 0 and entry["parameters"] == {"n_rounds": 30}


def run_of(n_episodes, game="particle_gather"):
    spec = run_spec(game, "maddpg", n_episodes=n_episodes)
    return Run(spec, {"return": np.zeros(n_episodes)})


def test_what_is_drawn_from_runs_that_are_too_short_says_so(tmp_path):
    outputs = Outputs("10_particle_gather", "quick", str(tmp_path))
    for name, n_episodes in (("short", 30), ("long", 1000)):
        outputs.figure(line(), name, "Figure 4d", [run_of(n_episodes)], note="ours")
    outputs.table(pd.DataFrame({"a": [1]}), "table", "Table 1", [run_of(30), run_of(1000)])
    told = json.loads((tmp_path / "figures" / "manifest.json").read_text(encoding="utf-8"))
    said = "too short to tell: 30 episodes of 1,000"
    assert told["short.png"]["note"] == f"{said}. ours"
    assert told["long.png"]["note"] == "ours"
    assert told["table.md"]["note"].startswith(said)
    short, long = (
        (tmp_path / "figures" / f"{name}.svg").read_text(encoding="utf-8")
        for name in ("short", "long")
    )
    assert said in short and "too short" not in long


def test_a_figure_drawn_twice_is_the_same_byte_for_byte(tmp_path):
    for folder in ("one", "two"):
        Outputs("00", "quick", str(tmp_path / folder)).figure(line(), "line", "Line")
    for ending in ("svg", "png"):
        first, second = (tmp_path / f / "figures" / f"line.{ending}" for f in ("one", "two"))
        assert first.read_bytes() == second.read_bytes()


def test_the_last_bits_of_a_layout_change_no_byte(tmp_path):
    """Layouts come from a solver that sums in any order: 0.1 + 0.2 in one run, 0.3 in another."""
    for folder, left in (("one", 0.1 + 0.2), ("two", 0.3)):
        figure = plt.figure(layout="none")
        figure.add_axes((left, 0.1, 0.5, 0.5)).plot([0, 1])
        Outputs("00", "quick", str(tmp_path / folder)).figure(figure, "line", "Line")
        plt.close(figure)
    first, second = (tmp_path / f / "figures" / "line.svg" for f in ("one", "two"))
    assert "url(#clip_0)" in first.read_text(encoding="utf-8")
    assert first.read_bytes() == second.read_bytes()


def test_a_relative_folder_lies_in_the_repository(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "notebooks" / "presets").mkdir(parents=True)
    (tmp_path / "notebooks" / "presets" / "paper.yaml").write_text("00: {timeout: 60}")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert Outputs("00", "quick", "build/quick").results == tmp_path / "build/quick/results"
    assert Outputs("00").results == tmp_path / "results"


def test_runs_that_are_asked_for_in_vain_are_recorded_once(tmp_path):
    """Two cells ask for three runs, one of which is made: two stay, under this notebook's name."""
    small, training = {"batch_size": 16, "n_groups": 4}, {"n_test": 4}
    specs = [run_spec("climbing", "mappo", s, 20, None, training=training) for s in range(2)]
    specs += [run_spec("climbing", "svnr", 1, 20, small, training=training)]
    for _ in range(2):  # the same cells again change nothing
        outputs = Outputs("09_max_of_three", "quick", str(tmp_path), rebuilding=True)
        assert [run.spec.seed for run in outputs.kept(specs[:2], n_made=1)] == [0]
        assert outputs.kept(specs[2:]) == []
    told = json.loads((tmp_path / "results" / WANTED).read_text(encoding="utf-8"))
    assert told == {
        "09_max_of_three": {"climbing mappo": specs[1].key, "climbing svnr": specs[2].key}
    }
    Outputs("my_copy", "quick", str(tmp_path)).kept(specs)  # by hand nothing is recorded
    assert json.loads((tmp_path / "results" / WANTED).read_text(encoding="utf-8")) == told


def test_markdown_by_hand():
    table = pd.DataFrame({"b": [2.5]}, index=pd.Index(["x"], name="a"))
    assert markdown(table) == "| a | b |\n| --- | --- |\n| x | 2.5 |"


def test_a_notebook_with_numbers_of_its_own_does_not_touch_what_is_committed():
    root = Path(__file__).parents[2]
    committed = {"n_seeds": 5, "n_episodes": 5000}
    assert Outputs("09_max_of_three", "paper", "", committed).root == root
    smaller = Outputs("09_max_of_three", "paper", "", committed | {"n_seeds": 1})
    assert smaller.root == root / "build" / "by_hand"


@pytest.fixture
def names(tmp_path, monkeypatch):
    """The globals of a notebook of a repository in `tmp_path`, begun with the paper's numbers."""
    (tmp_path / "pyproject.toml").touch()
    folder = tmp_path / "notebooks"
    (folder / "presets").mkdir(parents=True)
    preset = "01_tiny: {timeout: 60, parameters: {n_seeds: 5, shapes: [[2, 2]]}}"
    (folder / "presets" / "paper.yaml").write_text(preset, encoding="utf-8")
    cell = (
        '# %% tags=["parameters"]\nn_seeds: int = 5\nshapes: list = [(2, 2)]\n'
        'scale: str = "paper"\noutput: str = ""\n'
    )
    (folder / "01_tiny.py").write_text(cell, encoding="utf-8")
    monkeypatch.chdir(folder)
    return {"n_seeds": 5, "shapes": [(2, 2)], "scale": "paper", "output": ""}


def test_the_numbers_of_a_notebook_that_was_saved_with_others_are_not_the_papers(names, tmp_path):
    """JupyterLab writes them into the .py too: what it was begun with is said in the preset."""
    source = tmp_path / "notebooks" / "01_tiny.py"
    text = source.read_text(encoding="utf-8")
    source.write_text(text.replace("n_seeds: int = 5", "n_seeds: int = 1"), encoding="utf-8")
    assert Outputs.of("01_tiny", names | {"n_seeds": 1}).root == tmp_path / "build" / "by_hand"
    assert Outputs.of("01_tiny", names).root == tmp_path


@pytest.mark.parametrize("folder", ["", "."])
def test_what_is_drawn_by_hand_does_not_touch_the_committed_figures(names, tmp_path, folder):
    """With the paper's numbers too: a copy of a notebook says that it is the original."""
    table, names = pd.DataFrame({"a": [1]}), names | {"output": folder}
    by_hand = Outputs.of("01_tiny", names)
    by_hand.table(table, "one", "Table")
    assert by_hand.results == tmp_path / "results"  # the committed runs are read
    assert not (tmp_path / "figures").exists()
    assert (tmp_path / "build" / "by_hand" / "figures" / "one.md").exists()
    Outputs.of("01_tiny", names | {REBUILDING: True}).table(table, "one", "Table")
    assert (tmp_path / "figures" / "one.md").exists()


def test_notebooks_side_by_side_lose_none_of_each_others_entries(tmp_path):
    table = pd.DataFrame({"a": [1]})

    def write(index):
        Outputs("00", "quick", str(tmp_path)).table(table, f"table{index}", "Table")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))
    assert len(json.loads((tmp_path / "figures" / "manifest.json").read_text())) == 40


@pytest.mark.parametrize("folder", ["../../x", "build/../../x"])
def test_a_folder_that_leaves_the_repository_unsaid_is_refused(folder):
    with pytest.raises(ValueError, match=r"output must be below .*, or absolute, got"):
        _ = Outputs("09_max_of_three", "quick", folder).root


def test_a_notebook_is_told_its_parameters_by_its_names_and_refuses_text_for_a_list(tmp_path):
    names = {"n_alphas": 5, "shapes": [[2, 2]], "scale": "smoke", "output": str(tmp_path)}
    outputs = Outputs.of("02_payoff_matrices", names | {"something": "else"})
    assert outputs.parameters == {"n_alphas": 5, "shapes": [[2, 2]]}
    assert (outputs.scale, outputs.root) == ("smoke", tmp_path)
    with pytest.raises(ValueError, match="shapes must be a list"):
        Outputs.of("02_payoff_matrices", names | {"shapes": "[[2, 2]]"})
    with pytest.raises(ValueError, match="scale must be one of smoke, quick, paper, got 'quik'"):
        Outputs.of("02_payoff_matrices", names | {"scale": "quik"})


def test_a_parameter_that_papermill_passes_in_vain_is_refused(names):
    cells = ["import torch", "n_seeds: int = 5", "# Parameters\nn_seed = 1\nscale = 'smoke'\n"]
    with pytest.raises(ValueError, match=r"parameter must be .*, got 'n_seed' .did you mean"):
        Outputs.of("01_tiny", names | {"n_seed": 1, "In": cells})
    mended = "# Parameters\nn_seeds = 1\nPAPERMILL_INPUT_PATH = 'a.ipynb'\n"
    cells = [*cells, mended, "n_found = 3"]  # in the same kernel
    Outputs.of("01_tiny", names | {"n_seeds": 1, "n_found": 3, "In": cells})


def test_a_copy_under_a_name_of_its_own_is_checked_and_reads_what_is_committed(names, tmp_path):
    kinds = {"n_seeds": int, "shapes": list, "scale": str, "output": str, "total": float}
    told = names | {"__annotations__": kinds | {"wind": np.ndarray}, "wind": np.zeros(2)}
    mine = Outputs.of("my_game", told)
    assert mine.results == tmp_path / "results"
    mine.table(pd.DataFrame({"a": [1]}), "one", "Table")
    assert (tmp_path / "build" / "by_hand" / "figures" / "one.md").exists()
    assert mine.parameters == {"n_seeds": 5, "shapes": [(2, 2)]}
    with pytest.raises(ValueError, match="n_seeds must be a whole number, got 'abc'"):
        Outputs.of("my_game", told | {"n_seeds": "abc"})
    Outputs.of("my_game", names | {"In": ["# Parameters\nn_seeds = 1"]})  # nothing is annotated


def full(path):
    raise OSError(28, "No space left on device")


def test_a_folder_that_cannot_be_written_to_is_refused_in_the_first_cell(
    names, tmp_path, monkeypatch
):
    (tmp_path / "a_file").touch()
    with pytest.raises(ValueError, match="output must be a folder that can be written to, got"):
        Outputs.of("01_tiny", names | {"output": str(tmp_path / "a_file")})
    (tmp_path / "full" / "figures").mkdir(parents=True)
    monkeypatch.setattr(provenance, "check_writable", full)
    with pytest.raises(
        ValueError, match=r"output must be a folder .*, got '.*full': No space left"
    ):
        Outputs.of("01_tiny", names | {"output": str(tmp_path / "full")})


@pytest.mark.slow
def test_notebooks_that_write_side_by_side_lose_no_entry(tmp_path):
    """Three processes record ten tables each."""
    code = (
        "import sys, pandas as pd\n"
        "from svnr.report.provenance import Outputs\n"
        "outputs, table = Outputs('00', 'quick', sys.argv[1]), pd.DataFrame({'a': [1]})\n"
        "for i in range(10):\n"
        "    outputs.table(table, f'{sys.argv[2]}{i}', 'Table')\n"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), name]) for name in "abc"
    ]
    assert [writer.wait(120) for writer in writers] == [0, 0, 0]
    path = tmp_path / "figures" / "manifest.json"
    assert len(json.loads(path.read_text(encoding="utf-8"))) == 30


def test_a_damaged_manifest_is_set_aside(tmp_path):
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "manifest.json").write_text('{"torn": ')
    with pytest.warns(UserWarning, match=r"manifest.json could not be read"):
        Outputs("00", "quick", str(tmp_path)).table(pd.DataFrame({"a": [1]}), "one", "Table")
    path = tmp_path / "figures" / "manifest.json"
    assert list(json.loads(path.read_text(encoding="utf-8"))) == ["one.md"]
