"""Animations on disk: what is in them, and that they are the same every time."""

import re
from base64 import b64decode

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from svnr.report.gifs import LAST, as_html, picture, write_gif
from svnr.report.style import styled


@styled
def square(color):
    figure = plt.figure(figsize=(0.6, 0.4), layout="none")
    figure.patch.set_facecolor(color)
    return figure


def pictures():
    return [picture(square(color)) for color in ("#D55E00", "#FFFFFF", "#2B7A3D")]


def test_pictures_keep_their_order_size_and_colours(tmp_path):
    write_gif(tmp_path / "a.gif", pictures(), 0.2)
    gif, seen = Image.open(tmp_path / "a.gif"), []
    for k in range(gif.n_frames):
        gif.seek(k)
        seen.append((np.array(gif.convert("RGB")).reshape(-1, 3), gif.info["duration"]))
    assert gif.size == (60, 40) and gif.info["loop"] == 0  # 0.6 in at 100 dots; for ever
    assert [told for _, told in seen] == [200, 200, LAST * 200]
    wanted = [(0xD5, 0x5E, 0), (0xFF, 0xFF, 0xFF), (0x2B, 0x7A, 0x3D)]
    for (points, _), color in zip(seen, wanted, strict=True):
        assert abs(points.astype(int) - color).max() <= 2


def test_the_same_pictures_are_the_same_bytes(tmp_path):
    for name in ("a.gif", "b.gif"):
        write_gif(tmp_path / name, pictures(), 0.1)
    assert (tmp_path / "a.gif").read_bytes() == (tmp_path / "b.gif").read_bytes()


def test_what_is_no_animation_is_refused(tmp_path):
    with pytest.raises(ValueError, match="pictures must be at least two, got 1"):
        write_gif(tmp_path / "a.gif", pictures()[:1], 0.1)
    with pytest.raises(ValueError, match="seconds"):
        write_gif(tmp_path / "a.gif", pictures(), 0.0)
    assert not list(tmp_path.iterdir())


def test_a_page_carries_the_gif_and_tells_it_in_words(tmp_path):
    write_gif(path := tmp_path / "a.gif", pictures(), 0.1)
    told, data = re.fullmatch(
        r'<img alt="(.*)" src="data:image/gif;base64,(\S+)">', as_html(path, 'α < 1, "cold"')
    ).groups()
    assert told == "α &lt; 1, &quot;cold&quot;"
    assert b64decode(data) == path.read_bytes()
