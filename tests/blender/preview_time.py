"""How long a preview takes in a window, from the press to the strip: a line a preview.

    GSMOOTH_PYTHON=PYTHON blender --enable-event-simulate --app-template Video_Editing \\
        --python tests/blender/preview_time.py -- CLIP SPEECH [FRAME]

PYTHON has the worker's packages. The worker is cold for the first preview, warm for the next one
two seconds later, and knows the face for the last one, which has another strength. Each stage has
its seconds by the clock, and those of the processor that the worker used.
"""

import os
import sys
import time
from pathlib import Path

import addon_utils
import bpy

sys.path[:0] = [str(Path(__file__).resolve().parent.parent.parent)]
from tests.blender.windowed import in_sequencer, run_steps, say, sequencer  # noqa: E402

CLIP, SPEECH, *MORE = sys.argv[sys.argv.index("--") + 1 :]
FRAME = int(MORE[0]) if MORE else 60


def processor(pid):
    """Seconds that a process and its children that have ended took of the processor."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def begin():
    addon_utils.enable("blender_addon", default_set=True)
    from blender_addon.timeline import strips

    with sequencer():
        scene = strips.sequencer_scene(bpy.context)
    scene.render.fps, scene.render.fps_base = 25, 1.0
    timeline = strips.children(scene.sequence_editor_create())
    timeline.new_movie("clip", CLIP, 2, 1)
    timeline.new_sound("speech", SPEECH, 1, 1)
    for strip in timeline:
        strip.select = True
    return scene


def preview(name):
    from blender_addon.jobs import previewing
    from blender_addon.timeline import strips
    from blender_addon.worker import runtime

    with sequencer():
        scene = strips.sequencer_scene(bpy.context)
    pressed = time.monotonic()
    in_sequencer(bpy.ops.gsmooth.preview, "INVOKE_DEFAULT")
    stages, worker, used = [], runtime.active().process.popen.pid, 0.0
    while (task := runtime.active()) is not None:
        now = time.monotonic() - pressed, processor(worker)
        if not stages or task.stage != stages[-1][0]:
            stages.append((task.stage, *now))
        used = now[1]
        yield
    ends = [*stages[1:], ("", time.monotonic() - pressed, used)]
    told = " ".join(
        f"{stage} {after - at:.1f}/{then - cpu:.1f}"
        for (stage, at, cpu), (_next, after, then) in zip(stages, ends, strict=True)
    )
    used -= stages[0][2]
    there = bool(previewing.of_scene(scene))
    end = "ok" if there else f"bad: {runtime.outcome()}"
    say(f"PREVIEW | {name} | {ends[-1][1]:.1f} s, processor {used:.1f} s | {told} | {end}")


def steps():
    yield
    scene = begin()
    yield
    previews = ("cold", FRAME, 1), ("warm", FRAME + 50, 1), ("again", FRAME + 50, 1.3)
    for name, frame, strength in previews:
        scene.frame_set(frame)
        scene.gsmooth.strength = strength
        yield from preview(name)
    bpy.ops.wm.quit_blender()


run_steps(steps())
