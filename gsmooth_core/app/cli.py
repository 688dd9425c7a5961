"""The command `gsmooth`: its arguments. What the commands do stands in `commands.py`."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import Field, fields
from importlib import import_module
from pathlib import Path
from typing import Any

from gsmooth_core import __version__
from gsmooth_core.app.console import ConsoleReporter, log_to_stderr
from gsmooth_core.app.interruption import interruptible
from gsmooth_core.app.usage import Grouped, HelpfulParser, examples, first_steps
from gsmooth_core.errors import CancelledError
from gsmooth_core.job.events import Cancelled, OnEvent, Outcome, outcome_of, stopped
from gsmooth_core.job.settings import AnimateSettings, DubSettings

Action = Callable[[argparse.Namespace, OnEvent, Cancelled], Mapping[str, Any]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns:
        exit status: 0 only when the result is whole, else the error's own.
    """
    parser = _parser()
    options, unknown = parser.parse_known_args(arguments)
    if "action" not in options:  # nobody knows yet what there is
        parser.print_help(sys.stderr)
        parser.exit(2)
    if unknown:
        options.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    log_to_stderr(logging.DEBUG if options.verbose else logging.ERROR)
    if options.action is None:
        status: int = import_module("gsmooth_core.app.worker").main()
        return status
    commands = import_module("gsmooth_core.app.commands")
    action: Action = getattr(commands, options.action)
    reporter = ConsoleReporter(options.json, getattr(commands, options.to_text))
    with interruptible(lambda: _give_up(reporter)) as cancelled:
        outcome = outcome_of(lambda: action(options, reporter.on_event, cancelled))
        status = _told(reporter, outcome)
    return options.status(outcome) if status == 0 and "status" in options else status


def _told(reporter: ConsoleReporter, outcome: Outcome) -> int:
    """The status with which a command ends, once its end was told."""
    try:
        return reporter.end(outcome)
    except KeyboardInterrupt:  # nobody reads it; leaving by Python would wait for that
        os._exit(CancelledError.exit_code)


def _give_up(reporter: ConsoleReporter) -> None:
    reporter.end(stopped())


def _parser() -> argparse.ArgumentParser:
    parser = HelpfulParser(
        prog="gsmooth",
        description="Give the person in a video new words to say.",
        epilog=first_steps(),
    )
    parser.add_argument("--version", action="version", version=f"gsmooth {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_dub(commands)
    _add_animate(commands)
    _add_track(commands)
    _add_faces(commands)
    _add_predict(commands)
    _add_curves(commands)
    _add_mesh(commands)
    _add_sync(commands)
    _add_report(commands)
    _add_style(commands)
    _add_bench(commands)
    probe = _add(commands, "probe", "probe", "say what is seen in a file", "told_text")
    probe.add_argument(
        "file", type=_path, help="a video, a sound, a picture or a sequence of images"
    )
    _add_fps(probe)
    doctor = _add(commands, "doctor", "doctor", "say what works on this machine", "told_text")
    doctor.set_defaults(status=lambda outcome: 0 if outcome.result["ok"] else 1)
    models = _add(commands, "models", "models", "list the models, or check them", "models_text")
    models.add_argument("what", nargs="?", choices=("list", "verify"), default="list")
    _add(commands, "worker", None, "work for another program through stdin and stdout", "path_text")
    return parser


def _add(
    commands: Any,
    name: str,
    action: str | None,
    text: str,
    to_text: str,
) -> argparse.ArgumentParser:
    about = text[:1].upper() + text[1:] + "."
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=text, description=about, epilog=examples(name)
    )
    parser.set_defaults(action=action, to_text=to_text, parser=parser)
    parser.add_argument("--json", action="store_true", help="events as JSON lines on stdout")
    parser.add_argument("-v", "--verbose", action="store_true", help="tell more on stderr")
    return parser


def _path(word: str) -> Path:
    """A path on the command line; a variable that was empty is no wish for the folder one is in."""
    if not word:
        raise argparse.ArgumentTypeError("the path is empty")
    path = Path(word)
    if path.parts[:1] == ("~",) and not Path("~").exists():  # no shell has read --output=~/a.mp4
        with suppress(RuntimeError):  # nobody's home is known
            return path.expanduser()
    return path


def _spoken(word: str) -> tuple[str, Path]:
    """`NUMBER=FILE`: a person of the video, and what is said."""
    number, mark, file = word.partition("=")
    if not (mark and file and number.isascii() and number.isdigit()):
        raise argparse.ArgumentTypeError(f"'{word}' is not NUMBER=FILE, such as 2=french.wav")
    return str(int(number)), _path(file)


