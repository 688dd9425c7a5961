"""Reading what lends to a person's new frames, and what is learned from it once a job."""

from __future__ import annotations

from contextlib import closing

from gsmooth_core.job.frames import OpenFrames
from gsmooth_core.job.inputs import StageInputs
from gsmooth_core.job.journal import Journal
from gsmooth_core.job.kept import KeptPictures
from gsmooth_core.job.names import JobFile
from gsmooth_core.job.nearby import box_of_crops
from gsmooth_core.job.source import Source
from gsmooth_core.job.stage import Stage, result_of
from gsmooth_core.taft.finish.grain import Grain
from gsmooth_core.taft.finish.grain_file import load_grain, save_grain
from gsmooth_core.taft.finish.sharpness import Sharpness
from gsmooth_core.taft.finish.sharpness_file import load_sharpness, save_sharpness
from gsmooth_core.taft.translate import FaceTranslator
from gsmooth_core.types import Bool


def read_lenders(
    translator: FaceTranslator,
    source: Source,
    journal: Journal,
    inputs: StageInputs,
    only: Bool,
    kept: KeptPictures | None = None,
) -> None:
    """Read what lends to the frames `only` (T,) of a job, unless it was `kept`.

    Once also the clip's grain, and how much detail new mouths of it lack.
    """
    composer, track = translator.composer, translator.track
    box = box_of_crops(composer.transforms, composer.size, track.width, track.height)

    def opened() -> closing[OpenFrames]:
        frames = source.frames(box)
        return closing(frames if kept is None else kept.first(frames))

    def see() -> Grain | None:
        with opened() as frames:
            return translator.read(source.shows(frames))

    def rehearse() -> Sharpness | None:
        if not composer.bank:
            with opened() as frames:
                composer.read(source.shows(frames))
        return translator.rehearse()

    if composer.settings.grain:
        files = "grain", JobFile.GRAIN, inputs.grain()
        translator.grain = result_of(Stage(*files, see, save_grain, load_grain), journal)
    if composer.settings.sharpness:
        files = "sharpness", JobFile.SHARPNESS, inputs.sharpness()
        stage = Stage(*files, rehearse, save_sharpness, load_sharpness)
        translator.sharpness = result_of(stage, journal)
    if not composer.bank:
        with opened() as frames:
            composer.read(source.shows(frames), only)
