"""Stage and zip the extension: python -m blender_addon.build [--output DIR]

Blender wants the manifest and the add-on package at the zip's root; `gsmooth_core` goes inside,
with its weights. Runs without Blender.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

from blender_addon.installer import requirements

ROOT = Path(__file__).resolve().parent.parent
_NOT_SHIPPED = ("build.py", "demo.py")
_ENDINGS = {".py", ".safetensors", ".task", ".md", ".json", ".txt", ".onnx"}
_EPOCH = (1980, 1, 1, 0, 0, 0)


def _sources() -> Iterator[tuple[Path, Path]]:
    """Pairs of a file of the checkout and its place in the extension."""
    yield ROOT / "blender_manifest.toml", Path("blender_manifest.toml")
    yield ROOT / "LICENSE", Path("LICENSE")
    addon, core = ROOT / "blender_addon", ROOT / "gsmooth_core"
    for path in sorted(addon.rglob("*.py")):
        if path.name not in _NOT_SHIPPED:
            yield path, path.relative_to(addon)
    for path in sorted(core.rglob("*")):
        if path.is_file() and path.suffix in _ENDINGS and "__pycache__" not in path.parts:
            yield path, path.relative_to(ROOT)


def stage(folder: Path) -> list[Path]:
    """Copy everything that the extension holds into an empty `folder`.

    Returns:
        the places, relative to `folder`.
    """
    places = [Path("requirements.txt")]
    folder.mkdir(parents=True)
    (folder / places[0]).write_text("\n".join(requirements()), encoding="utf-8")
    for source, place in _sources():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, folder / place)
        places.append(place)
    return sorted(places)


def build(output: Path) -> Path:
    """Make `gsmooth-VERSION.zip` in `output`; the same sources give the same bytes.

    Returns:
        path of the zip.
    """
    manifest = tomllib.loads((ROOT / "blender_manifest.toml").read_text(encoding="utf-8"))
    staged = output / "staged"
    if staged.exists():
        shutil.rmtree(staged)
    places = stage(staged)
    target = output / f"{manifest['id']}-{manifest['version']}.zip"
    with zipfile.ZipFile(target, "w") as file:
        for place in places:
            info = zipfile.ZipInfo(place.as_posix(), _EPOCH)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            file.writestr(info, (staged / place).read_bytes())
    shutil.rmtree(staged)
    return target


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m blender_addon.build", description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "dist", metavar="DIR")
    path = build(parser.parse_args().output)
    sys.stdout.write(f"{path} ({path.stat().st_size / 1e6:.1f} MB)\n")


if __name__ == "__main__":
    main()
