"""What lies at a place that a text names: `package.module:name` or `path/to/file.py:name`."""

import ast
import hashlib
import importlib.util
import sys
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from svnr.checks import check_one_of


def source_hash(name: str) -> str:
    """A hash of the file that makes a game named by its place, and of what that is told.

    It is empty for the games of this package, which say their rules and versions themselves.
    """
    where, colon, _ = name.partition(":")
    if not colon or where.split(".")[0] == "svnr":
        return ""
    make = maker(name)  # which says what is wrong with the name
    file = where if where.endswith(".py") else sys.modules[where].__file__ or ""
    text = Path(file).read_bytes() + repr(sorted(make.keywords.items())).encode()
    return hashlib.sha256(text).hexdigest()[:10]


def located(place: str) -> Any:
    """What lies at `package.module:name` or `path/to/file.py:name`.

    Raises:
        ValueError: if there is no such module or file, or nothing of that name in it.
    """
    where, _, name = place.partition(":")
    try:
        own = Path(where).parent if where.endswith(".py") else Path()
        if not where.startswith("svnr.") and (beside := str(own.resolve())) not in sys.path:
            sys.path.append(beside)  # what lies there may be imported
        module = _loaded(Path(where)) if where.endswith(".py") else import_module(where)
    except (ImportError, OSError, TypeError) as error:  # the latter for "./my_game"
        raise ValueError(f"game must name a module or a file, got {place!r}: {error}") from error
    if not hasattr(module, name):
        known = [n for n, made in vars(module).items() if callable(made) and n[0] != "_"]
        if where.endswith(".py"):
            check_one_of(f"what {where} makes", name, known)
        raise ValueError(f"game must name something in {where}, got {place!r}")
    return getattr(module, name)


def _loaded(path: Path) -> Any:
    """The module of a file, loaded once for each content it had."""
    name = f"{path.stem}_{hashlib.sha256(path.read_bytes()).hexdigest()[:10]}"
    if name not in sys.modules:
        found = importlib.util.spec_from_file_location(name, path)
        assert found is not None and found.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(found)
        try:
            found.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]  # or a second try would find what was half loaded
            raise
    return sys.modules[name]


def maker(name: str) -> "partial[Any]":
    """`module:factory(argument=value, …)` as a function without arguments."""
    place, bracket, rest = name.partition("(")
    try:
        call = ast.parse(f"f{bracket}{rest}" if bracket else "f()", mode="eval").body
        assert isinstance(call, ast.Call) and not call.args
        arguments = {str(each.arg): ast.literal_eval(each.value) for each in call.keywords}
    except (SyntaxError, ValueError, AssertionError) as error:
        raise ValueError(f"game must have literal arguments by name, got {name!r}") from error
    make = located(place)
    if not callable(make):
        raise ValueError(f"game must name what makes one, got {name!r}, which is {make!r}")
    return partial(make, **arguments)
