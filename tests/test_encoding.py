"""Every text file is read and written as UTF-8, whatever the machine's own letters are."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CODE = [*(ROOT / "src").rglob("*.py"), *(ROOT / "benchmarks").glob("*.py")]
TEXT = {"read_text", "write_text", "open", "to_csv", "read_csv", "fdopen", "TextIOWrapper"}


def unsaid(code):
    """The lines of calls that take a text's encoding from the machine."""
    found = []
    for call in (node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)):
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        place = ast.unparse(call.func)
        said = {key.arg for key in call.keywords}
        values = [*call.args, *(key.value for key in call.keywords)]
        binary = any(isinstance(v, ast.Constant) and str(v.value).endswith("b") for v in values)
        ours = place in {"write_text", "os.open", "Image.open"}  # UTF-8 always, or no text
        if name in TEXT and "encoding" not in said and not binary and not ours:
            found.append(f"{call.lineno}: {place}")
    return found


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_text_is_opened_in_the_machines_own_encoding(path):
    assert unsaid(path.read_text(encoding="utf-8")) == []


def test_what_is_unsaid_is_found():
    assert unsaid("path.read_text()\nopen('x', 'w')\ntable.to_csv(path)") == [
        "1: path.read_text",
        "2: open",
        "3: table.to_csv",
    ]
    assert unsaid("path.open('wb')\nopen('x', encoding='utf-8')") == []
