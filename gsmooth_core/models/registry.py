"""The one door through which models come: name, hash, licence, and where the file may be.

A model is looked for in the folders named by GSMOOTH_MODELS, then in the user's own model
folder, then in this package. Nothing is downloaded. A file is hashed before its first use in
a process, and again when it was replaced. Where it is not the file that comes with GSmooth, the
package's own is refused as damaged; one that the user put there is used, and said to be foreign.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import platformdirs

from gsmooth_core.errors import ModelError
from gsmooth_core.storage.files import check_file, hash_file, is_there, shown

log = logging.getLogger(__name__)

PACKAGE_WEIGHTS = Path(__file__).parent.parent / "weights"

Known = Literal["matches", "foreign", "unknown hash", "missing", "damaged"]


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
        folder: whether it is a folder of files.
    """

    name: str
    filename: str
    licence: str
    purpose: str
    sha256: str = ""
    shipped: bool = True
    folder: bool = False


@dataclass(frozen=True)
class ModelState:
    """What is there of a model.

    Attributes:
        model: which one.
        path: where it was found; None where it is missing.
        sha256: of the file; empty where there is none, and for folders.
        known: how it compares with the one that comes with GSmooth: "matches" is said of files
            that were compared alone; "foreign" can be used, "damaged" cannot.
        problem: why it cannot be used.
        hint: what to do about that.
    """

    model: ModelFile
    path: Path | None
    sha256: str
    known: Known
    problem: str = ""
    hint: str = ""

    @property
    def usable(self) -> bool:
        """Whether the model can be used, as far as the outside of its file tells."""
        return self.known not in ("missing", "damaged")

    def to_json(self) -> dict[str, Any]:
        """The state as a JSON object."""
        return {
            "name": self.model.name,
            "purpose": self.model.purpose,
            "licence": self.model.licence,
            "shipped": self.model.shipped,
            "path": str(self.path) if self.path else None,
            "sha256": self.sha256 or None,
            "known": self.known,
        }


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
            "1726b09080265afe3ac9ed19223af9cab78bbe2e7a0fa12cfe12b3afd4eda924",
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
            "82429eed6caf3fe033b09426a71290bf442a9b55de9188e8a4466201eda03b55",
        ),
        ModelFile(
            "sync",
            "sync.safetensors",
            "GPL-3.0-or-later",
            "do lips and sound fit",
            "775da5ea14db4dae6446401767e4003b51b3b2ac92c090f4ff1bed29707b1e18",
        ),
        ModelFile(
            "recognise",
            "recognise.safetensors",
            "CC0-1.0",
            "tells people apart",
            "0b79b253fb607af0ed11ddb73a884a2b9344ecd7896eff14a318269d91978fe5",
        ),
        ModelFile(
            "selfie_segmentation",
            "selfie_segmentation.tflite",
            "Apache-2.0",
            "parts a person from the background",
            "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
        ),
        ModelFile(
            "palm_detection",
            "palm_detection.tflite",
            "Apache-2.0",
            "finds palms of hands",
            "e9a4aaddf90dda56a87235303cf00e4c2d3fb28725f68fd88772997dac905c18",
        ),
        ModelFile(
            "hand_landmarks",
            "hand_landmarks.tflite",
            "Apache-2.0",
            "finds the landmarks of a hand",
            "048edd3645c9bf7397d19a9f6e3a42957d6e414c9bea6598030a2e9b624156e6",
        ),
        ModelFile(
            "motion",
            "motion.safetensors",
            "GPL-3.0-or-later",
            "how heads move in speech",
            "317847bcf17ce075b1e5ab2dc9fe6081ea2e10e7e4bdf82a57ad842c2c2b3efc",
        ),
        ModelFile(
            "bfm", "BFM_model_front.mat", "BFM licence", "Basel Face Model 2009", shipped=False
        ),
        ModelFile(
            "rnet", "epoch_20.pth", "research only", "Deep3DFaceRecon regressor", shipped=False
        ),
        ModelFile(
            "wav2vec2",
            "wav2vec2-base",
            "Apache-2.0",
            "speech encoder of the paper",
            shipped=False,
            folder=True,
        ),
        ModelFile(
            "whisper",
            "whisper-base",
            "MIT",
            "recognises words, instead of the package's",
            shipped=False,
            folder=True,
        ),
    )
}


def model_folders() -> list[Path]:
    """Folders in which models are looked for, first match wins."""
    chosen = [Path(p) for p in os.environ.get("GSMOOTH_MODELS", "").split(os.pathsep) if p]
    return [*dict.fromkeys([*chosen, *_own_folders(), PACKAGE_WEIGHTS])]


