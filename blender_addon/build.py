"""Zip the extension: python -m blender_addon.build [--output DIR]

Blender wants the manifest and the add-on package at the zip's root; `gsmooth_core` goes inside,
with its weights. What is packed is a list of what belongs: whatever else lies in the checkout
stays there. Runs without Blender.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

from blender_addon.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
_GRAPHS = "gsmooth_core/networks/graphs"
_NOT_SHIPPED = ("build.py", "demo.py")
_NAME = re.compile(r"[a-z_][a-z0-9_]*")  # backups and copies have dots, blanks, capitals
_EPOCH = (1980, 1, 1, 0, 0, 0)


def belonging() -> Iterator[tuple[Path, Path]]:
    """Pairs of a file of the checkout that belongs to the extension, and its place there.

    Raises:
        UserError: one of them is missing, a link, or no file.
    """
    addon, core = ROOT / "blender_addon", ROOT / "gsmooth_core"
    for name in ("blender_manifest.toml", "LICENSE"):
        yield _ordinary(ROOT / name), Path(name)
    for path in modules(addon):
        if path.name not in _NOT_SHIPPED:
            yield path, path.relative_to(addon)
    for path in modules(core):
        yield path, path.relative_to(ROOT)
    for name in weights(core / "models" / "registry.py"):
        yield _ordinary(core / "weights" / name), Path("gsmooth_core", "weights", name)
    for name in graphs(core / "networks" / "graphs"):
        yield _ordinary(core / "networks" / "graphs" / name), Path(_GRAPHS, name)


def modules(package: Path) -> Iterator[Path]:
    """The Python files of a package and of the packages in it, by the names that ours have.

    Raises:
        UserError: one of them is a link, or no file.
    """
    yield _ordinary(package / "__init__.py")
    for path in sorted(package.iterdir()):
        if not _NAME.fullmatch(path.stem) or path.name == "__init__.py":
            continue
        if path.suffix == ".py":
            yield _ordinary(path)
        elif not path.suffix and (path / "__init__.py").exists():
            yield from modules(path)


def weights(models: Path) -> Iterator[str]:
    """Names of the model files that come with GSmooth, and of their cards.

    The list in `models/registry.py` is read, not imported: the builder needs none of its packages.
    """
    for node in ast.walk(ast.parse(models.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or ast.unparse(node.func) != "ModelFile":
            continue
        values = {key.arg: key.value for key in node.keywords}
        if "shipped" not in values or ast.literal_eval(values["shipped"]):
            name = ast.literal_eval(values.get("filename") or node.args[1])
            yield from (name, Path(name).with_suffix(".md").name)


def graphs(folder: Path) -> Iterator[str]:
    """Names of the files of the networks' graphs, as their index has them, and of the index."""
    yield "index.json"
    index = json.loads(_ordinary(folder / "index.json").read_text(encoding="utf-8"))
    yield from (f"{model}.{name}.onnx" for model in index for name in index[model]["graphs"])


def _ordinary(path: Path) -> Path:
    """The path, when it is a file of the checkout itself."""
    for part in (path, *path.parents):
        if part == ROOT:
            break
        if part.is_symlink():
            raise UserError(f"'{part}' is a link: put the file itself there, or take it away.")
    if not path.is_file():
        raise UserError(f"'{path}' belongs to the extension, and is no file: check it out again.")
    return path


def build(output: Path) -> Path:
    """Make `gsmooth-VERSION.zip` in `output`; the same sources give the same bytes.

    Returns:
        path of the zip.

    Raises:
        UserError: something that belongs to the extension is missing or a link.
    """
    contents = {place.as_posix(): source.read_bytes() for source, place in belonging()}
    project = tomllib.loads(_ordinary(ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = project["project"]
    contents["requirements.txt"] = "\n".join(project["dependencies"]).encode()
    for name, extra in (("cuda", "torch"), ("words", "words")):
        packages = project["optional-dependencies"][extra]
        contents[f"requirements-{name}.txt"] = "\n".join(packages).encode()
    manifest = tomllib.loads(contents["blender_manifest.toml"].decode())
    target = output / f"{manifest['id']}-{manifest['version']}.zip"
    output.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    with zipfile.ZipFile(target, "x") as file:
        for place in sorted(contents):
            info = zipfile.ZipInfo(place, _EPOCH)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            file.writestr(info, contents[place])
    return target


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m blender_addon.build", description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "dist", metavar="DIR")
    try:
        path = build(parser.parse_args().output)
    except (UserError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{path} ({path.stat().st_size / 1e6:.1f} MB)\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
