"""The walls between the rooms: who imports whom."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STANDARD = sys.stdlib_module_names | {"__future__"}
BLENDER = {"bpy", "bpy_extras", "mathutils", "addon_utils"}


def files_of(room):
    found = sorted((ROOT / room).rglob("*.py"))
    assert found, f"no file in {room}"
    return found


def imports_of(path):
    """Top-level package of every absolute import anywhere in a file, with its line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield str(node.module).split(".")[0], node.lineno


def offenders(room, forbidden):
    return [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in files_of(room)
        for name, line in imports_of(path)
        if forbidden(path, name)
    ]


def test_core_knows_no_blender():
    assert not offenders("gsmooth_core", lambda _path, name: name in BLENDER | {"blender_addon"})


def test_nobody_imports_training():
    for room in ("gsmooth_core", "blender_addon"):
        assert not offenders(room, lambda _path, name: name == "training")


def test_add_on_needs_blender_and_the_standard_library_alone():
    """Two files are not part of the extension: the builder, and the demo with its packages."""
    outside = {"demo.py": {"blender_addon", "hibari", "skimage"}}
    outside["build.py"] = {"blender_addon"}

    def forbidden(path, name):
        return name not in STANDARD | BLENDER | outside.get(path.name, set())

    assert not offenders("blender_addon", forbidden)


def test_installed_add_on_finds_itself_under_any_name():
    """An extension's package is called bl_ext.<repository>.gsmooth: relative imports only."""
    own = {path.stem for path in files_of("blender_addon")} | {"blender_addon", "gsmooth_core"}

    def forbidden(path, name):
        return name in own and path.name not in ("build.py", "demo.py")

    assert not offenders("blender_addon", forbidden)


@pytest.mark.parametrize("room", ["gsmooth_core", "blender_addon", "training"])
def test_rooms_hold_no_unreasonable_file(room):
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in files_of(room)}
    assert not [str(path) for path, lines in lengths.items() if lines > 400]


def targets_of(module, modules):
    """Modules of ours that one imports, anywhere; the public API names all for the type checker."""
    path = modules[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for block in [n for n in ast.walk(tree) if isinstance(n, ast.If)]:
        if module == "gsmooth_core" and ast.unparse(block.test) == "TYPE_CHECKING":
            block.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = ".".join(package.split(".")[: 1 - node.level or None]) if node.level else ""
            base = ".".join(filter(None, [above, node.module]))
            names = [f"{base}.{alias.name}" for alias in node.names]
            yield from (name if name in modules else base for name in names)


def test_no_modules_import_each_other_in_a_circle():
    modules = {}
    for room in ("gsmooth_core", "blender_addon", "training"):
        for path in files_of(room):
            parts = path.relative_to(ROOT).with_suffix("").parts
            modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    graph = {
        module: {
            target
            for target in targets_of(module, modules)
            if target in modules and target != module and not module.startswith(f"{target}.")
        }
        for module in modules
    }
    assert sum(len(targets) for targets in graph.values()) > 500
    list(graphlib.TopologicalSorter(graph).static_order())  # a CycleError names the circle


def test_package_import_is_light():
    """Blender imports the add-on at start-up: nothing heavy may come with it."""
    script = "import sys, blender_addon; print([m for m in ('bpy', 'numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