def _own_folders() -> list[Path]:
    """The user's own, by the system's rules and where earlier versions looked; without a home none.

    On Linux the two are one.
    """
    bases = []
    with suppress(RuntimeError):  # there is no home
        bases.append(platformdirs.user_data_path(appauthor=False))
    before = os.environ.get("XDG_DATA_HOME") or os.environ.get("APPDATA") or "~/.local/share"
    bases.append(Path(os.path.expanduser(before)))  # noqa: PTH111  # leaves ~ without a home
    return [base / "gsmooth" / "models" for base in bases if base.is_absolute()]


def find(name: str) -> Path | None:
    """Path of model `name`, or None when no folder has it; what is there may be unusable."""
    candidates = (folder / MODELS[name].filename for folder in model_folders())
    return next((path for path in candidates if os.path.lexists(path)), None)


def examine(name: str) -> ModelState:
    """What there is of model `name`, compared with the hash of the one that GSmooth comes with."""
    model, path = MODELS[name], find(name)
    if path is None:
        text = f"The model '{model.filename}' ({model.purpose}) is missing."
        return ModelState(model, None, "", "missing", text, _where(model))
    try:
        digest = _digest(model, path)
    except ModelError as error:
        return ModelState(model, path, "", "damaged", error.message, _remedy(path))
    if not model.sha256:
        return ModelState(model, path, digest, "unknown hash")
    if digest == model.sha256:
        return ModelState(model, path, digest, "matches")
    if path.parent == PACKAGE_WEIGHTS:
        text = f"The model '{model.filename}' is damaged."
        return ModelState(model, path, digest, "damaged", text, _remedy(path))
    return ModelState(model, path, digest, "foreign")


def _where(model: ModelFile) -> str:
    if model.shipped:
        return "Reinstall GSmooth."
    place = model_folders()[0]
    if place == PACKAGE_WEIGHTS:
        return "Put it into a folder, and name the folder in GSMOOTH_MODELS."
    return f"Put it into '{place}'."


def _remedy(path: Path) -> str:
    if path.parent == PACKAGE_WEIGHTS:
        return "Reinstall GSmooth."
    return "Replace it, or take it away from there."


def locate(name: str) -> Path:
    """Path of model `name`, looked at from outside and compared with its hash.

    Raises:
        ModelError: it is nowhere, or the package's own is damaged, or what is in its place is
            no file that can be read.
    """
    return _usable(examine(name))


def resolve(name_or_path: str | Path) -> Path:
    """The file of a model of `MODELS` by its name, or a file of the user's own.

    Raises:
        ModelError: there is no such file.
    """
    if str(name_or_path) in MODELS:
        return locate(str(name_or_path))
    path = Path(name_or_path)
    if not is_there(path):
        hint = "Give a file, or a name that `gsmooth models` lists."
        raise ModelError(f"The model '{shown(path)}' is missing.", hint)
    return path


def verify() -> tuple[ModelState, ...]:
    """The states of all models.

    Raises:
        ModelError: one that comes with GSmooth is missing, or one that is there is damaged.
    """
    states = tuple(examine(name) for name in MODELS)
    for state in states:
        if state.model.shipped or state.path is not None:
            _usable(state)
    return states


def _usable(state: ModelState) -> Path:
    if state.path is None or not state.usable:
        raise ModelError(state.problem, state.hint)
    if state.known == "foreign":
        _say_foreign(state.path, state.sha256)
    return state.path


@lru_cache(maxsize=64)  # so each file is spoken of once
def _say_foreign(path: Path, digest: str) -> None:
    log.warning("'%s' (sha256 %s) is not the one that comes with GSmooth.", path, digest[:12])


def stamp(path: Path) -> tuple[int, int, int]:
    """What changes when a file is replaced: its size, time of change and number on the disk.

    Raises:
        ModelError: it is no file that can be read.
    """
    status = check_file(path, ModelError)
    return status.st_size, status.st_mtime_ns, status.st_ino


def _digest(model: ModelFile, path: Path) -> str:
    if not model.folder:
        return _sha256(path, stamp(path))
    if not path.is_dir():
        raise ModelError(f"The model '{path}' is not a folder.", "")
    return ""


@lru_cache(maxsize=64)
def _sha256(path: Path, stamp: tuple[int, int, int]) -> str:
    try:
        return hash_file(path)
    except OSError as error:
        raise ModelError(f"'{path}' cannot be read: {error.strerror}.", "") from error
