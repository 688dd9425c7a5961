"""What the commands of `gsmooth` do, and how they tell a person what came of it.

Rooms that take long to import are imported by the command that needs them.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from gsmooth_core.app import actions
from gsmooth_core.app.doctor import examine
from gsmooth_core.app.sequences import reads_images
from gsmooth_core.errors import InputError, JobError
from gsmooth_core.job.events import Cancelled, Message, OnEvent
from gsmooth_core.job.job import Job, default_folder, read_rate
from gsmooth_core.job.settings import MODEL_SETTINGS, AnimateSettings, DubSettings
from gsmooth_core.models import registry
from gsmooth_core.storage.files import shown
from gsmooth_core.text import counted


def dub(options: argparse.Namespace, on_event: OnEvent, cancelled: Cancelled) -> dict[str, Any]:
    """Make a dubbed video; see `dub.dub`."""
    return _make(_job(options), options, on_event, cancelled)


def animate(options: argparse.Namespace, on_event: OnEvent, cancelled: Cancelled) -> dict[str, Any]:
    """Make a photo speak and move; see `animate.AnimatePipeline`."""
    # Taken out of the options: a photo's `style` is none of a dub's.
    chosen = {f.name: vars(options).pop(f.name) for f in fields(AnimateSettings)}
    chosen = {name: value for name, value in chosen.items() if value is not None}
    if chosen.get("motion", "auto") != "auto":
        chosen["motion"] = str(Path(chosen["motion"]).absolute())
    moved = AnimateSettings.from_json(chosen)
    job = replace(_job(options), animate=moved, fps=read_rate("fps", options.fps))
    return _make(job, options, on_event, cancelled)


def _make(
    job: Job, options: argparse.Namespace, on_event: OnEvent, cancelled: Cancelled
) -> dict[str, Any]:
    folder = (options.job or default_folder(job.output)).absolute()
    if options.job is None and folder.is_symlink():
        raise JobError(f"The job's folder '{shown(folder)}' is a link.", "Remove it, or use --job.")
    temporary = options.job is None and not options.keep_job
    result = actions.dub_job(job, folder, on_event, cancelled, temporary=temporary)
    return result | {"job": str(folder) if folder.is_dir() else None}


def _job(options: argparse.Namespace) -> Job:
    paths = {
        name: str(getattr(options, name).absolute())
        for name in ("video", "output", "audio", "expression", "speaks_like", "mix", "copy_look_of")
        if getattr(options, name) is not None
    }
    numbers = ("start_frame", "frame_count", "audio_start", "audio_duration", "audio_delay")
    values = {name: getattr(options, name) for name in numbers}
    values["fps"] = getattr(options, "fps", None)
    content = {"kind": "gsmooth-job", "version": 1, **paths, **values, "speech": _speech(options)}
    teach = [str(path.absolute()) for path in options.teach or []]
    return Job.from_json(content | {"settings": _settings(options), "teach": teach})


def _speech(options: argparse.Namespace) -> dict[str, str]:
    """What each of several people says, by their numbers."""
    given: list[tuple[str, Path]] = options.speech or []
    numbers = [number for number, _ in given]
    if twice := [number for number in numbers if numbers.count(number) > 1]:
        text = f"Person {twice[0]} is given several speeches."
        raise InputError(text, "Join them into one file, which begins with the picture.")
    return {number: str(file.absolute()) for number, file in given}


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    """The settings that were given; files of models by their whole paths, as jobs need them."""
    chosen = {f.name: getattr(options, f.name, None) for f in fields(DubSettings)}
    for name in MODEL_SETTINGS:
        if chosen[name] == "":
            flag = "--" + name.replace("_", "-")
            raise InputError(f"{flag} is empty.", "Give a model's name or file.")
        if (word := chosen[name]) is not None and word not in registry.MODELS:
            chosen[name] = str(Path(word).absolute())
    return {name: value for name, value in chosen.items() if value is not None}


@reads_images
def track(options: argparse.Namespace, on_event: OnEvent, cancelled: Cancelled) -> dict[str, Any]:
    """Follow a face and write its track."""
    from gsmooth_core.app import stages

    part, settings = (options.start_frame, options.frame_count), DubSettings(**_settings(options))
    return stages.track(options.video, options.output, part, settings, on_event, cancelled)


@reads_images
def faces(options: argparse.Namespace, on_event: OnEvent, cancelled: Cancelled) -> dict[str, Any]:
    """List the people of a video."""
    from gsmooth_core.app import faces

    part = options.start_frame, options.frame_count
    return faces.faces(options.video, options.output, part, on_event, cancelled)


def predict(options: argparse.Namespace, on_event: OnEvent, cancelled: Cancelled) -> dict[str, Any]:
    """Write the curves of speech."""
    from gsmooth_core.app import stages

    fps = read_rate("fps", options.fps) or Fraction(25)
    count, settings = options.frame_count, DubSettings(**_settings(options))
    return stages.predict(
        options.audio, fps, options.output, count, settings, on_event, cancelled,
        words=options.words,
    )  # fmt: skip


def curves(options: argparse.Namespace, _event: OnEvent, _stop: Cancelled) -> dict[str, Any]:
    """Write curves in another format."""
    source, output = str(options.curves), str(options.output)
    return actions.curves({"curves": source, "output": output, "fps": options.fps})


@reads_images
def mesh(options: argparse.Namespace, on_event: OnEvent, cancelled: Cancelled) -> dict[str, Any]:
    """Write the posed mesh."""
    from gsmooth_core.app import stages

    if (options.video is None) == (options.track is None):
        raise InputError("A mesh needs a video or a track.", "Give --video or --track.")
    sources = stages.MeshSources(options.video, options.track, options.expression)
    settings = DubSettings(**_settings(options))
    return stages.mesh(sources, options.output, settings, on_event, cancelled)


@reads_images
def sync(options: argparse.Namespace, on_event: OnEvent, cancelled: Cancelled) -> dict[str, Any]:
    """Measure lips against sound."""
    from gsmooth_core.evaluation.sync.check import check_video

    settings = DubSettings(**_settings(options))
    return check_video(
        options.video, options.audio, options.expert, options.plot, on_event, cancelled,
        settings.face,
    )  # fmt: skip


def report(options: argparse.Namespace, on_event: OnEvent, cancelled: Cancelled) -> dict[str, Any]:
    """Judge a finished dub."""
    page = options.output.absolute() if options.output else None
    face = DubSettings(**_settings(options)).face if options.face else None
    folder = options.job.absolute()
    if folder.is_file():  # the dub itself was named
        folder = default_folder(folder)
    return actions.report(folder, on_event, cancelled, page, face)


def style(options: argparse.Namespace, on_event: OnEvent, cancelled: Cancelled) -> dict[str, Any]:
    """Learn how a person speaks and write it."""
    from gsmooth_core.app.style import style as learn

    settings = DubSettings(**_settings(options))
    return learn(options.video, options.output, settings, on_event, cancelled)


@reads_images
def bench(options: argparse.Namespace, on_event: OnEvent, cancelled: Cancelled) -> dict[str, Any]:
    """Measure the speed of a dub."""
    from gsmooth_core.evaluation.bench import history, pipeline

    result = asdict(pipeline.bench(_bench_job(options), on_event, cancelled))
    file, text = options.history or history.history_file(), pipeline.describe(result)
    try:
        before = history.compared(result, options.named, file)
    except OSError as error:
        before = None
        on_event(Message("warning", f"'{shown(file)}' cannot be kept ({error.strerror})."))
    if before:
        text += "\n" + history.in_words(before)
    return result | {"before": before, "history": str(file), "text": text}


def _bench_job(options: argparse.Namespace) -> Job:
    paths = {"video": options.video, "audio": options.audio, "output": Path("bench.mp4")}
    content = {name: str(path.absolute()) for name, path in paths.items()}
    count = {"frame_count": options.frame_count}
    return Job.from_json({"kind": "gsmooth-job", "version": 1, **content, **count})


def probe(options: argparse.Namespace, _event: OnEvent, _stop: Cancelled) -> dict[str, Any]:
    """Say what a file holds."""
    from gsmooth_core.app.probe import look

    return look(options.file.absolute(), read_rate("fps", options.fps))


def doctor(_options: argparse.Namespace, _event: OnEvent, _stop: Cancelled) -> dict[str, Any]:
    """Look at this machine."""
    report = examine()
    return report.to_json() | {"text": report.to_text()}


def models(options: argparse.Namespace, _event: OnEvent, _stop: Cancelled) -> dict[str, Any]:
    """List or verify the models."""
    verify = options.what == "verify"
    states = registry.verify() if verify else [registry.examine(name) for name in registry.MODELS]
    listed = [state.to_json() for state in states]
    return {"models": listed, "folders": [str(folder) for folder in registry.model_folders()]}


def dub_text(result: dict[str, Any]) -> str:
    """What came of a dub, for a person."""
    text = f"{result['output']}: {counted(result['frames'], 'frame')} in {result['seconds']} s"
    ranges = result["untouched_frames"]
    left = sum(last - first + 1 for first, last in ranges)
    return text + (f"; left as they were: {left}" if left else "")


def told_text(result: dict[str, Any]) -> str:
    """What is told in words, for a person."""
    return str(result["text"])


def path_text(result: dict[str, Any]) -> str:
    """The file that was written."""
    return str(next(iter(result.values())))


def predict_text(result: dict[str, Any]) -> str:
    """The curves that were written, below the words that belong to them."""
    path = str(result["expression"])
    if "words" not in result:
        return path
    from gsmooth_core.app.words import words_table

    return words_table(result["words"], float(Fraction(result["fps"]))) + f"\n{path}"


def sync_text(result: dict[str, Any]) -> str:
    """The sync, for a person."""
    return told_text(result) + (f"\nPlot: {result['plot']}" if result["plot"] else "")


def models_text(result: dict[str, Any]) -> str:
    """The models, for a person."""
    lines = [
        f"{m['name']:16} {m['licence']:18} {m['path'] or 'not there'}\n"
        f"{'':16} {m['purpose']} ({m['known']})"
        for m in result["models"]
    ]
    return "\n".join([*lines, "Looked for in: " + ", ".join(result["folders"])])
