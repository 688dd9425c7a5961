"""A user's walk through the add-on in a window, by simulated events: a line and a picture a step.

    blender --enable-event-simulate --app-template Video_Editing \\
        --python tests/blender/walk.py -- STORY ZIP PYTHON FOLDER

STORY is clip, photo or people. ZIP is the extension, installed first; PYTHON has the worker's
packages. FOLDER holds clip.mp4 and speech.wav (clip), photo.png and speech.wav (photo), or
people.mp4, speech.wav and second.wav (people), and takes the pictures. Every operator of the
add-on is pressed as a key, over the area where people have the mouse then; each step says "ok", or
what is wrong.
"""

import importlib
import os
import sys
from contextlib import suppress
from pathlib import Path

import bpy

sys.path[:0] = [str(Path(__file__).resolve().parent.parent.parent)]
from tests.blender.windowed import area, press, run_steps, say, sequencer, window  # noqa: E402

STORY, ZIP, PYTHON, FOLDER = sys.argv[sys.argv.index("--") + 1 :][:4]
FOLDER = Path(FOLDER)
EXTENSION = "bl_ext.user_default.gsmooth"
LONGEST = 6000  # ticks that a job may take
KEYS = {
    "preview": ("P", "gsmooth.preview"),
    "discard": ("X", "gsmooth.discard_preview"),
    "dub": ("D", "gsmooth.dub_strip"),
    "compare": ("C", "gsmooth.compare_original"),
    "mesh": ("M", "gsmooth.preview_mesh"),
    "rerender": ("R", "gsmooth.rerender_strip"),
    "view": ("V", "gsmooth.view_face"),
    "send": ("S", "gsmooth.send_curves"),
    "quality": ("Q", "gsmooth.check_quality"),
    "people": ("F", "gsmooth.find_people"),
    "restore": ("O", "gsmooth.restore_strip"),
    "queue": ("A", "gsmooth.add_to_queue"),
}
_shots = iter(range(100))


def part(name):
    return importlib.import_module(f"{EXTENSION}.{name}")


def scene():
    with sequencer():
        return part("timeline.strips").sequencer_scene(bpy.context)


def act(name, kind="SEQUENCE_EDITOR"):
    press(KEYS[name][0], kind, ctrl=True, alt=True, shift=True)


def assign_keys():
    """As people do by right-clicking a button and choosing Assign Shortcut."""
    keymap = bpy.context.window_manager.keyconfigs.addon.keymaps.new("Window")
    for key, operator in KEYS.values():
        keymap.keymap_items.new(operator, key, "PRESS", ctrl=True, alt=True, shift=True)


def shoot(name):
    """A picture of the window; by whoever waits for the file that GSMOOTH_SHOOT names, if that is.

    Blender's own screenshots are black where it draws by software.
    """
    path = FOLDER / f"{STORY}_{next(_shots):02}_{name}.png"
    asked = os.environ.get("GSMOOTH_SHOOT")
    if not asked:
        with bpy.context.temp_override(window=window()):
            bpy.ops.screen.screenshot(filepath=str(path))
        return
    for place in window().screen.areas:
        place.tag_redraw()  # as a click on a button does
    for _ in range(8):
        yield
    Path(asked).write_text(str(path))
    while Path(asked).exists():
        yield


def ended():
    """Wait until no job runs; gives whether one had begun."""
    runtime, begun = part("worker.runtime"), False
    for tick in range(LONGEST):
        running = runtime.active() is not None
        begun = begun or running
        if not running and (begun or tick > 30):
            break
        yield
    for _ in range(5):
        yield
    return begun


def told():
    """What the panel says."""
    outcome = part("worker.runtime").outcome()
    return " / ".join([outcome.text if outcome else "", *part("worker.runtime").warnings()])


def all_strips():
    return list(part("timeline.strips").all_strips(scene()))


def ready(count):
    """That many strips lie selected, by one press of a key."""
    yield from check("ready", len([s for s in all_strips() if s.select]) == count)


def rerendered():
    """Press, and see another file in the one dubbed strip."""
    before = dubs()[0].filepath
    yield from job(
        "re-render", "rerender", lambda: len(dubs()) == 1 and dubs()[0].filepath != before
    )


def dubs():
    strips = part("timeline.strips")
    return [s for s in strips.all_strips(scene()) if strips.dubbed_job(s)]


