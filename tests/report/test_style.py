import os
import subprocess
import sys

import matplotlib.pyplot as plt

from svnr.report.provenance import Outputs
from svnr.report.style import styled

OWN = {  # what a reader's matplotlibrc may hold
    "text.usetex": True,  # fails where there is no TeX, and where there is draws other letters
    "axes.facecolor": "black",
    "lines.linestyle": "--",
    "savefig.facecolor": "red",
    "savefig.bbox": "tight",
    "svg.image_inline": False,
    "font.family": "serif",
    "path.sketch": (1, 100, 2),
}


@styled
def drawn():
    figure, axis = plt.subplots()
    axis.plot([0, 1], [0, 1], label="α")
    axis.set_title("a title")
    return figure


def test_drawing_leaves_no_open_figure_and_no_style_behind():
    plt.close("all")  # what other tests left open
    before = dict(plt.rcParams)
    drawn()
    assert plt.get_fignums() == []
    assert dict(plt.rcParams) == before


def test_a_readers_own_settings_change_no_byte(tmp_path):
    Outputs("00", "quick", str(tmp_path / "one")).figure(drawn(), "line", "Line")
    with plt.rc_context(OWN):
        Outputs("00", "quick", str(tmp_path / "two")).figure(drawn(), "line", "Line")
    for ending in ("svg", "png"):
        first, second = (tmp_path / f / "figures" / f"line.{ending}" for f in ("one", "two"))
        assert first.read_bytes() == second.read_bytes()


DRAW = """
import sys
import matplotlib.pyplot as plt
from svnr.report.provenance import Outputs
from svnr.report.style import styled

@styled
def drawn():
    figure, axis = plt.subplots()
    axis.plot([0, 1], [0, 1], label="α")
    axis.set_title("a title")
    return figure

Outputs("00", "quick", sys.argv[1]).figure(drawn(), "line", "Line")
assert plt.rcParams["axes.facecolor"] == sys.argv[2]
"""


def test_a_readers_matplotlibrc_changes_no_byte(tmp_path):
    """Two processes, one of which begins with a file of the reader's."""
    rows = {"text.usetex": True, "axes.facecolor": "black", "font.size": 22, "savefig.dpi": 40}
    rows |= {"savefig.bbox": "tight", "svg.fonttype": "path", "figure.autolayout": True}
    told = "".join(f"{name}: {value}\n" for name, value in rows.items())
    (tmp_path / "matplotlibrc").write_text(told, encoding="utf-8")
    for folder, own in (("white", {}), ("black", {"MATPLOTLIBRC": str(tmp_path)})):
        command = [sys.executable, "-X", "utf8", "-c", DRAW, str(tmp_path / folder), folder]
        subprocess.run(command, env=os.environ | own, check=True, capture_output=True)
    for ending in ("svg", "png"):
        first, second = (tmp_path / f / "figures" / f"line.{ending}" for f in ("white", "black"))
        assert first.read_bytes() == second.read_bytes()


def test_a_message_wider_than_its_figure_takes_two_lines():
    @styled
    def told():
        figure, _ = plt.subplots(figsize=(4, 2))
        figure.suptitle(" ".join(["message"] * 8), x=0.01, ha="left")
        return figure

    figure = told()
    (text,) = figure.texts
    assert text.get_text().count("\n") == 1
    assert text.get_window_extent().x1 < figure.bbox.x1
