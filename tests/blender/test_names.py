"""The README's names are those on the buttons."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

import blender_addon  # noqa: E402
from blender_addon import operators, panels, preferences  # noqa: E402
from blender_addon.panels import settings_panel  # noqa: E402
from blender_addon.settings import properties  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
BLENDERS = {"Preferences", "Get Extensions", "Install from Disk", "Add-ons", "GSmooth"}


def named_in_the_readme():
    text = (ROOT / "README.md").read_text("utf-8")
    section = text[text.index("## In Blender") : text.index("## On the command line")]
    marked = re.findall(r"(?<![*\w])\*([^*]+)\*(?![*\w])", section)
    return {" ".join(part.split()) for words in marked for part in words.split(" > ")}


def shown():
    """Labels of buttons, panels, settings and their choices, and what panels write themselves."""
    names = {cls.bl_label for cls in (*operators.CLASSES, *panels.CLASSES)}
    owners = (*properties.CLASSES, *preferences.CLASSES)
    for prop in (prop for owner in owners for prop in owner.bl_rna.properties):
        names.add(prop.name)
        if prop.type == "ENUM":
            names |= {item.name for item in prop.enum_items}
    names |= {title for title, _icon, _props in settings_panel._GROUPS}
    for path in Path(blender_addon.__file__).parent.rglob("*.py"):
        names |= set(re.findall(r'"([A-Z][A-Za-z ]+)"', path.read_text("utf-8")))
    return names


def test_each_name_in_the_readme_is_on_a_button(scene):
    found = named_in_the_readme()
    assert len(found) > 40
    assert found - shown() - BLENDERS == set()
