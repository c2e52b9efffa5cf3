"""An extension of Jupyter's server: a notebook that is opened and saved stays as it was.

JupyterLab writes into every notebook it opens which Python its kernel is, to the last digit. The
committed ones do not say it, and leave readers with another Python a clean checkout.
"""

from typing import Any


def leave_out_the_python(model: dict[str, Any], **_: Any) -> None:
    """Take out of a notebook of this project, before it is saved, what its kernel is."""
    if model["type"] == "notebook" and "svnr" in (metadata := model["content"]["metadata"]):
        metadata.pop("language_info", None)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(app: Any) -> None:
    app.contents_manager.register_pre_save_hook(leave_out_the_python)
