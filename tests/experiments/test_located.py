import sys
import textwrap

import pytest
import torch

from svnr.experiments.catalogue import example, make_game
from svnr.experiments.located import source_hash
from svnr.experiments.specs import run_spec

ROWERS = """
import torch
from svnr.games.game import OneShotGame

class Rowers(OneShotGame):
    name, action_sizes = "rowers", (1, 1)

    def __init__(self, best=0.0):
        self.best = best

    def reward(self, u):
        return -(u - self.best).square().sum(-1)

    def rules(self):
        return {"best": self.best}

number = 3
"""


@pytest.fixture
def rowers(tmp_path):
    path = tmp_path / "my_game.py"
    path.write_text(textwrap.dedent(ROWERS))
    return path


def test_a_file_may_import_what_lies_beside_it(rowers, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    (rowers.parent / "tuned_island.py").write_text("BEST = 0.5")
    told = rowers.read_text().replace("best=0.0", "best=BEST")
    rowers.write_text("from tuned_island import BEST\n" + told)
    assert make_game(f"{rowers}:Rowers").reward(torch.tensor([[0.5, 0.5]])).item() == 0.0


def test_a_game_is_named_by_where_it_is(rowers):
    plain, shifted = make_game(f"{rowers}:Rowers"), make_game(f"{rowers}:Rowers(best=0.5)")
    u = torch.tensor([[0.5, 0.5]])
    assert plain.reward(u).item() == -0.5 and shifted.reward(u).item() == 0.0
    assert make_game("svnr.games.matrix:climbing").name == "climbing"


def test_an_environment_of_pettingzoo_is_named_by_where_it_is():
    pytest.importorskip("mpe2")
    name = "svnr.games.gather_env:GatherParallelEnv"
    assert make_game(name).action_sizes == (1, 1, 1, 1)


def test_a_changed_file_is_another_game(rowers):
    name = f"{rowers}:Rowers"
    before, first = source_hash(name), example(name)
    assert example(name) is first
    rowers.write_text(rowers.read_text().replace("-(u", "-2 * (u"))
    assert source_hash(name) != before
    assert example(name).reward(torch.tensor([1.0, 0.0])).item() == -2.0


@pytest.mark.parametrize(
    ("ending", "message"),
    [
        (":Rower", r"what .*py makes must be one of .*Rowers.*, got 'Rower' .did you mean"),
        (":number", "must name what makes one, got .* which is 3"),
        (":Rowers(best=x)", "literal arguments by name"),
        (":Rowers(0.5)", "literal arguments by name"),
    ],
)
def test_a_place_where_no_game_is_made_is_refused(rowers, ending, message):
    with pytest.raises(ValueError, match=message):
        make_game(f"{rowers}{ending}")
    with pytest.raises(ValueError, match="must name a module or a file"):
        make_game("no_such_package.games:Rowers")


def test_a_module_and_what_it_is_told_are_in_the_key(tmp_path, monkeypatch):
    (tmp_path / "rowing.py").write_text(ROWERS.replace("self.best", "self._best"))
    monkeypatch.syspath_prepend(tmp_path)
    name = "rowing:Rowers"
    keys = {source_hash(name), source_hash(f"{name}(best=1.0)"), source_hash(f"{name}(best=2.0)")}
    (tmp_path / "rowing.py").write_text(ROWERS.replace("-(u", "-2 * (u"))
    assert len(keys | {source_hash(name)}) == 4
    assert source_hash("svnr.games.matrix:penalty(k=-1.0)") == ""  # its rules say it


def test_a_file_that_fails_fails_again_and_says_why(tmp_path):
    path = tmp_path / "broken.py"
    path.write_text("Game = 1\nraise RuntimeError('no oars')")
    for _ in range(2):
        with pytest.raises(RuntimeError, match="no oars"):
            make_game(f"{path}:Game")


@pytest.mark.parametrize("ending", [":Rowers(z=1)", ":Nameless"])
def test_a_game_that_cannot_be_made_or_says_no_name_is_refused(rowers, ending):
    rowers.write_text(rowers.read_text() + "\nclass Nameless(OneShotGame):\n    reward = len\n")
    with pytest.raises(ValueError, match=r"must be one that can be made|game must have 'name'"):
        make_game(f"{rowers}{ending}")
    with pytest.raises(ValueError, match="must name a module or a file"):
        make_game("./my_game:Rowers")


def test_a_fault_within_a_game_keeps_its_traceback(rowers):
    rowers.write_text(rowers.read_text().replace("self.best = best", "self.best = best + 'a'"))
    with pytest.raises(TypeError, match="unsupported operand"):
        make_game(f"{rowers}:Rowers")


def test_a_class_that_lacks_a_method_is_told_which(rowers):
    rowers.write_text(rowers.read_text() + "\nclass Empty(OneShotGame):\n    name = 'empty'\n")
    with pytest.raises(ValueError, match="must be one that can be made, it lacks reward"):
        make_game(f"{rowers}:Empty")


def test_the_name_of_a_game_of_this_package_is_taken(rowers):
    text = rowers.read_text()
    rowers.write_text(text + "\nclass Taken(Rowers):\n    name = 'max_of_three_1.5'\n")
    with pytest.raises(ValueError, match="name must not be one of this package's games"):
        make_game(f"{rowers}:Taken")


def test_a_game_that_is_not_fit_is_found_before_a_run_of_it_is_made(rowers):
    rowers.write_text(rowers.read_text().replace("-(u - self.best)", "-u.sub_(self.best)"))
    with pytest.raises(ValueError, match="_play must not change u in place"):
        _ = run_spec(f"{rowers}:Rowers(best=0.5)", "maddpg", n_episodes=3).key


@pytest.mark.parametrize("game", [3, None, int])
def test_a_game_is_told_by_a_text(game):
    with pytest.raises(ValueError, match="game must be text, got"):
        run_spec(game, "maddpg")


def test_a_factory_that_is_given_its_arguments_by_another_is_called_as_it_is(rowers):
    rowers.write_text(
        rowers.read_text()
        + """
from functools import wraps

def half(make):
    @wraps(make)
    def made():
        return make(0.5)
    return made

@half
def shifted(best):
    return Rowers(best)
"""
    )
    assert make_game(f"{rowers}:shifted").best == 0.5
