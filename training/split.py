"""Which clip belongs to whom, and which people no model may learn from: stated clip by clip.

The same person goes under several file names, and a person is either trained on or validated
on, never both. `words/` (379 clips of unlabelled news readers and one GRID talker) trains.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class Part(Enum):
    """What a clip is for."""

    TRAIN = "train"
    VALIDATION = "validation"


VALIDATION_SPEAKERS = frozenset(
    {"reagan", "latentsync_man", "liutaocode", "satya", "yoyo", "vincent", "grid_id2", "musk"}
)

UNLABELLED = "news_readers"  # about thirty people under one name

# Clip stem -> speaker. Seen by eye: the two GRID clips of id2 show one man; sbia1a may be the
# talker s1 of words/, so both carry one name.
SPEAKERS = {
    "2010030151-satya-video_dubbing__speech": "satya",
    "BenGoodwin69-vids__Obama": "obama",
    "JOY-MM-JoyGen__demo_example_15s": "joygen",
    "MrWhite429-face_simulate__data_trump": "trump",
    "MrWhite429-face_simulate__data_trump2": "trump",
    "OpenTalker-SadTalker__examples_ref_video_WDA_KatieHill_000": "katiehill",
    "OpenTalker-video-retalking__examples_face_1": "retalking_1",
    "OpenTalker-video-retalking__examples_face_4": "retalking_4",
    "Zumbalamambo-emotion-morphing__src-videos_obama": "obama",
    "aliawan01-testing_deepfake__musk": "musk",
    "aliawan01-testing_deepfake__trump": "trump",
    "bytedance-LatentSync__assets_demo1_video": "latentsync_woman",
    "bytedance-LatentSync__assets_demo2_video": "latentsync_man",
    "deerajnagothu-face2face-demo__obama": "obama",
    "liutaocode-talking_face_preprocessing__data_processing_raw_data_FAzSK8PLmGI": "liutaocode",
    "rizkiarm-LipNet__evaluation_samples_GRID_brbk7n": "grid_brbk7n",
    "rizkiarm-LipNet__evaluation_samples_GRID_lbax4n": "grid_lbax4n",
    "rizkiarm-LipNet__evaluation_samples_GRID_lbbc2a": "grid_lbbc2a",
    "rizkiarm-LipNet__evaluation_samples_GRID_lrwp9a": "grid_lrwp9a",
    "rizkiarm-LipNet__evaluation_samples_GRID_pwij3p": "grid_id2",
    "rizkiarm-LipNet__evaluation_samples_GRID_sbia1a": "grid_s1",
    "rizkiarm-LipNet__evaluation_samples_GRID_swiz3n": "grid_swiz3n",
    "rizkiarm-LipNet__evaluation_samples_id2_vcd_swwp2s": "grid_id2",
    "sstzal-DFRF__dataset_vids_cnn2_25fps": "cnn",
    "sstzal-DFRF__dataset_vids_french": "french",
    "styletalk_Obama_clip1": "obama",
    "styletalk_Obama_clip2": "obama",
    "styletalk_Obama_clip3": "obama",
    "styletalk_andrew_clip_1": "andrew",
    "styletalk_andrew_clip_2": "andrew",
    "styletalk_feifeili_clip1": "feifeili",
    "styletalk_feifeili_clip2_short": "feifeili",
    "styletalk_reagan_clip1": "reagan",
    "tanshuai0219-EDTalk__test_data_pose_source2": "edtalk",
    "tanshuai0219-EDTalk__test_data_uncrop_Obama": "obama",
    "vincent-thevenin-Realistic-Neural-Talking-Head-Models__examples_fine_tuning_test_video": (
        "vincent"
    ),
    "yerfor-Real3DPortrait__data_raw_examples_May_5s": "may",
    "yoyo-nb-Thin-Plate-Spline-Motion-Model__assets_driving": "yoyo",
}


# Frames at 25 fps by which a training clip's sound is late, measured against lips predicted by
# models that had not seen the speaker. The manifest's whole numbers were taken from pictures
# that a converter had brought to 25 fps, which shows clips of 30 fps 1.2 frames too early.
MEASURED_SYNC = {
    "BenGoodwin69-vids__Obama": 2.4,
    "JOY-MM-JoyGen__demo_example_15s": 5.3,
    "MrWhite429-face_simulate__data_trump": 5.9,
    "MrWhite429-face_simulate__data_trump2": 5.4,
    "OpenTalker-SadTalker__examples_ref_video_WDA_KatieHill_000": 3.0,
    "OpenTalker-video-retalking__examples_face_1": -2.1,
    "OpenTalker-video-retalking__examples_face_4": -0.2,
    "Zumbalamambo-emotion-morphing__src-videos_obama": 4.9,
    "aliawan01-testing_deepfake__trump": -0.6,
    "bytedance-LatentSync__assets_demo1_video": -0.1,
    "deerajnagothu-face2face-demo__obama": 0.4,
    "rizkiarm-LipNet__evaluation_samples_GRID_brbk7n": -0.5,
    "rizkiarm-LipNet__evaluation_samples_GRID_lbax4n": -1.1,
    "rizkiarm-LipNet__evaluation_samples_GRID_lbbc2a": 0.5,
    "rizkiarm-LipNet__evaluation_samples_GRID_lrwp9a": 0.3,
    "rizkiarm-LipNet__evaluation_samples_GRID_sbia1a": -0.3,
    "rizkiarm-LipNet__evaluation_samples_GRID_swiz3n": 0.1,
    "sstzal-DFRF__dataset_vids_cnn2_25fps": 0.3,
    "sstzal-DFRF__dataset_vids_french": -0.1,
    "styletalk_Obama_clip1": 4.3,
    "styletalk_Obama_clip2": 2.1,
    "styletalk_Obama_clip3": 3.7,
    "styletalk_andrew_clip_1": 0.3,
    "styletalk_andrew_clip_2": 0.3,
    "styletalk_feifeili_clip1": 0.0,
    "styletalk_feifeili_clip2_short": 0.5,
    "tanshuai0219-EDTalk__test_data_pose_source2": 2.1,
    "tanshuai0219-EDTalk__test_data_uncrop_Obama": 5.9,
    "yerfor-Real3DPortrait__data_raw_examples_May_5s": 2.6,
}
NEWS_READER_SYNC = {25: 1.4, 30: 2.1}
CONVERTER_LAG = 1.2


@dataclass(frozen=True)
class Sample:
    """One clip of the footage.

    Attributes:
        path: the video file.
        speaker: who is seen in it; unlabelled readers share one name.
        sync_offset: frames at 25 fps by which the sound is late, counted from the first picture.
        trusted: whether the manifest's offset was measured with confidence.
    """

    path: Path
    speaker: str
    sync_offset: float
    trusted: bool

    @property
    def stem(self) -> str:
        """Name under which the cache knows the clip."""
        return self.path.stem

    @property
    def part(self) -> Part:
        """Training or validation."""
        return Part.VALIDATION if self.speaker in VALIDATION_SPEAKERS else Part.TRAIN


def speaker_of(stem: str) -> str:
    """Speaker of a clip; clips of `words/` are news readers or GRID's s1.

    Raises:
        KeyError: the clip is in no list, so its part is unknown.
    """
    if stem.startswith("ar__"):
        return UNLABELLED
    if stem.startswith("osalinasv__"):
        return "grid_s1"
    return SPEAKERS[stem]


def best_offset(stem: str, rate: float, manifest: int) -> float:
    """Best knowledge of a clip's offset; validation clips have the manifest's alone."""
    if stem in MEASURED_SYNC:
        return MEASURED_SYNC[stem]
    if stem.startswith("ar__"):
        return NEWS_READER_SYNC[round(rate / 5) * 5]
    return manifest + (CONVERTER_LAG if rate > 29 else 0.0)


def _sample(folder: Path, row: dict[str, str]) -> Sample:
    path = folder / row["file"]
    measured = row.get("sync_C")
    trusted = measured is None or float(measured) > float(row["null_C95"])
    offset = best_offset(path.stem, float(row["fps"]), int(row["sync_offset"]))
    return Sample(path, speaker_of(path.stem), offset, trusted)


def read_manifest(path: Path) -> list[Sample]:
    """Samples of a `manifest.tsv`, whose clips lie beside it."""
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    names = header.split("\t")
    rows = (dict(zip(names, line.split("\t"), strict=True)) for line in lines if line)
    return [_sample(path.parent, row) for row in rows]


def read_footage(footage: Path) -> list[Sample]:
    """All samples of a footage folder: `clips/` first, then `words/`, each by its manifest."""
    manifests = (footage / part / "manifest.tsv" for part in ("clips", "words"))
    return [sample for path in manifests if path.is_file() for sample in read_manifest(path)]
