import pytest

NOTEBOOK = """# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% tags=["parameters"]
answer: int = 42  # of everything
n_jobs: int = 2  # processes side by side

# %% [markdown]
# A paragraph.

# %%
{code}
"""


@pytest.fixture
def repository(tmp_path):
    """A repository of three tiny notebooks, the first of which fails."""
    (tmp_path / "pyproject.toml").touch()
    presets = tmp_path / "notebooks" / "presets"
    presets.mkdir(parents=True)
    codes = {
        "01_broken": "first = 1\nraise RuntimeError('no luck')",
        "02_whole": "print(answer)",
        "03_last": "print(n_jobs)",
    }
    for name, code in codes.items():
        source = tmp_path / "notebooks" / f"{name}.py"
        source.write_text(NOTEBOOK.format(code=code), encoding="utf-8")
    lines = [
        "03_last: {timeout: 60, after: [02_whole], parameters: {}}",
        "01_broken: {timeout: 60, parameters: {answer: 7}}",
        "02_whole: {timeout: 60, parameters: {answer: 7}}",
    ]
    for scale in ("smoke", "quick", "paper"):
        text = "\n".join(lines).replace(
            "answer: 7", "answer: 42" if scale == "paper" else "answer: 7"
        )
        (presets / f"{scale}.yaml").write_text(text, encoding="utf-8")
    return tmp_path