def install():
    bpy.ops.extensions.package_install_files(
        filepath=ZIP, repo="user_default", enable_on_install=True
    )
    choices = bpy.context.preferences.addons[EXTENSION].preferences
    choices.runtime, choices.python, choices.jobs = "own", PYTHON, str(FOLDER / "jobs")
    assign_keys()


def show_preferences():
    bpy.ops.screen.userpref_show(section="ADDONS")
    bpy.context.preferences.active_section = "ADDONS"
    bpy.context.window_manager.addon_search = "GSmooth"
    bpy.ops.preferences.addon_expand(module=EXTENSION)


def close_preferences():
    for other in list(bpy.context.window_manager.windows)[1:]:
        with bpy.context.temp_override(window=other):
            bpy.ops.wm.window_close()


def begin(picture, *sounds):
    """Blender's own way of adding strips, at frame 1; then the add-on's tab."""
    now = scene()
    now.render.fps = 25
    add = bpy.ops.sequencer.movie_strip_add.get_rna_type().properties
    here = {"move_strips": False} if "move_strips" in add else {}  # else it waits for a click
    with sequencer():
        if picture.suffix == ".png":
            files = [{"name": picture.name}]
            bpy.ops.sequencer.image_strip_add(
                directory=str(picture.parent),
                files=files,
                frame_start=1,
                channel=2,
                **here,
            )
        else:
            bpy.ops.sequencer.movie_strip_add(
                filepath=str(picture), frame_start=1, channel=2, sound=False, **here
            )
        for channel, sound in enumerate(sounds, 3):
            bpy.ops.sequencer.sound_strip_add(
                filepath=str(sound), frame_start=1, channel=channel, **here
            )
        for strip in part("timeline.strips").all_strips(now):
            if strip.type == "IMAGE":
                part("timeline.strips").set_handles(strip, 1, 61)
        bpy.ops.sequencer.view_all()
        bpy.ops.ed.undo_push(message="strips")
    place = area("SEQUENCE_EDITOR")
    place.spaces.active.show_region_ui = True


def show_tab():
    """The tabs of a sidebar are there once it has been drawn."""
    for _ in range(50):
        yield
        found = [
            region
            for place in window().screen.areas
            if place.type in ("SEQUENCE_EDITOR", "VIEW_3D")
            for region in place.regions
            if region.type == "UI" and region.width > 1
        ]
        with suppress(AttributeError, TypeError):
            for region in found:
                region.active_panel_category = "GSmooth"
            return


def edit_jaw():
    """The jaw opens on ten frames, as keys in the graph editor would have it."""
    rig, bodies = part("head.rig"), list(bpy.data.objects)
    head = next(body for body in bodies if rig.is_head(body))
    jaw = head.data.shape_keys.key_blocks["jawOpen"]
    for frame in range(20, 30):
        jaw.value = 0.6
        jaw.keyframe_insert("value", frame=frame)
    return head


def character(head):
    """Another mesh, with some of the ARKit keys alone, before a 3D view."""
    bpy.ops.mesh.primitive_cube_add()
    body = bpy.context.object
    body.name = "Robot"
    for name in ("Basis", "jawOpen", "mouthSmile_L", "mouthSmile_R", "antenna"):
        body.shape_key_add(name=name)
    bpy.context.view_layer.objects.active = head
    head.select_set(True)
    body.select_set(True)
    return body


def moves(body):
    curves = part("head.actions").curves_of(body.data.shape_keys)
    return sorted({curve.data_path.split('"')[1] for curve in curves})


def check(step, right, wrong=""):
    say(f"WALK | {STORY} | {step} | {'ok' if right else f'bad: {wrong or told()}'}")
    yield from shoot(step.replace(" ", "_"))


def whole(name):
    """A picture of the sequencer alone, as high as the window: the panels that lie below."""
    for _ in range(2):
        with sequencer():
            bpy.ops.screen.screen_full_area(use_hide_panels=False)
        for _ in range(5):
            yield
        if name:
            yield from shoot(name)
        name = ""


def queue_steps():
    """What is selected, into the queue and out of it again."""
    act("queue")
    yield
    yield
    queue = part("jobs.job_queue")
    yield from check("queued", [entry.state for entry in queue.entries()] == ["waiting"])
    yield from whole("queue_list")
    queue.remove(0)


def job(step, name, right):
    """Press, take a picture under way, wait for the end and look."""
    act(name)
    begun = False
    for _ in range(40):  # a short one may have ended by then
        yield
        begun = begun or part("worker.runtime").active() is not None
    yield from shoot(f"{name}_under_way")
    begun = (yield from ended()) or begun
    yield from check(step, begun and right())


