"""What the scripts of acts share that run in a window: its sequencer, and lines on the terminal."""

import sys

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
