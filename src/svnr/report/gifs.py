"""Animations as GIFs: small, and the same bytes from the same pictures."""

from base64 import b64encode
from collections.abc import Iterable
from html import escape
from io import BytesIO
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from svnr.checks import Positive, fitted
from svnr.report.style import in_style

COLORS_OF_ALL = 48  # in the palette that all pictures share: fewer are smaller
DOTS_PER_INCH = 100
LAST = 12  # times as long as the others the last picture stays


def picture(figure: Figure) -> Image.Image:
    """A figure as it is drawn on a screen."""
    with in_style():
        figure.savefig(drawn := BytesIO(), format="png", dpi=DOTS_PER_INCH)
    return Image.open(drawn).convert("RGB")


def write_gif(path: Path, pictures: Iterable[Image.Image], seconds: float) -> None:
    """Write a GIF that begins anew when it has ended.

    Args:
        path: of the file.
        pictures: in their order, all of one size.
        seconds: that each is shown; the last stays longer.

    Raises:
        ValueError: if there are fewer than two, or the time is not positive.
    """
    whole, each = list(pictures), round(1000 * fitted("seconds", seconds, Positive))
    if len(whole) < 2:
        raise ValueError(f"pictures must be at least two, got {len(whole)}")
    palette = _together(whole).quantize(COLORS_OF_ALL, dither=Image.Dither.NONE)
    first, *others = (one.quantize(palette=palette, dither=Image.Dither.NONE) for one in whole)
    last = [each] * len(others) + [LAST * each]
    first.save(path, save_all=True, append_images=others, duration=last, loop=0, optimize=True)


def as_html(path: Path, told: str) -> str:
    """A GIF within a page, told in words to who does not see it."""
    data = b64encode(path.read_bytes()).decode()
    return f'<img alt="{escape(told)}" src="data:image/gif;base64,{data}">'


def _together(pictures: list[Image.Image]) -> Image.Image:
    """The first, the middle and the last picture beside each other, for a palette of them all."""
    chosen = (pictures[k] for k in (0, len(pictures) // 2, -1))
    return Image.fromarray(np.hstack([np.asarray(one) for one in chosen]))