def clip_story():
    begin(FOLDER / "clip.mp4", FOLDER / "speech.wav")
    yield from show_tab()
    press("A")
    yield
    yield from ready(2)
    yield from queue_steps()
    count = len(all_strips())
    yield from job("preview", "preview", lambda: len(all_strips()) > count)
    act("discard")
    yield
    yield
    yield from check("preview discarded", len(all_strips()) == count)
    yield from job("dub", "dub", lambda: len(dubs()) == 1)
    dubbed = len(all_strips())
    act("compare")
    yield
    yield
    yield from check("compare", len(all_strips()) == dubbed + 1)
    act("compare")
    yield from job(
        "face mesh", "mesh", lambda: any(map(part("head.rig").is_head, bpy.data.objects))
    )
    head = edit_jaw()
    yield from rerendered()
    yield from rig_steps(head)
    curve = part("review.quality_curve").NAME
    yield from job("quality", "quality", lambda: dubs()[0].get(curve) is not None)
    act("restore")
    yield
    yield
    yield from check("restore", not dubs())
    press("Z", ctrl=True)
    yield
    yield
    yield from check("undo", len(dubs()) == 1)


def rig_steps(head):
    """In a 3D view: on the picture, then the curves go to another character."""
    others = [place for place in window().screen.areas if place != area("SEQUENCE_EDITOR")]
    other = max(others, key=lambda place: place.width * place.height)
    kind, other.type = other.type, "VIEW_3D"
    other.spaces.active.show_region_ui = True
    owner = next(s for s in bpy.data.scenes if head.name in s.objects)
    window().scene = owner
    yield from show_tab()
    for body in owner.objects:
        body.select_set(body == head)
    bpy.context.view_layer.objects.active = head
    act("view", "VIEW_3D")
    yield
    yield
    yield from check("view on the picture", other.spaces.active.use_local_camera)
    with bpy.context.temp_override(window=window(), area=other, region=other.regions[-1]):
        robot = character(head)
    yield
    act("send", "VIEW_3D")
    yield
    yield
    yield from check("send curves", moves(robot) == ["jawOpen", "mouthSmile_L", "mouthSmile_R"])
    other.type = kind


def photo_story():
    begin(FOLDER / "photo.png", FOLDER / "speech.wav")
    yield from show_tab()
    press("A")
    yield
    yield from ready(2)
    scene().gsmooth.photo = "full"
    yield from job("dub", "dub", lambda: len(dubs()) == 1)
    yield from job(
        "face mesh", "mesh", lambda: any(map(part("head.rig").is_head, bpy.data.objects))
    )
    edit_jaw()
    yield from rerendered()


def people_story():
    begin(FOLDER / "people.mp4", FOLDER / "speech.wav", FOLDER / "second.wav")
    yield from show_tab()
    press("A")
    yield
    yield from ready(3)
    yield from job("find people", "people", lambda: "people are seen" in told())
    speeches, strips = part("timeline.speeches"), part("timeline.strips")
    picture = next(s for s in strips.all_strips(scene()) if s.type == "MOVIE")
    sounds = sorted(
        (s for s in strips.all_strips(scene()) if s.type == "SOUND"), key=lambda s: s.channel
    )
    for number, sound in enumerate(sounds, 1):
        with sequencer():
            bpy.ops.gsmooth.give_speech(person=number, sound=f"+{sound.name}")
    yield
    yield from check("a speech each", len(speeches.given(picture)) == 2)
    yield from whole("people_list")
    yield from job("dub", "dub", lambda: len(dubs()) == 1)
    curve = part("review.quality_curve").NAME
    curves = [curve, f"{curve} of Person 1", f"{curve} of Person 2"]
    yield from job("quality", "quality", lambda: all(name in dubs()[0] for name in curves))


STORIES = {"clip": clip_story, "photo": photo_story, "people": people_story}


def steps():
    try:
        yield from story()
    except Exception as error:  # noqa: BLE001 - a step that fails is a line
        say(f"WALK | {STORY} | error | bad: {error!r}")
    bpy.ops.wm.quit_blender()


def story():
    yield
    install()
    yield
    yield from check("installed", EXTENSION in bpy.context.preferences.addons)
    show_preferences()
    for _ in range(5):
        yield
    yield from shoot("preferences")
    close_preferences()
    yield
    yield from STORIES[STORY]()
    say(f"WALK | {STORY} | end | ok")


run_steps(steps())
