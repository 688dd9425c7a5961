"""The command `gsmooth`: arguments in, one action, one end."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, asdict, fields
from fractions import Fraction
from pathlib import Path
from typing import Any

from gsmooth_core import __version__
from gsmooth_core.app.console import ConsoleReporter, interruptible, log_to_stderr
from gsmooth_core.errors import InputError, JobError
from gsmooth_core.job.events import Cancelled, OnEvent, outcome_of, stopped
from gsmooth_core.job.job import Job, default_folder, read_rate
from gsmooth_core.job.settings import MODEL_SETTINGS, DubSettings
from gsmooth_core.storage.files import shown

Action = Callable[[argparse.Namespace, OnEvent, Cancelled], Mapping[str, Any]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns:
        exit status: 0 only when the result is whole, else the error's own.
    """
    options = _parser().parse_args(arguments)
    log_to_stderr(logging.DEBUG if options.verbose else logging.ERROR)
    if options.action is None:
        from gsmooth_core.app import worker

        return worker.main()
    reporter = ConsoleReporter(options.json, options.to_text)
    with interruptible(lambda: _give_up(reporter)) as cancelled:
        outcome = outcome_of(lambda: options.action(options, reporter.on_event, cancelled))
    status = reporter.end(outcome)
    return options.status(outcome) if status == 0 and "status" in options else status


def _give_up(reporter: ConsoleReporter) -> None:
    reporter.end(stopped())


# -- what the commands do --------------------------------------------------------------------


def _dub(options: argparse.Namespace, on_event: OnEvent, cancelled: Cancelled) -> dict[str, Any]:
    from gsmooth_core.app import actions

    job = _job(options)
    folder = (options.job or default_folder(job.output)).absolute()
    if options.job is None and folder.is_symlink():
        raise JobError(f"The job's folder '{shown(folder)}' is a link.", "Remove it, or use --job.")
    temporary = options.job is None and not options.keep_job
    result = actions.dub_job(job, folder, on_event, cancelled, temporary=temporary)
    return result | {"job": str(folder) if folder.is_dir() else None}


def _path(word: str) -> Path:
    """A path on the command line; a variable that was empty is no wish for the folder one is in."""
    if not word:
        raise argparse.ArgumentTypeError("the path is empty")
    return Path(word)


def _job(options: argparse.Namespace) -> Job:
    paths = {
        name: str(getattr(options, name).absolute())
        for name in ("video", "output", "audio", "expression")
        if getattr(options, name) is not None
    }
    numbers = ("start_frame", "frame_count", "audio_start", "audio_duration", "audio_delay")
    values = {name: getattr(options, name) for name in numbers}
    content = {"kind": "gsmooth-job", "version": 1, **paths, **values}
    return Job.from_json(content | {"settings": _settings(options)})


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    """The settings that were given; files of models by their whole paths, as jobs need them."""
    from gsmooth_core.models import registry

    chosen = {f.name: getattr(options, f.name, None) for f in fields(DubSettings)}
    for name in MODEL_SETTINGS:
        if (word := chosen[name]) is not None and word not in registry.MODELS:
            chosen[name] = str(Path(word).absolute())
    return {name: value for name, value in chosen.items() if value is not None}


def _track(options: argparse.Namespace, on_event: OnEvent, cancelled: Cancelled) -> dict[str, Any]:
    from gsmooth_core.app import stages

    part, settings = (options.start_frame, options.frame_count), DubSettings(**_settings(options))
    return stages.track(options.video, options.output, part, settings, on_event, cancelled)


def _faces(options: argparse.Namespace, on_event: OnEvent, cancelled: Cancelled) -> dict[str, Any]:
    from gsmooth_core.app import faces

    return faces.faces(options.video, options.output, on_event, cancelled)


def _predict(
    options: argparse.Namespace, on_event: OnEvent, cancelled: Cancelled
) -> dict[str, Any]:
    from gsmooth_core.app import stages

    fps = read_rate("fps", options.fps) or Fraction(25)
    count, settings = options.frame_count, DubSettings(**_settings(options))
    return stages.predict(options.audio, fps, options.output, count, settings, on_event, cancelled)


def _mesh(options: argparse.Namespace, on_event: OnEvent, cancelled: Cancelled) -> dict[str, Any]:
    from gsmooth_core.app import stages

    if (options.video is None) == (options.track is None):
        raise InputError("A mesh needs a video or a track.", "Give --video or --track.")
    sources = stages.MeshSources(options.video, options.track, options.expression)
    settings = DubSettings(**_settings(options))
    return stages.mesh(sources, options.output, settings, on_event, cancelled)


