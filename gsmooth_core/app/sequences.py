"""Commands that read a video, for sequences of images too."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import wraps
from typing import Any

from gsmooth_core.job.as_video import read_as_video
from gsmooth_core.job.events import Cancelled, OnEvent
from gsmooth_core.job.job import read_rate

Command = Callable[[argparse.Namespace, OnEvent, Cancelled], dict[str, Any]]


def reads_images(command: Command) -> Command:
    """The command, with `--video` as one file where it means a sequence of images.

    `options.named` is what the user named.
    """

    @wraps(command)
    def run(options: argparse.Namespace, on_event: OnEvent, cancelled: Cancelled) -> dict[str, Any]:
        fps = read_rate("fps", options.fps)
        if options.video is None:
            return command(options, on_event, cancelled)
        options.named = options.video
        with read_as_video(options.video, fps, on_event) as options.video:
            return command(options, on_event, cancelled)

    return run
