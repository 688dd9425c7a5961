"""What the scripts share that run in a window: its sequencer, lines on the terminal, steps."""

import os
import sys
from pathlib import Path

import addon_utils
import bpy


def say(line):
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def window():
    return bpy.context.window_manager.windows[0]


def sequencer():
    area = next(a for a in window().screen.areas if a.type == "SEQUENCE_EDITOR")
    region = next(r for r in area.regions if r.type == "WINDOW")
    return bpy.context.temp_override(window=window(), area=area, region=region)


def area(kind):
    """The largest area of a kind: the timeline, not the preview above it."""
    found = [a for a in window().screen.areas if a.type == kind]
    timelines = [a for a in found if getattr(a.spaces.active, "view_type", "") == "SEQUENCER"]
    return max(timelines or found, key=lambda a: a.width * a.height)


def press(key, kind="SEQUENCE_EDITOR", **held):
    place = area(kind)
    at = {"x": place.x + place.width // 3, "y": place.y + place.height // 2}
    window().event_simulate(type="MOUSEMOVE", value="NOTHING", **at)
    for value in ("PRESS", "RELEASE"):
        window().event_simulate(type=key, value=value, **at, **held)


def in_sequencer(operator, *mode, **options):
    with sequencer():
        return operator(*mode, **options)


def enable():
    """The add-on, with the stand-in as its worker."""
    os.environ["GSMOOTH_PYTHON"] = sys.executable
    addon_utils.enable("blender_addon", default_set=True)
    from blender_addon import preferences
    from blender_addon.worker import runtime

    runtime.ENTRY = (str(Path(__file__).with_name("double.py")),)
    preferences.look_again()


def run_steps(steps):
    """Go on with a generator ten times a second, as people would; it ends Blender itself."""

    def tick():
        try:
            next(steps)
        except StopIteration:
            return None
        return 0.1

    bpy.app.timers.register(tick, first_interval=2.0, persistent=True)