def _sync(options: argparse.Namespace, on_event: OnEvent, cancelled: Cancelled) -> dict[str, Any]:
    from gsmooth_core.evaluation.sync.check import check_video

    return check_video(
        options.video, options.audio, options.expert, options.plot, on_event, cancelled
    )


def _report(options: argparse.Namespace, on_event: OnEvent, cancelled: Cancelled) -> dict[str, Any]:
    from gsmooth_core.app import actions

    page = options.output.absolute() if options.output else None
    return actions.report(options.job.absolute(), on_event, cancelled, page)


def _bench(options: argparse.Namespace, on_event: OnEvent, cancelled: Cancelled) -> dict[str, Any]:
    from gsmooth_core.evaluation.bench import pipeline

    return asdict(pipeline.bench(_bench_job(options), on_event, cancelled))


def _bench_job(options: argparse.Namespace) -> Job:
    paths = {"video": options.video, "audio": options.audio, "output": Path("bench.mp4")}
    content = {name: str(path.absolute()) for name, path in paths.items()}
    count = {"frame_count": options.frame_count}
    return Job.from_json({"kind": "gsmooth-job", "version": 1, **content, **count})


def _doctor(_options: argparse.Namespace, _event: OnEvent, _stop: Cancelled) -> dict[str, Any]:
    from gsmooth_core.app.doctor import examine

    report = examine()
    return report.to_json() | {"text": report.to_text()}


def _models(options: argparse.Namespace, _event: OnEvent, _stop: Cancelled) -> dict[str, Any]:
    from gsmooth_core.models import registry

    verify = options.what == "verify"
    states = registry.verify() if verify else [registry.examine(name) for name in registry.MODELS]
    listed = [state.to_json() for state in states]
    return {"models": listed, "folders": [str(folder) for folder in registry.model_folders()]}


