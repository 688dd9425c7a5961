"""GSmooth for scripts: the functions that its buttons call.

A function that needs the worker returns a `Job`, which waits to be begun:

    from blender_addon import api          # as an extension: bl_ext.user_default.gsmooth

    job = api.dub(strips["take 3"], strips["french"], strength=0.9)
    print(job.result())                    # does it; UserError where it fails

`job.wait()` raises nothing; `job.state` and `job.text` say what came of it. To do something else
meanwhile, `job.begin()` and then `job.update()` now and then, until it is False.
`many_shots.py` is an example. One job runs at a time; `add_to_queue` takes any number.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bpy

from .errors import UserError
from .head import mesh_export, rig
from .jobs import job_queue, placing, previewing
from .jobs.dubbing import Dub, Preview
from .jobs.finding import FindPeople
from .jobs.job_queue import Entry
from .jobs.judging import Report
from .jobs.meshing import ClipMesh, DubMesh, FaceMesh
from .jobs.redoing import Rerender
from .jobs.sync_job import CheckSync
from .jobs.words_job import HearWords, ShowWords
from .review.words import Word
from .settings.options import options_of
from .timeline import stacking, strips
from .timeline.selection import Selection
from .timeline.speeches import MOST
from .timeline.target import Target

__all__ = [
    "UserError",
    "add_to_queue",
    "check_quality",
    "check_sync",
    "discard_preview",
    "dub",
    "export_mesh",
    "face_mesh",
    "find_people",
    "preview",
    "rerender",
    "restore",
    "run_queue",
    "show_words",
    "words",
]


def dub(picture: Any, speech: Any, **options: Any) -> Dub:
    """Make the person in a strip say the words of a sound strip, or several people one each.

    Args:
        picture: the strip that shows the person.
        speech: the sound strip; both are of one scene. For several people a dictionary of such
            strips by the people's numbers, see `find_people`.
        options: settings that differ from the scene's, by the names of `options.NAMES`: strength,
            smoothing, style, mask, occluders, grain, sharpness, shutter, length, adapt, looks;
            codec, quality, crf, depth, intra, audio_track, source_audio_track, copy_look_of;
            person, speaker; photo, head, blink, brows, seed, movement; replace, mute_own_sound,
            check.

    Returns:
        the job; the dubbed strips' names stand in its `strips` when it is done.

    Raises:
        UserError: these are no such strips, there is no such option, or it cannot be what is given.
    """
    return Dub(*_meant(picture, speech, options))


def preview(picture: Any, speech: Any, frame: int, **options: Any) -> Preview:
    """Dub two seconds around a scene frame as a draft, laid over the strip.

    Raises:
        UserError: as `dub` does.
    """
    return Preview(*_meant(picture, speech, options), frame)


def discard_preview(scene: bpy.types.Scene) -> None:
    """Take the preview of a scene away again, with its files."""
    previewing.discard(scene.name)


def face_mesh(picture: Any, speech: Any = None, **options: Any) -> FaceMesh:
    """Add the face of a strip as an animated mesh with ARKit shape keys, and the clip's camera.

    Args:
        picture: a dubbed strip, or one that shows a person.
        speech: what that person would say; None for what the clip shows. Of no account for a dub.
        options: as those of `dub`; of no account for a dub, but for `person` where several people
            were dubbed.

    Returns:
        the job; the object's name stands in its `head` when it is done.

    Raises:
        UserError: the strips cannot be used as they are.
    """
    if strips.dubbed_job(picture):
        return DubMesh(picture, int(options.get("person", 0)))
    scene = picture.id_data
    return ClipMesh(scene, Selection(picture, speech), options_of(scene, picture, **options))


def export_mesh(head: bpy.types.Object, path: Path | str) -> None:
    """Write a head with its animation for other programs: .usdc, .usda, .usd, .usdz or .abc.

    Raises:
        UserError: this is no head made by `face_mesh`, or no such file can be written.
    """
    if not rig.is_head(head):
        raise UserError(f"'{head.name}' is no head made by Face Mesh.")
    mesh_export.export(head, Path(path))


def rerender(head: bpy.types.Object) -> Rerender:
    """Make a dub again with the curves of its mesh as they are now; only what they touch.

    Raises:
        UserError: this is no head made by `face_mesh`.
    """
    if not rig.is_head(head):
        raise UserError(f"'{head.name}' is no head made by Face Mesh.")
    return Rerender(head)


def restore(dubbed: Any) -> Any:
    """Put the strip that was dubbed back into its place, with its sound; returns it.

    Raises:
        UserError: this is no dub, or what it was made of is gone.
    """
    scene = dubbed.id_data
    if stacking.original(scene, dubbed) is None:
        raise UserError(f"'{dubbed.name}' has no original that could be restored.")
    return placing.restore(scene, dubbed)


def check_quality(dubbed: Any) -> Report:
    """Judge a dubbed strip as a viewer would; what was found is kept with it and marked.

    Where several people were dubbed, each is judged.

    Raises:
        UserError: this is no dub.
    """
    return Report(_dub(dubbed))


def show_words(dubbed: Any) -> ShowWords:
    """Mark on the timeline which word a dubbed strip's mouth says, and where its lips stay open.

    Raises:
        UserError: this is no dub.
    """
    return ShowWords(_dub(dubbed))


def words(dubbed: Any) -> list[Word]:
    """The words of a dubbed strip, in their order; blocks while the worker listens.

    Raises:
        UserError: this is no dub, or the worker cannot hear words.
    """
    job = HearWords(_dub(dubbed))
    job.result()
    return list(job.words)


def check_sync(picture: Any, sound: Any = None, move: bool = False) -> CheckSync:
    """Measure whether a sound strip, or the file's own sound, fits the lips of a movie strip.

    Args:
        picture: the movie strip; what was measured is kept with it.
        sound: the sound strip; None for the file's own.
        move: whether the sound strip is moved to where it fits, when the measurement is sure.
    """
    return CheckSync(Selection(picture, sound), move)


def find_people(picture: Any) -> FindPeople:
    """Look who is seen in a strip; they stand in the job's `people` when it is done.

    The number of one of them is the option `person` of `dub`.
    """
    return FindPeople(picture)


def add_to_queue(picture: Any, speech: Any, **options: Any) -> Entry:
    """Have a strip dubbed when its turn comes; what is meant, and how, is fixed now.

    Raises:
        UserError: as `dub` does.
    """
    return job_queue.add(*_meant(picture, speech, options))


def run_queue() -> list[Entry]:
    """Dub what waits in the queue and block until that is done; one that fails stops no other.

    Returns:
        the queue's entries, each with its `state`, `text` and `strips`.
    """
    job_queue.Run().wait()
    return job_queue.entries()


def _dub(strip: Any) -> Any:
    if not strips.dubbed_job(strip):
        raise UserError(f"'{strip.name}' is no dub.")
    return strip


def _meant(picture: Any, speech: Any, options: dict[str, Any]) -> tuple[Target, Any]:
    scene = picture.id_data
    several = tuple(sorted(speech.items())) if isinstance(speech, Mapping) else ()
    sounds = [strip for _number, strip in several] or [speech]
    fit = all(s is not None and s.type == "SOUND" and s.id_data == scene for s in sounds)
    if picture.type not in strips.PICTURES or not fit:
        raise UserError("A dub needs a picture strip and a sound strip of one scene.")
    if not all(type(number) is int and 1 <= number <= MOST for number, _strip in several):
        raise UserError(f"People have numbers from 1 to {MOST}, as Find People counts them.")
    chosen = Selection(picture, None if several else speech, several)
    return Target.of(scene, chosen), options_of(scene, picture, **options)
