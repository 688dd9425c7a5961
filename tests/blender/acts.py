"""What people do while a job runs, stage by stage, in a window: prints a table, a line a case.

    blender --python tests/blender/acts.py -- FOLDER [STAGE ...]

FOLDER holds clip.mp4 (40 frames at 25 a second) and speech.wav, and takes what is saved. The
worker is the stand-in (`double.py`). The last act is to quit, so a run ends with that of its last
stage.
"""

import os
import sys
from pathlib import Path

import addon_utils
import bpy

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent)]
from tests.blender.windowed import run_steps, say, sequencer, window  # noqa: E402

os.environ["GSMOOTH_DOUBLE"] = "stages"
os.environ["GSMOOTH_PYTHON"] = sys.executable
ARGUMENTS = sys.argv[sys.argv.index("--") + 1 :]
FOLDER, STAGES = Path(ARGUMENTS[0]), ARGUMENTS[1:] or ["track", "predict", "render", "encode"]
FIRST, FRAMES = 11, 40


def scene():
    from blender_addon.timeline import strips

    with sequencer():
        return strips.sequencer_scene(bpy.context)


def clip():
    """The strip that is dubbed, whatever it is called by now."""
    from blender_addon.timeline import following, strips

    found = [s for s in strips.all_strips(scene()) if s.get(following.TAG) and s.type == "MOVIE"]
    return next((s for s in found if not strips.dubbed_job(s)), strips.find(scene(), "clip"))


def fresh():
    from blender_addon.timeline import strips

    for other in [s for s in bpy.data.scenes if s != scene()]:
        bpy.data.scenes.remove(other)
    now = scene()
    now.render.fps, now.render.fps_base = 25, 1.0
    if now.sequence_editor:
        now.sequence_editor_clear()
    children = strips.children(now.sequence_editor_create())
    movie = children.new_movie("clip", str(FOLDER / "clip.mp4"), 2, FIRST)
    children.new_sound("speech", str(FOLDER / "speech.wav"), 1, FIRST)
    select()
    movie.color_saturation = 1.0
    with sequencer():
        bpy.ops.ed.undo_push(message="strips")
        movie.color_saturation = 0.5
        bpy.ops.ed.undo_push(message="grey")


def select():
    from blender_addon.timeline import strips

    for strip in strips.open_strips(scene()):
        strip.select = strip.name in ("clip", "speech")
    scene().sequence_editor.active_strip = strips.find(scene(), "clip")


def dub():
    with sequencer():
        return bpy.ops.gsmooth.dub_strip("INVOKE_DEFAULT")


def press(key):
    area = next(a for a in window().screen.areas if a.type == "SEQUENCE_EDITOR")
    at = {"x": area.x + area.width // 2, "y": area.y + area.height // 2}
    window().event_simulate(type="MOUSEMOVE", value="NOTHING", **at)
    for value in ("PRESS", "RELEASE"):
        window().event_simulate(type=key, value=value, **at)


def in_sequencer(operator, **options):
    with sequencer():
        operator(**options)


def undo_and_redo():
    in_sequencer(bpy.ops.ed.undo)
    in_sequencer(bpy.ops.ed.redo)


def trim():
    from blender_addon.timeline import strips

    strips.set_handles(clip(), FIRST + 5, FIRST + 30)


def move():
    from blender_addon.timeline import strips

    strips.move(clip(), 17)


def delete():
    from blender_addon.timeline import strips

    strips.children(scene().sequence_editor).remove(clip())


def switch():
    from blender_addon.timeline import strips

    other = bpy.data.scenes.new("Other")
    other.sequence_editor_create()
    with sequencer():
        strips.show_scene(bpy.context, other)


def save():
    bpy.ops.wm.save_as_mainfile(filepath=str(FOLDER / "acts.blend"))


def reopen():
    save()
    bpy.ops.wm.open_mainfile(filepath=str(FOLDER / "acts.blend"))


def off_and_on():
    addon_utils.disable("blender_addon")
    enable()


ACTS = {
    "nothing": lambda: None,
    "Cancel": lambda: in_sequencer(bpy.ops.gsmooth.cancel),
    "ESC": lambda: press("ESC"),
    "undo": lambda: in_sequencer(bpy.ops.ed.undo),
    "undo, redo": undo_and_redo,
    "rename": lambda: setattr(clip(), "name", "interview"),
    "trim": trim,
    "move": move,
    "delete": delete,
    "scene switch": switch,
    "save": save,
    "save, reopen": reopen,
    "off and on": off_and_on,
}
STOPS = {"Cancel", "save, reopen", "off and on"}


def enable():
    addon_utils.enable("blender_addon", default_set=True)
    from blender_addon import preferences
    from blender_addon.worker import runtime

    runtime.ENTRY = (str(HERE / "double.py"),)
    preferences.look_again()


def outcome(act):
    """What stands there after an act, in a word or two; "ok" where it is what should be."""
    from blender_addon.timeline import strips
    from blender_addon.worker import runtime

    home = next(s for s in bpy.data.scenes if s.name != "Other")
    dubs = [s for s in strips.all_strips(home) if strips.dubbed_job(s)]
    old = next((s for s in strips.all_strips(home) if s.type == "MOVIE" and s not in dubs), None)
    told = " ".join(runtime.warnings()[1:])
    if act == "delete":
        return "ok" if not dubs and "is gone" in told and "It is in" in told else f"bad: {told}"
    if act in STOPS:
        return "ok" if not dubs and old is not None and not old.mute else "bad: not as before"
    if len(dubs) != 1 or old is None or not old.mute:
        return f"bad: {len(dubs)} dubs; {told}"
    new = dubs[0]
    there = (strips.left(new), strips.right(new)) == (strips.left(old), strips.right(old))
    same = strips.first_source_frame(new) == strips.first_source_frame(old)
    return "ok" if there and same else f"bad: {strips.left(new)}..{strips.right(new)}"


def case(stage, act):
    """Steps of one case, with a pause after each; the last thing it yields is what came of it."""
    from blender_addon.timeline import strips
    from blender_addon.worker import runtime

    fresh()
    yield
    dub()
    for _ in range(200):
        yield
        task = runtime.active()
        if task is None or task.stage == stage:
            break
    if runtime.active() is None:
        yield "bad: it ended too early"
        return
    ACTS[act]()
    for _ in range(300):
        yield
        if runtime.active() is None:
            break
    yield
    yield
    text = outcome(act)
    if act == "scene switch":
        with sequencer():
            strips.show_scene(bpy.context, next(s for s in bpy.data.scenes if s.name != "Other"))
    if act in STOPS and text == "ok":  # and it can be done after all
        select()
        os.environ["GSMOOTH_DOUBLE"] = ""
        dub()
        for _ in range(200):
            yield
            if runtime.active() is None:
                break
        yield
        yield
        os.environ["GSMOOTH_DOUBLE"] = "stages"
        text = outcome("nothing").replace("ok", "ok, and again")
    yield text


def steps():
    yield
    enable()
    for stage in STAGES:
        for act in ACTS:
            text = "bad: no end"
            try:
                for told in case(stage, act):
                    text = told or text
                    yield
            except Exception as error:  # noqa: BLE001 - a case that fails is a line in the table
                text = f"bad: {error!r}"
            say(f"ACT | {stage} | {act} | {text}")
    fresh()
    yield
    dub()
    from blender_addon.worker import runtime

    while runtime.active() is not None and runtime.active().stage != STAGES[-1]:
        yield
    say(f"WORKER {runtime.active().process.popen.pid}")
    bpy.ops.wm.quit_blender()


run_steps(steps())
