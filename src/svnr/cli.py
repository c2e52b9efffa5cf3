"""The front door: `svnr reproduce`, `train`, `tune`, `notebooks`, `status` and `list`.

It parses and prints; nothing heavy is imported until a command needs it, so `svnr --help` answers
at once.
"""

import argparse
import ast
import os
import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

from svnr.checks import check_count
from svnr.experiments.catalogue import GAMES, LEARNERS, title
from svnr.experiments.repository import repository_root
from svnr.report.scales import SCALES

if TYPE_CHECKING:
    from svnr.publish.plan import Plan


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    if isinstance(sys.stdout, TextIOWrapper):  # what a terminal cannot show is shown as "?"
        sys.stdout.reconfigure(errors="replace")
    options, unknown = _parser().parse_known_args(arguments)
    if unknown:
        options.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    try:
        with suppress(FileNotFoundError):  # installed, and called outside a checkout
            repository_root()  # which says so if this one's package is not what runs
        with _engine(options):
            status = options.command(options)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # `svnr list | head` has read what it wants
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # where the rest goes
        return 0
    except (ValueError, FloatingPointError, OSError) as error:
        print(f"svnr: {error}", file=sys.stderr)
        return 2 if isinstance(error, ValueError) else 1  # a run diverged, a folder is of no use
    except KeyboardInterrupt as stop:
        print(f"svnr: {str(stop) or 'stopped at once; finished runs are kept'}", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    told = "Negotiated reasoning, reproduced: run, train, look."
    parser = argparse.ArgumentParser(prog="svnr", description=told)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(function: Callable[[argparse.Namespace], int], help: str) -> Any:
        made = commands.add_parser(function.__name__.strip("_"), help=help)
        made.set_defaults(command=function, parser=made)
        return made.add_argument

    option = command(_reproduce, "run the notebooks and draw every figure")
    option("--scale", default="quick", help="smoke, quick (default) or paper")
    option("--only", nargs="+", action="extend", metavar="NN", help="some notebooks, by number")
    _name_set(option, "parameters, of all these notebooks")
    option("--jobs", type=int, default=2, help="training processes (default 2)")
    option("--output", help="folder below the repository for what is made")
    _name_engine(option)

    option = command(_train, "train a learner on a game, or read the finished run")
    _name_game_and_learner(option)
    _name_training(option)
    _name_engine(option)

    option = command(_tune, "search a learner's settings on a game with TPE")
    _name_game_and_learner(option)
    option("--episodes", type=int, help="length of a run (default its game's, or 5000)")
    option("--trials", type=int, help="finished trials wanted, in all (default its game's, or 50)")
    option("--seeds", type=int, default=2, help="runs a trial (default 2)")
    option("--output", help="folder of studies (default results/tuning/, in a checkout its own)")
    _name_engine(option)

    option = command(_notebooks, "make the committed .ipynb from the .py")
    option("--only", nargs="+", action="extend", metavar="NN", help="some notebooks, by number")

    option = command(_status, "runs that are there, under way or failed, and what is missing")
    option("--scale", default="paper", help="smoke, quick or paper (default)")
    option("--output", help="folder of runs (default what is made at that scale has)")

    command(_list, "games, learners, notebooks and scales")
    return parser


def _name_game_and_learner(option: Callable[..., Any]) -> None:
    option("game", metavar="GAME", help="a name, or path/to/my_game.py:MyGame")
    option("learner", metavar="LEARNER")
    _name_set(option, "settings, of tune in all trials")
    option("--jobs", type=int, default=1, help="processes side by side (default 1)")


def _name_set(option: Callable[..., Any], told: str) -> None:
    option("--set", nargs="+", action="extend", default=[], metavar="NAME=VALUE", help=told)


def _name_training(option: Callable[..., Any]) -> None:
    option("--seed", nargs="+", type=int, action="extend", help="one or more (default 0)")
    option("--episodes", type=int, help="length of a run (default as its game's: often 5000)")
    option("--steps", type=int, help="length in environment steps, in place of episodes")
    option("--copies", type=int, help="of the game, side by side (default as its game's: often 1)")
    option("--tests", type=int, help="episodes of a test (by default 1000 at most)")
    option("--tuned", action="store_true", help="begin with what searches (three phases) chose")
    option("--keep", action="store_true", help="keep trained teams too, one after another")
    option("--output", help="folder of runs (default results/, in a checkout its own)")


def _name_engine(option: Callable[..., Any]) -> None:
    option("--engine", default="processes", help="serial, processes (default) or dask")
    option("--scheduler", default="", metavar="ADDRESS", help="of Dask's, tls://HOST:PORT")
    option("--insecure", action="store_true", help="join a scheduler open to others without TLS")


def _engine(options: argparse.Namespace) -> AbstractContextManager[None]:
    """Whoever is to do the work of a command."""
    if "engine" not in options:
        return nullcontext()
    from svnr.experiments.engine import Engine, using

    return using(Engine(options.engine, options.scheduler, options.insecure), options.jobs)


def _train(options: argparse.Namespace) -> int:
    from svnr.experiments.specs import run_spec
    from svnr.experiments.store import collect, load, trained
    from svnr.report.tables import scores

    if None not in (options.steps, options.episodes):
        raise ValueError(f"steps must stand in place of episodes, got {options.episodes} too")
    training = _told(n_copies=options.copies, length=options.steps, n_test=options.tests)
    training |= {"unit": "steps"} if options.steps is not None else {}
    told: Any = _settings(options.set), "as tuned" if options.tuned else "as set", training
    seeds, how = dict.fromkeys(options.seed or [0]), (options.episodes, *told)
    specs = [run_spec(options.game, options.learner, seed, *how) for seed in seeds]
    folder, jobs = _folder(options.output), check_count("jobs", options.jobs)
    n_read = sum(load(spec, folder) is not None for spec in specs)
    for spec in specs if options.keep else ():
        with suppress(FloatingPointError):  # `collect` tells of it
            trained(spec, folder)
    table = scores(collect(specs, folder, jobs)).drop(columns=["game", "learner"])
    print(f"{LEARNERS[options.learner].title} on {title(options.game)}, return of an episode")
    print("(training: mean of the last 100; others: mean of the tests; within: their deviation)")
    print(table.set_index("seed").round(3).to_string())
    print(f"({n_read} read, {len(specs) - n_read} made; all are in {folder})")
    return 0


def _tune(options: argparse.Namespace) -> int:
    from tqdm import tqdm

    from svnr.experiments.studies import StudySpec, usual_budget
    from svnr.experiments.tune import tune
    from svnr.report.searches import trials

    check_count("jobs", options.jobs)
    budget = _told(n_trials=options.trials, n_seeds=options.seeds, n_episodes=options.episodes)
    budget = usual_budget(options.game) | budget
    told = {"game": options.game, "learner": options.learner, "overrides": _settings(options.set)}
    spec = StudySpec(**told, **budget)
    folder = _folder(options.output, "tuning")
    with tqdm(total=spec.n_trials, desc="trials", disable=None) as bar:
        study = tune(spec, folder, options.jobs, lambda n_done: bar.update(n_done - bar.n))
    print(f"{LEARNERS[options.learner].title} on {title(options.game)}: the best trials")
    print(trials(study).head(5).to_string(index=False))
    best = [*options.set, *(f"{n}={spec.ranges[n].onto(v)}" for n, v in study.best_params.items())]
    print(shlex.join(["svnr", "train", options.game, options.learner, "--set", *best]))
    return 0


def _told(**options: Any) -> dict[str, Any]:
    """The options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def _folder(told: str | None, *below: str) -> Path:
    """The folder that was told; else what lies below results/, of the checkout one stands in."""
    if told:
        return Path(told)
    with suppress(FileNotFoundError):
        if Path.cwd().is_relative_to(root := repository_root()):
            return root.joinpath("results", *below)
    return Path("results", *below)


def _settings(texts: Sequence[str]) -> dict[str, Any]:
    """`name=value` texts as settings; a value that is no Python literal is text."""
    settings: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name in settings:
            raise ValueError(f"set must be NAME=VALUE, each name once, got {text!r}")
        settings[name] = value
        with suppress(ValueError, SyntaxError):
            settings[name] = ast.literal_eval(value)
    return settings


def _reproduce(options: argparse.Namespace) -> int:
    from svnr.publish.plan import plan

    root, only, numbers = repository_root(), options.only or (), _settings(options.set)
    planned = plan(root, options.scale, only, options.output, numbers)
    if planned.left_out and not options.only:
        left_out = ", ".join(planned.left_out)
        print(f"svnr: left out, no preset at {options.scale} scale: {left_out}", file=sys.stderr)
    started = time.time()
    failed = _execute(planned, 1 if options.engine == "serial" else options.jobs)
    _list_made(planned.made(started), planned.root)
    print(f"\nexecuted notebooks: {planned.jobs[0].path.parent.relative_to(planned.root)}")
    return 1 if failed else 0


def _notebooks(options: argparse.Namespace) -> int:
    from svnr.publish.notebooks import commit
    from svnr.publish.plan import rebuilding

    planned = rebuilding(repository_root(), options.only or ())
    failed = _execute(planned, 2)
    for job in planned.jobs:
        if job.name not in failed:
            commit(job, planned.root)
    return 1 if failed else 0


def _execute(planned: "Plan", n_jobs: int) -> list[str]:
    """Run the notebooks and print what each took; returns the names of those that failed."""
    from svnr.publish.queue import run

    started = time.monotonic()
    outcomes = run(planned.jobs, planned.root, n_jobs)
    print("\nnotebook                        minutes")
    for outcome in outcomes:
        state = f"FAILED in {outcome.error}" if outcome.error else ""
        print(f"  {outcome.name:<30} {outcome.seconds / 60:6.1f}  {state}".rstrip())
    print(f"  {'in all, side by side':<30} {(time.monotonic() - started) / 60:6.1f}")
    failed = [outcome.name for outcome in outcomes if outcome.error]
    if failed:
        print(f"\n{len(failed)} of {len(outcomes)} notebooks failed: {', '.join(failed)}")
    return failed


def _list_made(made: Mapping[Path, Mapping[str, Any]], root: Path) -> None:
    """Print the figures and tables, each with its note."""
    if made:
        print("\nfigures and tables")
    for file, entry in made.items():
        print(f"  {entry['label']}: {file.relative_to(root)}")
        if entry["note"]:
            print(f"      {entry['note']}")


def _status(options: argparse.Namespace) -> int:
    from svnr.publish.plan import plan
    from svnr.publish.status import failures, missing, runs

    planned = plan(repository_root(), options.scale)
    folder = Path(options.output or planned.output / "results")
    if options.output and not folder.is_dir():
        raise ValueError(f"output must be a folder of runs, got {options.output!r}")
    table = runs(folder)
    print(f"runs in {folder}")
    print(table.to_string() if len(table) else "  none")
    untold = f"; {n} of the runs do not say" if (n := table["untimed"].sum()) else ""
    there, hours = (table[name].sum() for name in ("there", "hours"))
    print(f"in all {there} runs, {hours:.1f} hours of a core{untold}")
    for name, why in failures(folder).items():
        print(f"failed: {name}: {why}")
    for name in missing(planned, options.scale) if not options.output else ():
        print(f"missing at {options.scale} scale: {name}")
    return 0


def _list(options: argparse.Namespace) -> int:
    from svnr.publish.sources import sources

    sections: dict[str, Mapping[str, str]] = {
        kind: {name: row.title for name, row in rows.items()}
        for kind, rows in (("games", GAMES), ("learners", LEARNERS))
    }
    with suppress(FileNotFoundError):  # installed, and called outside a checkout
        sections |= {"notebooks": dict.fromkeys(sources(repository_root()), ""), "scales": SCALES}
    for section, entries in sections.items():
        print(f"{section}:")
        for name, told in entries.items():
            print(f"  {name:<24} {told}".rstrip())
    return 0


if __name__ == "__main__":
    sys.exit(main())
