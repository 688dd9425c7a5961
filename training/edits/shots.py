"""How well cuts and dissolves are found: made edits of the footage, through a codec, to the frame.

python -m training.edits.shots --footage DATA --output FOLDER
"""

from __future__ import annotations

import argparse
import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from imageio_ffmpeg import get_ffmpeg_exe

from gsmooth_core.media import probe, read_frames
from gsmooth_core.tracking.people.people import People, follow_people
from gsmooth_core.tracking.shots.cuts import CutFinder, find_shots
from gsmooth_core.types import Int
from training.edits.make import Edit, Take, make_edit
from training.split import OWN, Split, read_split

_FEWEST_FRAMES = 100
_QUALITY = ("18", "23", "27")  # of x264, edit by edit
_SLACK = 3  # frames around the black of a fade in which its cut may be found


def main() -> None:
    """Make edits, look for their shots, and print what was found and missed."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--footage", type=Path, required=True, help="folder with clips/")
    parser.add_argument("--split", type=Path, default=OWN, help="who is in which clip")
    parser.add_argument("--output", type=Path, required=True, help="folder for the edits")
    parser.add_argument("--count", type=int, default=30, help="edits to make")
    parser.add_argument("--bars", action="store_true", help="whole frames between black bars")
    parser.add_argument("--people", action="store_true", help="join people over shots, too")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    takes = list(takes_of(options.footage / "clips", read_split(options.split)))
    counts: Counter[str] = Counter()
    for seed in range(options.count):
        edit = make_edit(some(takes, seed), seed, bars=options.bars)
        path = options.output / f"edit_{seed:02d}.mp4"
        encode(edit, path, _QUALITY[seed % len(_QUALITY)])
        counts.update(compare(edit, find(path)))
        if options.people:
            found = follow_people(read_frames(probe(path)), lambda *_: None)
            counts.update(who_is_who(edit, found))
    (options.output / "shots.json").write_text(json.dumps(figures(counts), indent=1) + "\n")


def takes_of(folder: Path, split: Split) -> Iterator[Take]:
    """The clips of a folder that show one person whose name is known."""
    for path in sorted(folder.iterdir()):
        speaker = split.speaker_of(path)
        if speaker and not speaker.many and probe(path).frame_count >= _FEWEST_FRAMES:
            yield Take(path, speaker.name)


def some(takes: list[Take], seed: int) -> list[Take]:
    """Two to four takes of different people."""
    rng = np.random.default_rng(100 + seed)
    order, count = rng.permutation(len(takes)), int(rng.integers(2, 5))
    chosen: dict[str, Take] = {}
    for number in order:
        chosen.setdefault(takes[number].speaker, takes[number])
    return list(chosen.values())[:count]


def encode(edit: Edit, path: Path, quality: str) -> None:
    """Write an edit as H.264, 25 frames a second."""
    height, width = edit.frames[0].shape[:2]
    raw = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-video_size", f"{width}x{height}")
    into = ("-c:v", "libx264", "-crf", quality, "-preset", "veryfast", "-pix_fmt", "yuv420p")
    command = [get_ffmpeg_exe(), "-v", "error", "-y", *raw, "-framerate", "25", "-i", "pipe:0"]
    subprocess.run([*command, *into, str(path)], input=np.stack(edit.frames).tobytes(), check=True)


def find(path: Path) -> Int:
    """(T,) shots of a file."""
    cuts = CutFinder()
    for frame in read_frames(probe(path)):
        cuts.begins_shot(frame)
    return find_shots(cuts.thumbnails)


def compare(edit: Edit, shot: Int) -> Counter[str]:
    """What was found of an edit, what was not, and what was found where there is nothing."""
    counts: Counter[str] = Counter()
    both = (shot[1:] >= 0) & (shot[:-1] >= 0)  # the frame behind a dissolve is no cut
    left = {int(t) + 1 for t in np.flatnonzero((shot[1:] != shot[:-1]) & both)}
    for kind, truth in (("cuts", edit.cuts), ("jumps", edit.jumps)):
        counts[kind] += len(truth)
        counts[f"{kind} found"] += len(left & set(truth))
        left -= set(truth)
    for first, last in edit.fades:
        counts["fades"] += 1
        counts["fades found"] += last in left
        left -= set(range(first - _SLACK, last + _SLACK + 1))
    counts["flashes"] += len(edit.flashes)
    counts["cuts at flashes"] += len({t for f in edit.flashes for t in (f, f + 1)} & left)
    counts["false cuts"] += len(left)
    counts.update(_dissolves(edit, shot < 0))
    return counts


def _dissolves(edit: Edit, mixed: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for first, last in edit.dissolves:
        truth = np.zeros(len(mixed), bool)
        truth[first : last + 1] = True
        counts["dissolves"] += 1
        counts["dissolves found"] += bool((mixed & truth).any())
        counts["mixed frames"] += int(truth.sum())
        counts["mixed frames found"] += int((mixed & truth).sum())
        mixed = mixed & ~truth
    counts["false mixed frames"] += int(mixed.sum())
    return counts


def who_is_who(edit: Edit, found: People) -> Counter[str]:
    """Frames given to the right person, to another's, and to a person of their own."""
    counts: Counter[str] = Counter()
    taken: set[str] = set()
    for person in found.people:  # the longest first
        truth = Counter(edit.person[frame] for frame in person.frames)
        speaker, right = truth.most_common(1)[0]
        counts["faces of one person"] += right if speaker not in taken else 0
        counts["faces split off"] += right if speaker in taken else 0
        counts["faces of another person"] += truth.total() - right - truth[""]
        counts["faces in dissolves"] += truth[""]
        taken.add(speaker)
    return counts


def figures(counts: Counter[str]) -> dict[str, float]:
    """The counts, and F1 of hard cuts at exact frames."""
    found, false = counts["cuts found"], counts["false cuts"]
    missed = counts["cuts"] - found
    return {**counts, "F1": round(2 * found / max(2 * found + false + missed, 1), 4)}


if __name__ == "__main__":
    main()
