"""One look for every figure: sizes, and one colour for each method everywhere.

The colours keep apart for colour-blind readers (Okabe and Ito's palette, muted), and SVNR's is the
only saturated one.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from pathlib import Path
from textwrap import wrap
from typing import ParamSpec

import matplotlib.pyplot as plt

FULL_WIDTH = 5.5  # inches, the paper's text width

COLORS = {
    "svnr": "#D55E00", "svnr_f": "#E0A458", "svnr_m": "#7F7F7F", "svnr_b": "#9C4A1A",
    "maddpg": "#8FA9C4", "masql": "#6FA88C", "pr2": "#B58FB0",
    "rommeo": "#A39461", "lenient": "#8C7B75", "hysteretic": "#B9B9B9",
    "facmac": "#5B84B1", "qmix": "#7B6D8D", "mappo": "#BC5A70", "mmq": "#C9B07C",
    "hasac": "#1F8A8A",
}  # fmt: skip
_LONG, _SHORT, _DOTS = (0, (3, 1.5)), (0, (1.5, 1.5)), (0, (1, 1))
_DASH_DOT = (0, (4, 1.2, 1, 1.2))
DASHES: dict[str, tuple] = {  # where curves lie on each other, dashes let the lower one through
    "svnr_f": _LONG, "svnr_m": _DOTS, "masql": _LONG, "pr2": _LONG, "rommeo": _SHORT,
    "hasac": _DASH_DOT,
}  # fmt: skip
INK = "#333333"  # text and axes
NEUTRAL = {"blue": "#0072B2", "green": "#009E73", "violet": "#8C6BB1", "grey": "#7F7F7F"}
OPTIMUM = "#2B7A3D"  # the best there is
TRAP = "#9C2F2F"  # where over-generalizing agents end

P = ParamSpec("P")


def in_style() -> AbstractContextManager[None]:
    """This project's style over matplotlib's defaults, whatever the reader has set."""
    return plt.style.context(Path(__file__).with_name("svnr.mplstyle"), after_reset=True)


def styled(draw: Callable[P, plt.Figure]) -> Callable[P, plt.Figure]:
    """Let a figure function draw in this project's style, and leave matplotlib's own untouched.

    A message stands at the left, and takes two lines where it is longer than the figure is wide.

    The figure comes back closed, so a notebook shows it once, where it is the value of a cell.
    """

    @wraps(draw)
    def draw_in_style(*args: P.args, **kwargs: P.kwargs) -> plt.Figure:
        with in_style():
            figure = draw(*args, **kwargs)
            if message := figure.get_suptitle():
                told = figure.suptitle(message, x=0.01, ha="left")
                if told.get_window_extent().width > 0.98 * figure.bbox.width:
                    told.set_text("\n".join(wrap(message, len(message) // 2 + 10)))
            figure.draw_without_rendering()
            plt.close(figure)
        return figure

    return draw_in_style
