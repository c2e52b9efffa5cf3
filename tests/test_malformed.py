"""Malformed inputs at every door: each is refused before work begins, its argument named."""

import re
from itertools import product

import pytest

from svnr import cli
from svnr.checks import changed
from svnr.experiments import store
from svnr.experiments.catalogue import settings_class
from svnr.experiments.engine import Engine, each
from svnr.experiments.specs import grid, run_spec
from svnr.experiments.studies import StudySpec
from svnr.publish import queue
from svnr.report.provenance import Outputs

NUMBERS = ["-1", "1.5", "x", "", "1e3", "nan", "inf", "1,000", "0x10", "None"]
GAME = ["climbing", "svnr"]
COUNTS = [
    *(("train", f"--{name}") for name in ("episodes", "jobs", "copies", "steps", "tests")),
    *(("tune", f"--{name}") for name in ("episodes", "jobs", "trials", "seeds")),
    ("reproduce", "--jobs"),
]
COMMANDS = [
    *(
        [c, *(GAME if c != "reproduce" else []), f"{n}={v}"]
        for (c, n), v in product(COUNTS, NUMBERS)
    ),
    *([c, *(GAME if c != "reproduce" else []), f"{n}=0"] for c, n in COUNTS),
    *(["train", *GAME, f"--seed={value}"] for value in NUMBERS),
    *(
        ["train", game, "svnr"]
        for game in ("", "climb", "CLIMBING", "-", "a:b:c", "no.py:X", "os:")
    ),
    *(["tune", "climbing", learner] for learner in ("", "svrn", "SVNR", "svnr,pr2", "1")),
    *(["reproduce", "--scale", scale] for scale in ("", "quik", "Paper", "1")),
    *(["status", "--scale", scale] for scale in ("", "quik", "Paper", "1")),
    *(["reproduce", "--only", name] for name in ("", "1", "99", "08_", "*")),
    *(["reproduce", "--engine", name] for name in ("", "thread", "Dask", "slurm")),
]
CALLED = ["game", "learner", "length", "n_test", "notebook", "set"]  # what options are within
SETS = [
    "discount", "=1", "discount=", "discount=x", "discount=2", "discount=(1,)", "hidden=[",
    "hidden={}", "hidden=()", "hidden=(1,0)", "hidden=(1,'a')", "hidden=1e3", "layer_norm=yes",
    "layer_norm=0", "layer_norm=none", "sets=[]", "sets=strict,full", "sets=[[],[0],[1]]",
    "batch_size=0", "batch_size=-4", "batch_size=1.0", "n_particles=many", "n_particles=None",
    "n_groups=0", "target_rate=1.1", "target_rate=-1", "learning_rate=0", "learning_rate=nan",
    "learning_rate=1e400", "random_steps=-1", "warmup=-1", "warmup=x", "capacity=0",
    "n_steps=0", "update_every=0", "alpha_final=0", "alpha_final=-1", "alpha_final=hot",
    "n_samples=1", "Discount=0.9", "__class__=1", "soft_value=hard", "coordinates=x",
    "kernel_on=no",
]  # fmt: skip
SETTINGS = {
    "discount": [2, -0.1, "x", None, float("nan"), True, [0.9]],
    "learning_rate": [0, -1, float("inf"), "fast", None, 10**400, (0.1,)],
    "hidden": [(), (0,), (-1,), ("a",), 100, None, (1.5,), [[1]]],
    "layer_norm": ["no", 1, 0, None, "False", 2],
    "n_particles": [0, -1, 1.5, "many", None, True],
    "schedule": ["", "linaer", 1, None, [], ["printed"]],
    "sets": ["", "all", [[0]], [[], [1]], 3],
    "n_particle": [1],
    "": [1],
}
TRAINING = {
    "length": [0, -1, 1.5, "x", None],
    "unit": ["", "epochs", 1, None],
    "n_copies": [0, -1, "x", None, 1.5],
    "n_test": [0, -1, "x", 2.5],
    "test_every": [-1, "x", None],
    "lenght": [1],
}
PARAMETERS = {
    "n_seeds": [0, -1, 1.5, "2", None, True, [1]],
    "n_episodes": [0, -5, "many", None, 1e3],
    "n_jobs": [0, -1, "two", None, 1.5],
    "scale": ["", "quik", 1, None],
    "output": [1, None, ["x"]],
}


@pytest.fixture(autouse=True)
def nothing_begins(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for module, name in ((store, "_perform"), (queue, "feed"), (store, "claimed")):
        monkeypatch.setattr(module, name, lambda *told, **more: pytest.fail(f"began {told}"))
    yield
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_command(capsys, arguments):
    try:
        status = cli.main(arguments)
    except SystemExit as exit_:
        status = exit_.code
    told = capsys.readouterr().err
    assert status == 2 and "Traceback" not in told
    name = next((each for each in arguments if each.startswith("--")), "")
    names = [
        name.split("=")[0].strip("-").rstrip("s"),
        "game",
        "learner",
        "length",
        "n_test",
        "notebook",
    ]
    assert any(each and each in told for each in names) and len(told.strip()) > 20


@pytest.mark.parametrize("text", SETS)
def test_a_setting_of_a_command(capsys, text):
    assert cli.main(["train", *GAME, "--set", text]) == 2
    told = capsys.readouterr().err
    assert (text.split("=")[0] or "set") in told and re.search("must (be|hold|not)", told)


def cases(table):
    return [(name, value) for name, values in table.items() for value in values]


@pytest.mark.parametrize(("name", "value"), cases(SETTINGS))
def test_a_setting(name, value):
    with pytest.raises(ValueError, match=name or "setting"):
        run_spec("climbing", "svnr", 0, 10, {name: value})


@pytest.mark.parametrize(("name", "value"), cases(TRAINING))
def test_a_part_of_training(name, value):
    with pytest.raises(ValueError, match=name):
        run_spec("climbing", "svnr", 0, 10, training={name: value})


@pytest.mark.parametrize(("name", "value"), cases(PARAMETERS))
def test_a_parameter_of_a_notebook(name, value):
    given = {"n_seeds": 5, "n_episodes": 5000, "n_jobs": 2, "scale": "paper", "output": ""}
    with pytest.raises(ValueError, match=name):
        Outputs.of("09_max_of_three", given | {name: value})


@pytest.mark.parametrize("seed", [-1, 1.5, "0", None, True, [0]])
@pytest.mark.parametrize("call", [lambda s: run_spec("climbing", "svnr", s)])
def test_a_seed(call, seed):
    with pytest.raises(ValueError, match="seed"):
        call(seed)


@pytest.mark.parametrize("value", [0, -1, 1.5, "2", None, True])
def test_a_count(value):
    for name, call in {
        "n_jobs": lambda: each(len, ["a"], value),
        "n_seeds": lambda: grid(["climbing"], ["svnr"], value, 10),
        "n_trials": lambda: StudySpec(game="climbing", learner="svnr", n_trials=value),
        "n_groups": lambda: changed(settings_class("svnr")(), {"n_groups": value}),
    }.items():
        with pytest.raises(ValueError, match=name):
            call()


@pytest.mark.parametrize("kind", ["", "threads", None, 1, "DASK"])
def test_an_engine(kind):
    with pytest.raises(ValueError, match="engine"):
        Engine(kind)
