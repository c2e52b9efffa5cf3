"""The front door: `svnr reproduce`, `train`, `tune`, `notebooks` and `list`.

Nothing heavy is imported until a command needs it, so `svnr --help` answers at once.
"""

import argparse
import ast
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from svnr.experiments.repository import repository_root
from svnr.experiments.scenarios import GAMES, LEARNERS, check_name, learner_settings

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from svnr.report.notebooks import Outcome

SCALES = {
    "smoke": "every cell runs, at toy size (about two minutes)",
    "quick": "every figure and table from nothing, at reduced size (minutes)",
    "paper": "the paper's own counts, into figures/ and results/ (resumable)",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options, unknown = _parser().parse_known_args(arguments)
    if unknown:
        options.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    try:
        return options.command(options)
    except ValueError as error:
        print(f"svnr: {error}", file=sys.stderr)
        return 2
    except (FloatingPointError, OSError) as error:  # a run that diverged, a folder of no use
        print(f"svnr: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("svnr: stopped; finished runs are kept", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="svnr", description="Negotiated reasoning, reproduced: run, train, look."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    reproduce = commands.add_parser("reproduce", help="run the notebooks and draw every figure")
    reproduce.add_argument("--scale", default="quick", help="smoke, quick (default) or paper")
    reproduce.add_argument("--only", nargs="+", metavar="NN", help="some notebooks, by number")
    reproduce.add_argument("--jobs", type=int, default=2, help="training processes (default 2)")
    reproduce.add_argument("--output", help="folder below the repository for what is made")
    reproduce.set_defaults(command=_reproduce, parser=reproduce)

    train = commands.add_parser(
        "train", help="train a learner on a game, or read the finished run"
    )
    train.add_argument("game", metavar="GAME")
    train.add_argument("learner", metavar="LEARNER")
    train.add_argument("--seed", nargs="+", type=int, default=[0], help="one or more (default 0)")
    train.add_argument("--episodes", type=int, default=5000, help="length of a run (default 5000)")
    train.add_argument("--jobs", type=int, default=1, help="processes side by side (default 1)")
    train.add_argument("--set", nargs="+", default=[], metavar="NAME=VALUE", help="settings")
    train.add_argument("--tuned", action="store_true", help="begin with the settings tuning chose")
    train.add_argument("--output", default="results", help="folder of runs (default results)")
    train.set_defaults(command=_train, parser=train)

    tune = commands.add_parser("tune", help="search a learner's settings on a game with TPE")
    tune.add_argument("game", metavar="GAME")
    tune.add_argument("learner", metavar="LEARNER")
    tune.add_argument("--trials", type=int, default=50, help="finished trials wanted (default 50)")
    tune.add_argument("--seeds", type=int, default=2, help="runs a trial (default 2)")
    tune.add_argument("--episodes", type=int, default=5000, help="length of a run (default 5000)")
    tune.add_argument("--jobs", type=int, default=1, help="processes side by side (default 1)")
    tune.add_argument("--output", default="results/tuning", help="folder of the studies")
    tune.set_defaults(command=_tune, parser=tune)

    notebooks = commands.add_parser("notebooks", help="make the committed .ipynb from the .py")
    notebooks.add_argument("--only", nargs="+", metavar="NN", help="some notebooks, by number")
    notebooks.set_defaults(command=_notebooks, parser=notebooks)

    listing = commands.add_parser("list", help="games, learners, notebooks and scales")
    listing.set_defaults(command=_list, parser=listing)
    return parser


def _notebook_names(root: Path, only: Sequence[str] | None) -> list[str]:
    """The notebooks asked for, by number or by name, in reading order."""
    names = [path.stem for path in sorted((root / "notebooks").glob("[0-9][0-9]_*.py"))]
    numbers = {name.split("_")[0]: name for name in names}
    for wanted in only or []:
        if wanted not in names:
            check_name("notebook", wanted, numbers)
    chosen = {numbers.get(wanted, wanted) for wanted in only or names}
    return [name for name in names if name in chosen]


def _list(options: argparse.Namespace) -> int:
    notebooks = dict.fromkeys(_notebook_names(repository_root(), None), "")
    sections = {
        "games": {name: entry.title for name, entry in GAMES.items()},
        "learners": {name: entry.title for name, entry in LEARNERS.items()},
        "notebooks": notebooks,
        "scales": SCALES,
    }
    for section, entries in sections.items():
        print(f"{section}:")
        for name, title in entries.items():
            print(f"  {name:<24} {title}".rstrip())
    return 0


def _train(options: argparse.Namespace) -> int:
    check_name("game", options.game, GAMES)
    check_name("learner", options.learner, LEARNERS)
    overrides = dict(_setting(text) for text in options.set)
    _check_jobs(options.jobs)
    if min(options.seed) < 0:
        raise ValueError(f"seed must not be negative, got {min(options.seed)}")
    _check_kinds(options.learner, overrides)

    from tqdm import tqdm

    from svnr.experiments.runs import run_spec
    from svnr.experiments.settings import tuned
    from svnr.experiments.store import collect
    from svnr.report.tables import scores

    if options.tuned:
        overrides = {**tuned(options.learner, options.game), **overrides}

    specs = [
        run_spec(options.game, options.learner, seed, options.episodes, overrides)
        for seed in dict.fromkeys(options.seed)
    ]
    with tqdm(total=len(specs), desc="runs", disable=None) as bar:
        runs = collect(specs, Path(options.output), options.jobs, lambda spec: bar.update())
    table = scores(runs).drop(columns=["game", "learner"]).set_index("seed")
    print(
        f"{LEARNERS[options.learner].title} on {GAMES[options.game].title}, return of an episode"
    )
    print("(training: mean of the last 100; the others: mean of the test episodes)")
    print(table.round(3).to_string())
    return 0


def _tune(options: argparse.Namespace) -> int:
    check_name("game", options.game, GAMES)
    check_name("learner", options.learner, LEARNERS)
    _check_jobs(options.jobs)

    from tqdm import tqdm

    from svnr.experiments.tune import StudySpec, finished_trials, open_study, tune
    from svnr.report.tables import trials

    spec = StudySpec(
        game=options.game,
        learner=options.learner,
        n_trials=options.trials,
        n_seeds=options.seeds,
        n_episodes=options.episodes,
    )
    folder = Path(options.output)
    done = len(finished_trials(open_study(spec, folder)))
    with tqdm(initial=done, total=max(done, spec.n_trials), desc="trials", disable=None) as bar:
        study = tune(spec, folder, options.jobs, bar.update)
    print(f"{LEARNERS[options.learner].title} on {GAMES[options.game].title}: the best trials")
    print(trials(study).head(5).to_string(index=False))
    return 0


def _setting(text: str) -> tuple[str, Any]:
    """`name=value` as a pair; a value that is no Python literal is text."""
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"set must be NAME=VALUE, got {text!r}")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value


def _check_jobs(jobs: int) -> None:
    if jobs < 1:
        raise ValueError(f"jobs must be at least 1, got {jobs}")


def _check_kinds(learner: str, overrides: dict[str, Any]) -> None:
    """Refuse text where a setting is a number, and a number where it is a tuple."""
    settings = learner_settings(learner)
    kinds: dict[type, tuple[type, ...]] = {int: (int,), float: (int, float), tuple: (tuple,)}
    for name, value in overrides.items():
        check_name("setting", name, vars(settings))
        example = getattr(settings, name)
        kind = kinds.get(type(example))
        if kind and (isinstance(value, bool) or not isinstance(value, kind)):
            raise ValueError(f"{name} must be of the kind of {example!r}, got {value!r}")


def _notebooks(options: argparse.Namespace) -> int:
    root = repository_root()
    names = _notebook_names(root, options.only)

    from svnr.report.notebooks import rebuild

    outcomes = [
        rebuild(root, name, title=f"[{count}/{len(names)}] {name}")
        for count, name in enumerate(names, 1)
    ]
    return _report(outcomes, root, {})


def _reproduce(options: argparse.Namespace) -> int:
    check_name("scale", options.scale, SCALES)
    _check_jobs(options.jobs)
    root = repository_root()
    names = _notebook_names(root, options.only)
    output = _output(root, options.scale, options.output)
    if not options.only:
        names = _with_preset(root, names, options.scale)
    plan = _plan(root, names, options.scale, output, options.jobs)

    from svnr.report.notebooks import execute

    executed = root / (output or "build/paper") / "notebooks"
    started = time.time()
    outcomes = []
    for count, (name, (notebook, given, timeout)) in enumerate(plan.items(), 1):
        title = f"[{count}/{len(plan)}] {name}"
        path = executed / f"{name}.ipynb"
        outcomes.append(execute(name, notebook, given, path, root, timeout, title))
    status = _report(outcomes, root, _made(root / output / "figures", names, started))
    print(f"\nexecuted notebooks: {executed.relative_to(root)}")
    return status


def _output(root: Path, scale: str, asked: str | None) -> str:
    """The folder for what is made, as a path below the repository; empty for the repository."""
    if asked is None:
        return "" if scale == "paper" else f"build/{scale}"
    folder = (root / asked).resolve()
    if not folder.is_relative_to(root):
        raise ValueError(f"output must be a folder below {root}, got {asked!r}")
    if folder == root and scale != "paper":
        raise ValueError(f"output must not be the repository itself at {scale} scale")
    return "" if folder == root else folder.relative_to(root).as_posix()


def _with_preset(root: Path, names: Sequence[str], scale: str) -> list[str]:
    """The notebooks that have numbers at a scale; the others are named and left out."""
    from svnr.report.notebooks import presets

    preset = presets(root, scale)
    left_out = [name for name in names if name not in preset]
    if left_out:
        print(
            f"svnr: left out, no preset at {scale} scale: {', '.join(left_out)}", file=sys.stderr
        )
    if len(left_out) == len(names):
        raise ValueError(f"no notebook of {root} has a preset at {scale} scale")
    return [name for name in names if name in preset]


def _plan(
    root: Path, names: Sequence[str], scale: str, output: str, jobs: int
) -> dict[str, "tuple[NotebookNode, dict[str, Any], int]"]:
    """Each notebook with its parameters and timeout, all checked before anything is run."""
    from svnr.report.notebooks import check_parameters, from_source, parameters, presets, sources

    paths, preset, plan = sources(root), presets(root, scale), {}
    for name in names:
        check_name(f"a notebook at {scale} scale", name, preset)
        notebook = from_source(paths[name])
        known = parameters(notebook)
        common = {"scale": scale, "output": output, "n_jobs": jobs}
        given = {key: value for key, value in common.items() if key in known}
        given |= preset[name].get("parameters") or {}
        check_parameters(notebook, given)
        plan[name] = (notebook, given, int(preset[name].get("timeout", 3600)))
    return plan


def _made(folder: Path, names: Sequence[str], since: float) -> dict[str, dict[str, Any]]:
    """The manifest's entries that these notebooks wrote since a moment."""
    path = folder / "manifest.json"
    if not path.exists():
        return {}
    manifest = json.loads(path.read_text(encoding="utf-8"))
    return {
        str(folder / file): entry
        for file, entry in manifest.items()
        if entry["notebook"] in names
        and (folder / file).exists()
        and (folder / file).stat().st_mtime >= since - 1
    }


def _report(outcomes: "list[Outcome]", root: Path, made: dict[str, dict[str, Any]]) -> int:
    """Print the summary; returns 1 if a notebook failed, else 0."""
    print("\nnotebook                        minutes")
    for outcome in outcomes:
        state = f"FAILED in {outcome.error}" if outcome.error else ""
        print(f"  {outcome.name:<30} {outcome.seconds / 60:6.1f}  {state}".rstrip())
    print(f"  {'in all':<30} {sum(outcome.seconds for outcome in outcomes) / 60:6.1f}")
    if made:
        print("\nfigures and tables")
    for file, entry in made.items():
        print(f"  {entry['label']}: {Path(file).relative_to(root)}")
        if entry["note"]:
            print(f"      {entry['note']}")
    failed = [outcome.name for outcome in outcomes if outcome.error]
    if failed:
        print(f"\n{len(failed)} of {len(outcomes)} notebooks failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
