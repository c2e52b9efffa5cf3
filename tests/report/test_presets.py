import pytest

from svnr.report.presets import annotated_values, check_parameters, defaults_of, presets


@pytest.fixture
def preset(tmp_path):
    """The preset of a repository in `tmp_path`."""
    path = tmp_path / "notebooks" / "presets" / "quick.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("03_last: {timeout: 60}\n01_broken: {timeout: 60}\n", encoding="utf-8")
    return path


def test_presets_keep_the_order_in_which_notebooks_are_begun(preset, tmp_path):
    assert list(presets(tmp_path, "quick")) == ["03_last", "01_broken"]


def test_an_unknown_scale_is_refused(preset, tmp_path):
    with pytest.raises(ValueError, match="scale must be one of smoke, quick, paper, got 'fast'"):
        presets(tmp_path, "fast")


@pytest.mark.parametrize("text", ["", "- 01_broken", "01_broken: 5", "a: {b: [", "a: b: c"])
def test_a_preset_of_another_form_is_refused_by_its_name(preset, tmp_path, text):
    preset.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"quick\.yaml must "):
        presets(tmp_path, "quick")


DEFAULTS = annotated_values(
    "n_seeds: int = 5  # runs\nn_more: int = 0\nrate: float = 0.5\nshapes: list = [[2, 2]]\n"
    "scale: str = 'paper'\nfast: bool = False"
)


def test_of_a_notebook_the_cell_of_parameters_alone_is_read(tmp_path):
    source = tmp_path / "notebooks" / "01_tiny.py"
    source.parent.mkdir()
    cell = '# %% tags=["parameters"]\nn_seeds: int = 5  # runs\nscale: str = "paper"\n'
    source.write_text(f"# Title.\n\n{cell}\n# %%\nother: int = 1\n", encoding="utf-8")
    assert defaults_of(tmp_path, "01_tiny") == {"n_seeds": 5, "scale": "paper"}
    assert defaults_of(tmp_path, "02_other") == {}


def test_defaults_are_read_as_what_they_are():
    assert DEFAULTS == {
        "n_seeds": 5, "n_more": 0, "rate": 0.5, "shapes": [[2, 2]], "scale": "paper", "fast": False
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"n_seed": 1}, r"parameter must be one of n_seeds, .*, got 'n_seed' \(did you mean"),
        ({"n_seeds": "5"}, "n_seeds must be a whole number of at least 1, got '5'"),
        ({"n_seeds": 0}, "n_seeds must be a whole number of at least 1, got 0"),
        ({"n_more": -1}, "n_more must be a whole number of at least 0, got -1"),
        ({"rate": "fast"}, "rate must be a finite number, got 'fast'"),
        ({"shapes": "[[2, 2]]"}, r"shapes must be a list such as \[\[2, 2\]\], got '"),
        ({"scale": 1}, "scale must be text, got 1"),
        ({"fast": 1}, "fast must be True or False, got 1"),
    ],
)
def test_a_parameter_of_another_name_or_kind_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        check_parameters(DEFAULTS, given)


def test_parameters_of_their_kind_pass():
    check_parameters(
        DEFAULTS, {"n_seeds": 1, "n_more": 0, "rate": 1, "shapes": [[3]], "fast": True}
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rate": 0.0}, r"rate must be a number in \(0, inf\], got 0.0"),
        ({"rate": float("nan")}, "rate must be a finite number, got nan"),
        ({"shapes": []}, "shapes must be a list such as"),
        ({"shapes": [2, 2]}, r"shapes\[0\] must be a list such as \[2, 2\], got 2"),
        ({"shapes": [[2, 0]]}, r"shapes\[0\]\[1\] must be a whole number of at least 1, got 0"),
        ({"shapes": [["2"]]}, r"shapes\[0\]\[0\] must be a whole number of at least 1, got '2'"),
    ],
)
def test_a_parameter_out_of_range_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        check_parameters(DEFAULTS, given)
