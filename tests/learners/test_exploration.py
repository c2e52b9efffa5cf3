import pytest
import torch

from svnr.learners.exploration import Exploration, Held


def test_exploration_has_the_spread_of_its_stationary_law():
    # x ← 0.85 x + 0.3 ε has variance 0.09 / (1 − 0.85²) = 0.3243, neighbours correlate by 0.85.
    exploration, generator = Exploration(2, 2.0), torch.Generator().manual_seed(0)
    path = torch.stack([exploration.noise(400, generator) for _ in range(120)])[20:] / 2.0
    assert path.var((0, 1)).tolist() == pytest.approx([0.3243, 0.3243], rel=0.05)
    neighbours = (path[1:] * path[:-1]).mean((0, 1)) / path.var((0, 1))
    assert neighbours.tolist() == pytest.approx([0.85, 0.85], abs=0.02)


def test_restored_it_goes_on_where_it_was():
    one, other = Exploration(2, 1.0), Exploration(2, 1.0)
    one.noise(3, torch.Generator())
    one.scale = 0.3
    other.load_state_dict(one.state_dict())
    paths = [each.noise(3, torch.Generator().manual_seed(1)) for each in (one, other)]
    assert torch.equal(*paths)


def test_held_noise_is_drawn_again_and_what_is_drawn_beside_it_is_not():
    """One stream a, b, c, d, e: held for two steps it gives a, a, then d, d; learning b, c, e."""
    a, b, c, d, e = torch.randn(5, generator=torch.Generator().manual_seed(3)).tolist()
    generator, held, noise, beside = torch.Generator().manual_seed(3), Held(2), [], []
    for _ in range(4):
        with held.drawing({"noise": generator}):
            noise.append(torch.randn(1, generator=generator).item())
        beside.append(torch.randn(1, generator=generator).item())
    assert noise == [a, a, d, d] and beside[:3] == [b, c, e]


def test_held_noise_is_let_go_where_drawing_fails():
    generator, held = torch.Generator().manual_seed(3), Held(2)
    with held.drawing({"noise": generator}):
        torch.randn(1, generator=generator)
    before = generator.get_state()
    with pytest.raises(ZeroDivisionError), held.drawing({"noise": generator}):
        torch.randn(7, generator=generator)
        _ = 1 / 0
    assert torch.equal(generator.get_state(), before)
