"""The one door through which models come: name, hash, licence, and where the file may be.

A model is looked for in the folder named by GSMOOTH_MODELS, then in the user's own model
folder, then in this package. Nothing is downloaded. A file is hashed before its first use in
a process, when its hash is known.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from gsmooth_core.errors import ModelError

PACKAGE_WEIGHTS = Path(__file__).parent / "weights"


@dataclass(frozen=True)
class ModelFile:
    """One model file that GSmooth can use.

    Attributes:
        name: how the code asks for it.
        filename: its file name in a model folder.
        licence: SPDX id, or what is known.
        purpose: what it is for, in a person's words.
        sha256: of the shipped file; empty for files that users bring.
        shipped: whether it comes with GSmooth.
    """

    name: str
    filename: str
    licence: str
    purpose: str
    sha256: str = ""
    shipped: bool = True


MODELS: dict[str, ModelFile] = {
    model.name: model
    for model in (
        ModelFile(
            "face_landmarker",
            "face_landmarker.task",
            "Apache-2.0",
            "finds the face and its 478 landmarks",
            "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
        ),
        ModelFile(
            "face_model",
            "face_model.safetensors",
            "CC0-1.0",
            "the 3D face",
            "d8f1e1b371debd72877d8d29fe767d44f13ae8fc403bd814f7b5cfc97028c733",
        ),
        ModelFile(
            "a2ep",
            "a2ep.safetensors",
            "GPL-3.0-or-later",
            "speech to expression",
            "9f6c5724c19ee6748ee2188fad50a64c38a6c693b37049566e79453b26bc750e",
        ),
        ModelFile(
            "taft",
            "taft.safetensors",
            "GPL-3.0-or-later",
            "blended face to photo",
            "1f366fd5a0d5842842d494631bb3ed195b0e33ac123c8243967df0db5295a9af",
        ),
        ModelFile(
            "sync",
            "sync.safetensors",
            "GPL-3.0-or-later",
            "do lips and sound fit",
            "775da5ea14db4dae6446401767e4003b51b3b2ac92c090f4ff1bed29707b1e18",
        ),
        ModelFile(
            "bfm", "BFM_model_front.mat", "BFM licence", "Basel Face Model 2009", shipped=False
        ),
        ModelFile(
            "rnet", "epoch_20.pth", "research only", "Deep3DFaceRecon regressor", shipped=False
        ),
        ModelFile(
            "wav2vec2", "wav2vec2-base", "Apache-2.0", "speech encoder of the paper", shipped=False
        ),
    )
}


def model_folders() -> list[Path]:
    """Folders in which models are looked for, first match wins."""
    folders = [Path(p) for p in os.environ.get("GSMOOTH_MODELS", "").split(os.pathsep) if p]
    base = os.environ.get("XDG_DATA_HOME") or os.environ.get("APPDATA") or "~/.local/share"
    return [*folders, Path(base).expanduser() / "gsmooth" / "models", PACKAGE_WEIGHTS]


def find(name: str) -> Path | None:
    """Path of model `name`, or None when no folder has it."""
    candidates = (folder / MODELS[name].filename for folder in model_folders())
    return next((path for path in candidates if path.exists()), None)


def locate(name: str) -> Path:
    """Path of model `name`, checked against its hash when it is one of ours.

    Raises:
        ModelError: it is nowhere, or the shipped file is damaged.
    """
    path = find(name)
    model = MODELS[name]
    if path is None:
        where = "Reinstall GSmooth." if model.shipped else f"Put it into '{model_folders()[0]}'."
        raise ModelError(f"The model '{model.filename}' ({model.purpose}) is missing.", where)
    if model.sha256 and path.parent == PACKAGE_WEIGHTS and _sha256(path) != model.sha256:
        raise ModelError(f"The model '{model.filename}' is damaged.", "Reinstall GSmooth.")
    return path


@cache
def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
