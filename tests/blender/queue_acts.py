"""What people do while the queue runs, in a window: prints a table, a line an act.

    blender --python tests/blender/queue_acts.py -- FOLDER

FOLDER is that of `acts.py`, and so is the worker. Of four clips in the queue the third fails, its
speech is gone; after each act the other three must be dubbed, where their pictures are by now.
"""

import os
import sys
from pathlib import Path

import bpy

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent)]
from tests.blender.windowed import enable, in_sequencer, run_steps, say, sequencer  # noqa: E402

os.environ["GSMOOTH_DOUBLE"] = ""
FOLDER = Path(sys.argv[sys.argv.index("--") + 1])
NAMES = [f"shot {i}" for i in range(4)]


def home():
    return next(s for s in bpy.data.scenes if s.name != "Other")


def show(scene):
    from blender_addon.timeline import strips

    with sequencer():
        strips.show_scene(bpy.context, scene)


def fresh():
    from blender_addon.jobs import job_queue
    from blender_addon.timeline import strips

    job_queue._entries.clear()
    show(home())
    for other in [s for s in bpy.data.scenes if s.name == "Other"]:
        bpy.data.scenes.remove(other)
    scene = home()
    scene.render.fps, scene.render.fps_base = 25, 1.0
    if scene.sequence_editor:
        scene.sequence_editor_clear()
    timeline = strips.children(scene.sequence_editor_create())
    for i, name in enumerate(NAMES):
        timeline.new_movie(name, str(FOLDER / "clip.mp4"), 2, 1 + 60 * i)
        timeline.new_sound(f"speech {i}", str(FOLDER / "speech.wav"), 1, 1 + 60 * i)
    for strip in timeline:
        strip.select = True
    in_sequencer(bpy.ops.ed.undo_push, message="strips")
    in_sequencer(bpy.ops.gsmooth.add_to_queue)
    timeline.remove(strips.find(scene, "speech 2"))
    in_sequencer(bpy.ops.ed.undo_push, message="queued")


def find(name):
    from blender_addon.timeline import strips

    return strips.find(home(), name)


def undo_and_redo():
    in_sequencer(bpy.ops.ed.undo)
    in_sequencer(bpy.ops.ed.redo)


def move_last():
    from blender_addon.timeline import strips

    strips.move(find("shot 3"), 30)
    strips.move(find("speech 3"), 30)


def switch():
    other = bpy.data.scenes.new("Other")
    other.sequence_editor_create()
    show(other)


def save():
    bpy.ops.wm.save_as_mainfile(filepath=str(FOLDER / "queue.blend"))


def reopen():
    save()
    bpy.ops.wm.open_mainfile(filepath=str(FOLDER / "queue.blend"))


ACTS = {
    "nothing": lambda: None,
    "pause": lambda: in_sequencer(bpy.ops.gsmooth.pause_queue),
    "reorder": lambda: in_sequencer(bpy.ops.gsmooth.queue_entry, index=3, action="UP"),
    "undo, redo": undo_and_redo,
    "rename": lambda: setattr(find("shot 3"), "name", "interview"),
    "move": move_last,
    "scene switch": switch,
    "save": save,
    "save, reopen": reopen,
}
GOES_ON = {"pause", "save, reopen"}  # when it is told to


def outcome():
    """ "ok" where three are dubbed, each over its picture, and the third is named as failed."""
    from blender_addon.jobs import job_queue
    from blender_addon.timeline import strips

    found = [s for s in strips.all_strips(home()) if strips.dubbed_job(s)]
    old = [s for s in strips.all_strips(home()) if s.type == "MOVIE" and s not in found and s.mute]
    places = sorted((strips.left(s), strips.right(s)) for s in found)
    if len(found) != 3 or places != sorted((strips.left(s), strips.right(s)) for s in old):
        return f"bad: {places}"
    failed = [e for e in job_queue.entries() if e.state == "failed"]
    if len(failed) != 1 or "'shot 2'" not in failed[0].text:
        return f"bad: {[(e.target.picture, e.state) for e in job_queue.entries()]}"
    return "ok"


def case(act):
    from blender_addon.jobs import job_queue

    fresh()
    yield
    os.environ["GSMOOTH_DOUBLE"] = "stages"
    in_sequencer(bpy.ops.gsmooth.run_queue, "INVOKE_DEFAULT")
    run = job_queue.running()
    while not (run.task.stage == "render" and run.task.done):  # of the first
        yield
    os.environ["GSMOOTH_DOUBLE"] = ""
    ACTS[act]()
    while job_queue.running() is not None:
        yield
    yield
    if act in GOES_ON:
        waiting = [entry.state for entry in job_queue.entries()]
        if waiting.count("waiting") != 4:
            yield f"bad: {waiting}"
            return
        in_sequencer(bpy.ops.gsmooth.run_queue, "INVOKE_DEFAULT")
        while job_queue.running() is not None:
            yield
        yield
    yield outcome()


def steps():
    yield
    enable()
    for act in ACTS:
        text = "bad: no end"
        try:
            for told in case(act):
                text = told or text
                yield
        except Exception as error:  # noqa: BLE001 - a case that fails is a line in the table
            text = f"bad: {error!r}"
        say(f"ACT | queue | {act} | {text}")
    bpy.ops.wm.quit_blender()


run_steps(steps())
