import json
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from svnr.report.provenance import Outputs, markdown
from svnr.report.style import styled


@styled
def line():
    figure, axis = plt.subplots()
    axis.plot([0, 1], [0, 1])
    return figure


def test_figures_and_tables_are_written_and_recorded(tmp_path):
    outputs = Outputs("08_max_of_three", "quick", str(tmp_path), {"n_seeds": 2})
    outputs.figure(line(), "fig4", "Figure 4", note="ours")
    outputs.table(pd.DataFrame({"a": [1]}, index=pd.Index(["x"], name="k")), "table1", "Table 1")
    written = {path.name for path in (tmp_path / "figures").iterdir()}
    assert written == {"fig4.svg", "fig4.png", "table1.csv", "table1.md", "manifest.json"}
    manifest = json.loads((tmp_path / "figures" / "manifest.json").read_text())
    assert list(manifest) == ["fig4.png", "table1.md"]
    entry = manifest["fig4.png"]
    assert entry["label"] == "Figure 4" and entry["note"] == "ours"
    assert entry["scale"] == "quick" and entry["parameters"] == {"n_seeds": 2}
    assert entry["versions"].keys() >= {"torch", "numpy", "matplotlib"}


def test_a_figure_drawn_twice_is_the_same_byte_for_byte(tmp_path):
    for folder in ("one", "two"):
        Outputs("00", "quick", str(tmp_path / folder)).figure(line(), "line", "Line")
    for ending in ("svg", "png"):
        first, second = (tmp_path / f / "figures" / f"line.{ending}" for f in ("one", "two"))
        assert first.read_bytes() == second.read_bytes()


def test_a_relative_folder_lies_in_the_repository(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "notebooks" / "presets").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert Outputs("00", "quick", "build/quick").results == tmp_path / "build/quick/results"
    assert Outputs("00").results == tmp_path / "results"


def test_drawing_leaves_no_open_figure_and_no_style_behind():
    before = dict(plt.rcParams)
    line()
    assert plt.get_fignums() == []
    assert dict(plt.rcParams) == before


def test_markdown_by_hand():
    table = pd.DataFrame({"b": [2.5]}, index=pd.Index(["x"], name="a"))
    assert markdown(table) == "| a | b |\n| --- | --- |\n| x | 2.5 |"


def test_a_notebook_with_numbers_of_its_own_does_not_touch_what_is_committed():
    root = Path(__file__).parents[2]
    committed = {"n_seeds": 5, "n_episodes": 5000}
    assert Outputs("08_max_of_three", "paper", "", committed).root == root
    smaller = Outputs("08_max_of_three", "paper", "", committed | {"n_seeds": 1})
    assert smaller.root == root / "build" / "by_hand"
