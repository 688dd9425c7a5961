"""Blender is closed while a dub runs, in a window: prints a line an act.

    blender --enable-event-simulate --python tests/blender/closing_acts.py -- FOLDER ACT

FOLDER is that of `acts.py`, and so is the worker. ACT is one of, in this order:

    ask      the file was saved: Ctrl Q, and the X of the window, bring Blender's own question
    quit     Blender is closed although a dub runs
    offered  a Blender that opens the file offers that dub, and does it
    kill     Blender dies while a dub runs, of a file that was saved before the dub began
    offered  as above
    quit
    recover  Blender's own Recover > Last Session offers it, too
"""

import os
import signal
import sys
from pathlib import Path

import bpy

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent)]
from tests.blender.windowed import (  # noqa: E402
    enable,
    in_sequencer,
    run_steps,
    say,
    sequencer,
    window,
)

FOLDER, ACT = Path(sys.argv[sys.argv.index("--") + 1]), sys.argv[-1]
FILE = FOLDER / "closing.blend"


def prepare():
    """A saved file with a clip and its speech."""
    from blender_addon.timeline import strips

    with sequencer():
        scene = strips.sequencer_scene(bpy.context)
    scene.render.fps, scene.render.fps_base = 25, 1.0
    timeline = strips.children(scene.sequence_editor_create())
    timeline.new_movie("clip", str(FOLDER / "clip.mp4"), 2, 1)
    timeline.new_sound("speech", str(FOLDER / "speech.wav"), 1, 1)
    for strip in timeline:
        strip.select = True
    in_sequencer(bpy.ops.ed.undo_push, message="strips")
    bpy.ops.wm.save_as_mainfile(filepath=str(FILE))


def dubs():
    from blender_addon.timeline import strips

    with sequencer():
        scene = strips.sequencer_scene(bpy.context)
    return [s for s in strips.all_strips(scene) if strips.dubbed_job(s)]


def begin():
    """Start a dub of it, and wait for its pictures."""
    from blender_addon.worker import runtime

    os.environ["GSMOOTH_DOUBLE"] = "stages"
    in_sequencer(bpy.ops.gsmooth.dub_strip, "INVOKE_DEFAULT")
    while not (runtime.active().stage == "render" and runtime.active().done > 2):
        yield
    os.environ["GSMOOTH_DOUBLE"] = ""


def shoot(name):
    asked = os.environ.get("GSMOOTH_SHOOT")
    if not asked:
        return
    for _ in range(4):
        yield
    Path(asked).write_text(str(FOLDER / f"closing_{bpy.app.version[0]}_{name}.png"))
    while Path(asked).exists():
        yield


def check(act, right, wrong=""):
    say(f"ACT | closing | {act} | {'ok' if right else f'bad: {wrong}'}")


def tell(key, value, **held):
    at = {"x": window().width // 2, "y": window().height // 3}
    window().event_simulate(type=key, value=value, **at, **held)


def ctrl_q():
    tell("Q", "PRESS", ctrl=True)
    tell("Q", "RELEASE", ctrl=True)


def close_window():
    with bpy.context.temp_override(window=window()):
        bpy.ops.wm.window_close()


def ask():
    from blender_addon.worker import runtime

    prepare()
    yield
    for name, close in (("ctrl_q", ctrl_q), ("window", close_window)):
        bpy.ops.wm.save_mainfile()
        yield
        yield
        check(f"saved before {name}", True)
        yield from begin()
        check(f"{name}: the file is changed", bpy.data.is_dirty)
        close()
        yield from shoot(name)
        for _ in range(5):
            yield
        tell("ESC", "PRESS")
        tell("ESC", "RELEASE")
        while runtime.active() is not None:
            yield
        yield
        yield
        check(f"{name}: it went on", len(dubs()) == 1, runtime.outcome())
        in_sequencer(bpy.ops.ed.undo)
        yield
        check(f"{name}: one undo takes it back", not dubs())
    yield from again_when_saved()


def again_when_saved():
    from blender_addon.worker import runtime

    yield from begin()
    bpy.ops.wm.save_mainfile()
    for _ in range(5):
        yield
    check("saved meanwhile: the file is changed again", bpy.data.is_dirty)
    in_sequencer(bpy.ops.ed.undo)
    yield
    yield
    in_sequencer(bpy.ops.ed.redo)
    check("undo, redo", bpy.data.is_dirty)
    while runtime.active() is not None:
        yield
    check("ended", runtime.outcome().state == "done", runtime.outcome())


def leave(how):
    prepare()
    yield
    yield
    yield from begin()
    say(f"ACT | closing | {ACT} | ok")
    how()


def offered(read=lambda: bpy.ops.wm.open_mainfile(filepath=str(FILE))):
    from blender_addon.jobs import job_queue

    read()
    for _ in range(5):
        yield
    found = job_queue.entries()
    check("offered", [e.state for e in found] == ["waiting"], found)
    yield from shoot("offered")
    in_sequencer(bpy.ops.gsmooth.run_queue, "INVOKE_DEFAULT")
    while job_queue.running() is not None:
        yield
    check("offered: done", len(dubs()) == 1, job_queue.entries())
    check("offered: no more", not list(FOLDER.rglob("queue-closing.json")))


ACTS = {
    "ask": ask,
    "quit": lambda: leave(bpy.ops.wm.quit_blender),
    "kill": lambda: leave(lambda: os.kill(os.getpid(), signal.SIGKILL)),
    "offered": offered,
    "recover": lambda: offered(bpy.ops.wm.recover_last_session),
}


def steps():
    yield
    enable()
    try:
        yield from ACTS[ACT]()
    except Exception as error:  # noqa: BLE001 - an act that fails is a line
        check(ACT, False, repr(error))
    bpy.ops.wm.quit_blender()


run_steps(steps())
