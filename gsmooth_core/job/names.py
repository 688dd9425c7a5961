"""The names of the files in a job's folder: what stages read and write, and what a clear removes.

Only what stands here, and pieces of a video (`workplace`), is ever written over or removed.
`expression.json`, with a user's edits, is not among them.
"""

from __future__ import annotations


class JobFile:
    """A file of which a job, or a person of it, has one."""

    JOB = "job.json"
    JOURNAL = "journal.jsonl"
    TRACK = "track.safetensors"
    PHOTO = "photo.safetensors"
    REFERENCE = "reference.safetensors"
    CAPTIONS = "captions.safetensors"
    OCCLUDERS = "occluders.safetensors"
    PREDICTED = "predicted.safetensors"
    HEARD = "heard.safetensors"
    MANNER = "manner.safetensors"
    TARGET = "target.safetensors"
    PERSONAL = "personal.safetensors"
    GRAIN = "grain.safetensors"
    SHARPNESS = "sharpness.safetensors"
    MESH = "mesh.safetensors"
    TEXTURE = "texture.png"
    FOUND = "found.safetensors"
    ANSWERS = "answers.bin"
    TURNS = "turns.json"
    WORDS = "words.json"
    SOUND = "sound.wav"
    RATE = "rate.txt"
    WOVEN = "woven.mp4"
    OUTPUTS = "outputs.json"
    REPORT = "report.json"
    PAGE = "report.html"
    QUALITY = "quality.json"
    SYNC = "sync.svg"


NAMES: tuple[str, ...] = tuple(name for key, name in vars(JobFile).items() if key.isupper())
"""All of them."""