def _add_dub(commands: Any) -> None:
    parser = _add(commands, "dub", "dub", "dub a video with speech or with curves", "dub_text")
    parser.usage = "%(prog)s --video VIDEO --audio AUDIO --output OUTPUT [options]"
    groups = Grouped(parser)
    _add_source(groups.of("video"))
    speech = groups.of("audio").add_mutually_exclusive_group(required=True)
    speech.add_argument("--audio", type=_path, help="any file with speech, a video too")
    speech.add_argument("--expression", type=_path, help="curves or a track to speak with")
    speech.add_argument(
        "--speech",
        type=_spoken,
        action="append",
        metavar="NUMBER=FILE",
        help="speech of one of several people, numbered as by `gsmooth faces`; once for each",
    )
    _add_work(groups)
    for known in fields(DubSettings):
        _add_setting(groups.of(known.name), known)


def _add_animate(commands: Any) -> None:
    parser = _add(commands, "animate", "animate", "make a photo speak and move", "dub_text")
    parser.usage = "%(prog)s --photo PHOTO --audio AUDIO --output OUTPUT [options]"
    parser.set_defaults(start_frame=0, frame_count=None, speech=None)
    groups = Grouped(parser)
    groups.of("video").add_argument(
        "--photo", dest="video", type=_path, required=True, metavar="PHOTO", help="a still picture"
    )
    speech = groups.of("audio").add_mutually_exclusive_group(required=True)
    speech.add_argument("--audio", type=_path, help="any file with speech, a video too")
    speech.add_argument("--expression", type=_path, help="curves or a track to speak with")
    text = "frames a second of the output, 25 or 30000/1001 (default: 25)"
    groups.of("output").add_argument("--fps", default="25", help=text)
    _add_work(groups)
    for moved in fields(AnimateSettings):
        _add_setting(groups.of("moves"), moved)
    left_out = (
        "style",
        "occluders",
        "grain",
        "sharpness",
        "shutter",
        "adapt",
        "keep_rest",
        "timing",
        "keep_source_audio",
        "source_audio_track",
        "reference_gap",
    )  # for clips alone
    for known in fields(DubSettings):
        if known.name not in left_out:
            _add_setting(groups.of(known.name), known)


def _add_work(groups: Grouped) -> None:
    said, written = groups.of("audio"), groups.of("output")
    said.add_argument(
        "--audio-start", type=float, default=0.0, metavar="N", help="seconds into the sound"
    )
    said.add_argument("--audio-duration", type=float, metavar="N", help="seconds of sound to use")
    said.add_argument(
        "--audio-delay", type=float, default=0.0, metavar="N", help="seconds before it begins"
    )
    written.add_argument(
        "--output",
        type=_path,
        required=True,
        help="the file to write (.mp4, .mov, .mkv, .webm), images (out.%%04d.png), or a folder for "
        "images; what lies there of the same name is replaced once the new one is whole",
    )
    written.add_argument(
        "--mix", type=_path, metavar="FILE", help="music and effects that are heard with the speech"
    )
    written.add_argument(
        "--copy-look-of", type=_path, metavar="FILE", help="a video as which the output is coded"
    )
    groups.of("teach").add_argument(
        "--teach",
        type=_path,
        action="append",
        metavar="CLIP",
        help="a clip in which the same person speaks, which shows how; may be given several times",
    )
    groups.of("teach").add_argument(
        "--speaks-like", type=_path, metavar="FILE", help="a way of speaking from `gsmooth style`"
    )
    kept = groups.of("job")
    kept.add_argument(
        "--job", type=_path, metavar="FOLDER", help="folder of the job, kept at the end"
    )
    kept.add_argument(
        "--keep-job", action="store_true", help="keep the job's folder, OUTPUT.gsmooth"
    )


def _add_settings(parser: argparse.ArgumentParser, *names: str) -> None:
    for known in fields(DubSettings):
        if known.name in names:
            _add_setting(parser, known)


def _add_setting(parser: argparse._ActionsContainer, known: Field[Any]) -> None:
    flag, text = "--" + known.name.replace("_", "-"), known.metadata["text"]
    if isinstance(known.default, bool):
        action = argparse.BooleanOptionalAction if known.default else "store_true"  # --no-...
        text += " (default: yes)" if known.default else ""
        parser.add_argument(flag, dest=known.name, action=action, default=None, help=text)
        return
    number, word = isinstance(known.default, int | float), known.name.split("_")[-1].upper()
    parser.add_argument(
        flag,
        dest=known.name,
        type=_as_value(known),
        choices=known.metadata["choices"] or None,
        metavar=None if known.metadata["choices"] else "N" if number else word,
        help=f"{text} (default: {known.default})",
    )


def _as_value(known: Field[Any]) -> Callable[[str], Any]:
    """A setting's word on the command line as a value of the setting's type."""
    kind: Callable[[str], Any] = type(known.default)

    def convert(word: str) -> Any:
        if known.metadata["choices"]:
            return next((c for c in known.metadata["choices"] if str(c) == word), word)
        try:
            return kind(word)
        except ValueError:
            return word  # whoever checks the setting says what it may be

    return convert