# -- arguments -------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gsmooth", description="Give the person in a video new words to say."
    )
    parser.add_argument("--version", action="version", version=f"gsmooth {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_dub(commands)
    _add_track(commands)
    _add_faces(commands)
    _add_predict(commands)
    _add_mesh(commands)
    _add_sync(commands)
    _add_report(commands)
    _add_bench(commands)
    doctor = _add(commands, "doctor", _doctor, "say what works on this machine", _doctor_text)
    doctor.set_defaults(status=lambda outcome: 0 if outcome.result["ok"] else 1)
    models = _add(commands, "models", _models, "list the models, or check them", _models_text)
    models.add_argument("what", nargs="?", choices=("list", "verify"), default="list")
    _add(commands, "worker", None, "work for another program through stdin and stdout", str)
    return parser


def _add(
    commands: Any,
    name: str,
    action: Action | None,
    text: str,
    to_text: Callable[[dict[str, Any]], str],
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(action=action, to_text=to_text)
    parser.add_argument("--json", action="store_true", help="events as JSON lines on stdout")
    parser.add_argument("-v", "--verbose", action="store_true", help="tell more on stderr")
    return parser


def _add_dub(commands: Any) -> None:
    parser = _add(commands, "dub", _dub, "dub a video with speech or with curves", _dub_text)
    _add_source(parser)
    speech = parser.add_mutually_exclusive_group(required=True)
    speech.add_argument("--audio", type=_path, help="any file with speech, a video too")
    speech.add_argument("--expression", type=_path, help="curves or a track to speak with")
    parser.add_argument("--output", type=_path, required=True, help="video, or folder of PNGs")
    parser.add_argument("--job", type=_path, help="folder of the job, kept at the end")
    parser.add_argument("--keep-job", action="store_true", help="keep the job's folder")
    parser.add_argument("--audio-start", type=float, default=0.0, help="seconds into the sound")
    parser.add_argument("--audio-duration", type=float, help="seconds of sound to use")
    parser.add_argument("--audio-delay", type=float, default=0.0, help="seconds before it begins")
    _add_settings(parser, *(known.name for known in fields(DubSettings)))


def _add_settings(parser: argparse.ArgumentParser, *names: str) -> None:
    for known in fields(DubSettings):
        if known.name in names:
            _add_setting(parser, known)


def _add_setting(parser: argparse.ArgumentParser, known: Field[Any]) -> None:
    flag, text = "--" + known.name.replace("_", "-"), known.metadata["text"]
    if isinstance(known.default, bool):
        action = argparse.BooleanOptionalAction if known.default else "store_true"  # --no-...
        parser.add_argument(flag, dest=known.name, action=action, default=None, help=text)
        return
    parser.add_argument(
        flag,
        dest=known.name,
        type=_as_value(known),
        choices=known.metadata["choices"] or None,
        metavar=known.name.upper() if not known.metadata["choices"] else None,
        help=f"{text} (default: {known.default})",
    )


def _as_value(known: Field[Any]) -> Callable[[str], Any]:
    """A setting's word on the command line as a value of the setting's type."""
    kind: Callable[[str], Any] = type(known.default)

    def convert(word: str) -> Any:
        if known.metadata["choices"]:
            return next((c for c in known.metadata["choices"] if str(c) == word), word)
        return kind(word)

    convert.__name__ = known.name
    return convert


def _add_track(commands: Any) -> None:
    parser = _add(commands, "track", _track, "follow the face of a video", _path_text)
    _add_source(parser)
    parser.add_argument("--output", type=_path, required=True, help="track file (.safetensors)")
    _add_settings(parser, "face", "tracker", "face_model", "device")


def _add_faces(commands: Any) -> None:
    parser = _add(commands, "faces", _faces, "list the people of a video", _faces_text)
    parser.add_argument("--video", type=_path, required=True, help="video or image with people")
    parser.add_argument("--output", type=_path, help="folder for a picture of each")


def _add_predict(commands: Any) -> None:
    parser = _add(commands, "predict", _predict, "turn speech into expression curves", _path_text)
    parser.add_argument("--audio", type=_path, required=True, help="any file with speech")
    parser.add_argument("--fps", default="25", help="rate of the curves, 25 or 30000/1001")
    parser.add_argument("--frame-count", type=int, help="frames to predict")
    parser.add_argument("--output", type=_path, required=True, help=".json or .safetensors")
    _add_settings(parser, "strength", "smoothing", "a2ep")


def _add_mesh(commands: Any) -> None:
    parser = _add(commands, "mesh", _mesh, "write the posed mesh of a video", _path_text)
    parser.add_argument("--video", type=_path, help="video or image to follow the face of")
    parser.add_argument("--track", type=_path, help="track to pose the mesh by")
    parser.add_argument("--expression", type=_path, help="curves to use instead of the track's")
    parser.add_argument("--output", type=_path, required=True, help=".npz, .safetensors or .obj")
    _add_settings(parser, "tracker", "face_model", "device")


def _add_sync(commands: Any) -> None:
    parser = _add(commands, "sync", _sync, "measure whether lips and sound fit", _sync_text)
    parser.add_argument("video", type=_path, help="video of a talking face")
    parser.add_argument("--audio", type=_path, help="sound to compare with, instead of its own")
    parser.add_argument("--plot", type=_path, help="draw the measurement into this .svg file")
    parser.add_argument("--expert", type=_path, help="other weights, or your syncnet_v2.model")


def _add_report(commands: Any) -> None:
    parser = _add(commands, "report", _report, "say whether a finished dub is good", _report_text)
    parser.add_argument("job", type=_path, metavar="JOB_DIR", help="folder of the job")
    parser.add_argument("--output", type=_path, help="page to write (default: in the folder)")


def _add_bench(commands: Any) -> None:
    parser = _add(commands, "bench", _bench, "measure how fast a shot is dubbed here", _bench_text)
    parser.add_argument("--video", type=_path, required=True, help="video with the face")
    parser.add_argument("--audio", type=_path, required=True, help="any file with speech")
    parser.add_argument("--frame-count", type=int, help="number of frames")


def _add_source(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--video", type=_path, required=True, help="video or image with the face")
    parser.add_argument("--start-frame", type=int, default=0, help="first frame, from 0")
    parser.add_argument("--frame-count", type=int, help="number of frames")


# -- words for a person ----------------------------------------------------------------------


def _dub_text(result: dict[str, Any]) -> str:
    text = f"{result['output']}: {result['frames']} frames in {result['seconds']} s"
    ranges = result["untouched_frames"]
    left = sum(last - first + 1 for first, last in ranges)
    return text + (f"; {left} frames left as they are" if left else "")


def _faces_text(result: dict[str, Any]) -> str:
    return str(result["text"])


def _path_text(result: dict[str, Any]) -> str:
    return str(next(iter(result.values())))


def _sync_text(result: dict[str, Any]) -> str:
    plot = f"\nPlot: {result['plot']}" if result["plot"] else ""
    return str(result["text"]) + plot


def _report_text(result: dict[str, Any]) -> str:
    from gsmooth_core.evaluation.report.shot_report import describe

    return describe(result)


def _bench_text(result: dict[str, Any]) -> str:
    from gsmooth_core.evaluation.bench.pipeline import describe

    return describe(result)


def _doctor_text(result: dict[str, Any]) -> str:
    return str(result["text"])


def _models_text(result: dict[str, Any]) -> str:
    lines = [
        f"{m['name']:16} {m['licence']:18} {m['path'] or 'not there'}\n"
        f"{'':16} {m['purpose']} ({m['known']})"
        for m in result["models"]
    ]
    return "\n".join([*lines, "Looked for in: " + ", ".join(result["folders"])])
