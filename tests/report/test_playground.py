"""The picture to play with: its numbers against a grid, and what the page carries."""

import base64
import json
import re
import shutil
import subprocess
from importlib.resources import files

import numpy as np
import pytest
import torch

from svnr.games.differential import max_of_three
from svnr.report.playground import N_BARS, WAYS, landscape, playground
from svnr.theory.maxent import boltzmann
from svnr.theory.overgeneralization import execute


@pytest.fixture(scope="module")
def land():
    return landscape(4, 5)


def carried(page):
    """The numbers in the page."""
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', page)[1])


def on_a_grid(width, alpha, n=64):
    """The right hill's mass, what is earned, and agent 1's marginal, over n³ midpoints."""
    middles = (torch.arange(n, dtype=torch.float64) + 0.5) * 2 / n - 1
    cells = torch.stack(torch.meshgrid(middles, middles, middles, indexing="ij"), -1)
    game = max_of_three(width)
    rewards, right = game.reward(cells).numpy(), game.pays_most(cells).numpy()
    joint = boltzmann(rewards, alpha)
    earned = {way: (execute(joint, way) * rewards).sum() for way in WAYS}
    return joint[right].sum(), earned, joint.sum((1, 2))


def test_against_a_grid_of_joint_actions(land):
    for i, j in ((0, 2), (1, 3), (3, 4), (2, 1)):
        mass, earned, marginal = on_a_grid(land.widths[i], land.alphas[j])
        assert land.mass[i, j] == pytest.approx(mass, abs=2e-3)
        for way in ("shared", "independent"):
            assert land.earned[way][i, j] == pytest.approx(earned[way], abs=0.03)
        assert land.earned["greedy"][i, j] == pytest.approx(earned["greedy"], abs=0.2)  # of a cell
        assert np.allclose(land.bars[i, j].sum(0), marginal, atol=1e-3)


def test_bars_add_up_to_the_mass_of_each_hill(land):
    assert land.bars.shape == (4, 5, 2, N_BARS)
    assert np.allclose(land.bars[:, :, 0].sum(-1), land.mass)
    assert np.allclose(land.bars.sum((-1, -2)), 1)


def test_the_border_parts_the_map(land):
    holds_more = land.mass > 0.5
    assert np.array_equal(holds_more, land.alphas < land.border[:, None])
    assert holds_more.any() and not holds_more.all()
    assert np.isinf(land.border[-1])  # at s₂ = 3 the right hill has more than half of the box


def test_the_page_carries_the_numbers(land):
    told = carried(playground(land, width=1.6, alpha=4.5))
    assert told["widths"] == land.widths.tolist() and told["alphas"] == land.alphas.tolist()
    assert np.allclose(told["mass"], land.mass, atol=5e-5)
    for way in WAYS:
        assert np.allclose(told[way], land.earned[way], atol=5e-3)
    assert told["border"][-1] is None
    assert np.allclose(told["border"][:-1], land.border[:-1], atol=5e-3)
    assert told["start"] == [1, 3]  # of 0.8, 1.53, …; by ratios 4.5 is nearer to 7 than to 2.4
    bars = np.frombuffer(base64.b64decode(told["bars"]), np.uint8).reshape(land.bars.shape)
    assert (abs(bars.astype(int).sum(-2).max(-1) - 255) <= 1).all()
    shares = bars / bars.sum((-1, -2), keepdims=True)
    assert np.allclose(shares, land.bars, atol=2e-3)


def test_the_page_asks_for_nothing_from_outside(land):
    page = playground(land)
    assert "{{" not in page
    assert not re.findall(r"(?:src|href)=|@import|url\(|fetch\(|XMLHttp|import ", page)
    assert set(re.findall(r"https?://[^\"']+", page)) <= {"http://www.w3.org/2000/svg"}


def test_where_scripts_are_taken_out_one_sentence_stays(land):
    """JupyterLab shows a notebook that nobody has run or trusted without scripts and styles."""
    left = re.sub(r"<(script|style).*?</\1>", "", playground(land), flags=re.DOTALL)
    words = re.sub(r"<[^>]*>", "", left).split()
    assert words[:3] == ["This", "picture", "moves"] and " ".join(words).count(".") == 1


def test_the_sliders_have_labels(land):
    page = playground(land)
    assert len(re.findall(r"<label>[^<]+<output></output><input type=\"range\"", page)) == 2
    assert page.count('role="img" aria-label="') == page.count("<svg") == 4


@pytest.mark.skipif(not shutil.which("node"), reason="no node to parse the script")
def test_the_script_is_a_script(land, tmp_path):
    (script,) = re.findall(r"<script>\n(.*?)</script>", playground(land), re.DOTALL)
    (path := tmp_path / "play.js").write_text(script, encoding="utf-8")
    assert subprocess.run(["node", "--check", path], capture_output=True).returncode == 0


def test_the_template_is_small_and_lies_in_the_package():
    template = files("svnr.report").joinpath("playground.html")
    assert len(template.read_bytes()) < 15_000


def test_refuses_a_map_of_one_line():
    with pytest.raises(ValueError, match="n_widths must be"):
        landscape(1, 5)