def _add_track(commands: Any) -> None:
    parser = _add(commands, "track", "track", "follow the face of a video", "path_text")
    _add_source(parser)
    parser.add_argument("--output", type=_path, required=True, help="track file (.safetensors)")
    _add_settings(parser, "face", "tracker", "looks", "face_model", "device")


def _add_faces(commands: Any) -> None:
    parser = _add(commands, "faces", "faces", "list the people of a video", "told_text")
    _add_source(parser)
    parser.add_argument("--output", type=_path, help="folder for a picture of each")


def _add_predict(commands: Any) -> None:
    text = "turn speech into expression curves"
    parser = _add(commands, "predict", "predict", text, "predict_text")
    parser.add_argument("--audio", type=_path, required=True, help="any file with speech")
    parser.add_argument("--fps", default="25", help="rate of the curves, 25 or 30000/1001")
    parser.add_argument("--frame-count", type=int, help="frames to predict")
    parser.add_argument("--output", type=_path, required=True, help=".json, .csv or .safetensors")
    text = "say which word is spoken when, and where lips do not meet on p, b and m"
    parser.add_argument("--words", action="store_true", help=text)
    _add_settings(parser, "strength", "smoothing", "a2ep", "audio_track")


def _add_curves(commands: Any) -> None:
    text = "write curves in another format, for other rigs too"
    parser = _add(commands, "curves", "curves", text, "path_text")
    parser.add_argument("curves", type=_path, help="curves, a track, or a table (.csv)")
    parser.add_argument("--output", type=_path, required=True, help=".json, .csv or .safetensors")
    parser.add_argument("--fps", help="rate to write, 25 or 30000/1001 (their own by default)")


def _add_mesh(commands: Any) -> None:
    parser = _add(commands, "mesh", "mesh", "write the posed mesh of a video", "path_text")
    parser.add_argument("--video", type=_path, help="video or image to follow the face of")
    _add_fps(parser)
    parser.add_argument("--track", type=_path, help="track to pose the mesh by")
    parser.add_argument("--expression", type=_path, help="curves to use instead of the track's")
    parser.add_argument("--output", type=_path, required=True, help=".npz, .safetensors or .obj")
    _add_settings(parser, "face", "tracker", "looks", "face_model", "device")


def _add_sync(commands: Any) -> None:
    parser = _add(commands, "sync", "sync", "measure whether lips and sound fit", "sync_text")
    parser.add_argument("video", type=_path, help="video of a talking face")
    _add_fps(parser)
    parser.add_argument("--audio", type=_path, help="sound to compare with, instead of its own")
    parser.add_argument("--plot", type=_path, help="draw the measurement into this .svg file")
    parser.add_argument("--expert", type=_path, help="other weights, or your syncnet_v2.model")
    _add_settings(parser, "face")


def _add_report(commands: Any) -> None:
    parser = _add(commands, "report", "report", "say whether a finished dub is good", "told_text")
    parser.add_argument("job", type=_path, metavar="JOB_DIR", help="folder of the job, or its dub")
    parser.add_argument("--output", type=_path, help="page to write (default: in the folder)")
    parser.add_argument("--face", help="number of the person to judge, where several were dubbed")


def _add_style(commands: Any) -> None:
    parser = _add(
        commands, "style", "style", "learn how a person speaks, for --speaks-like", "path_text"
    )
    parser.add_argument(
        "--video",
        type=_path,
        action="append",
        required=True,
        help="a clip in which the person speaks; may be given several times",
    )
    parser.add_argument("--output", type=_path, required=True, help="style file (.safetensors)")
    _add_settings(parser, "tracker", "looks", "face_model", "a2ep", "device")


def _add_bench(commands: Any) -> None:
    parser = _add(commands, "bench", "bench", "measure how fast a shot is dubbed here", "told_text")
    parser.add_argument("--video", type=_path, required=True, help="video with the face")
    _add_fps(parser)
    parser.add_argument("--audio", type=_path, required=True, help="any file with speech")
    parser.add_argument("--frame-count", type=int, help="number of frames")
    text = "file of earlier measurements, one line each, to compare with and to go on with"
    parser.add_argument("--history", type=_path, help=text)


def _add_source(parser: argparse._ActionsContainer) -> None:
    text = "video or image with the face; also a sequence of images (%%04d) or their folder"
    parser.add_argument("--video", type=_path, required=True, help=text)
    _add_fps(parser)
    parser.add_argument(
        "--start-frame", type=int, default=0, metavar="N", help="first frame, from 0"
    )
    parser.add_argument("--frame-count", type=int, metavar="N", help="number of frames")


def _add_fps(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--fps", help="rate of a sequence of images (default: 25)")
