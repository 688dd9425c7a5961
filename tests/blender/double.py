"""A stand-in for the worker: speaks its protocol, makes real files, misbehaves when told to.

`GSMOOTH_DOUBLE` says how: "crash" dies in the middle, "error" answers with an error, "slow" takes
its time and obeys a cancel, "deaf" takes its time and does not, "stages" goes through all of them
and obeys one, "mute" hears no words. With a second request "late" says more about the first,
"gone" dies without a word,
"asleep" does nothing, "parting" nothing after a farewell. "idle" ends itself when it has done one,
"lingering" long after it said so.
"""

import contextlib
import json
import math
import os
import queue
import random
import shutil
import struct
import subprocess
import sys
import threading
import time
from array import array
from pathlib import Path

MANNER = os.environ.get("GSMOOTH_DOUBLE", "")
FRAMES = 40  # of every clip that the tests make
NAMES = ["jawOpen", "mouthSmileLeft", "mouthFunnel"]
cancelled = threading.Event()
requests = queue.SimpleQueue()
number = 0  # of the request that is worked on


class EndedError(Exception):
    """The request has been answered."""


def emit(event, **values):
    sys.stdout.write(json.dumps({"event": event, **values}) + "\n")
    sys.stdout.flush()


def answer(event, **values):
    emit(event, id=number, **values)


def ffmpeg():
    found = shutil.which("ffmpeg")
    if not found:
        import imageio_ffmpeg

        found = imageio_ffmpeg.get_ffmpeg_exe()
    return found


def dub(folder):
    job = json.loads((folder / "job.json").read_text())
    misbehave()
    first = job["start_frame"]
    count = job["frame_count"] or FRAMES - first
    still = job["video"].endswith(".png")
    source = ["-loop", "1", "-pattern_type", "none"] if still else []
    pick = f"trim=start_frame={0 if still else first}:end_frame={(0 if still else first) + count}"
    filters = f"{pick},setpts=N/({job['fps']})/TB,pad=ceil(iw/2)*2:ceil(ih/2)*2"
    command = [ffmpeg(), "-y", "-loglevel", "error", "-nostdin", *source, "-i", job["video"]]
    command += ["-vf", filters, "-r", job["fps"], "-frames:v", str(count), "-an"]
    command += ["-c:v", "libx264", "-crf", "1", "-pix_fmt", "yuv420p", job["output"]]
    edits, last = folder / "expression.json", folder / "double.json"
    curves = edits.read_text() if edits.exists() else ""
    if curves and last.exists() and last.read_text().startswith(curves):
        job["output"] = last.read_text().removeprefix(curves)
        news = {"written": False, "made_frames": [], "touched_frames": []}
    else:
        subprocess.run(command, check=True)
        last.write_text(curves + job["output"])
        news = {"written": True, "made_frames": [[3, 8]], "touched_frames": [[3, 4]]}
    answer("progress", stage="encode", done=count, total=count)
    turned = {f"turned{a}.mp4": a for a in (90, 180, 270)}.get(Path(job["video"]).name, 0)
    shape = {
        "turned": turned,
        "frames": count,
        "fps": job["fps"],
        "size": [64, 36],
        "untouched_frames": [[0, 1]],
        **news,
    }
    lost = {"what": "depth", "text": "10 bits a sample become 8."}
    answer("notice", **lost)
    shape["notices"] = [lost]
    answer("result", result={"output": job["output"], "job": str(folder), **shape})


def misbehave():
    if MANNER == "stages":  # all of them, long enough for something to be done meanwhile
        for stage in ("track", "predict", "render", "encode"):
            for done in range(12):
                answer("progress", stage=stage, done=done, total=12)
                if cancelled.wait(0.1):
                    answer("error", code="cancelled", message="The job was stopped.", hint="")
                    raise EndedError
    for done in range(5 if MANNER in ("", "stages") else 200):
        answer("progress", stage="track", done=done, total=200)
        if MANNER == "crash" and done == 3:
            sys.stderr.write("the dam is broken\n")
            sys.stderr.flush()
            os._exit(13)
        if MANNER == "error":
            answer("error", code="no_face", message="There is no face.", hint="Use another.")
            raise EndedError
        if MANNER == "slow" and cancelled.wait(0.05):
            answer("error", code="cancelled", message="The job was stopped.", hint="")
            raise EndedError
        if MANNER == "deaf":
            time.sleep(0.1)


def mesh(folder):
    """A bumpy little head: 7 frames, values beyond 0..1, turns of more than half a circle."""
    job = json.loads((folder / "job.json").read_text())
    dice = random.Random(3)
    faces, vertices = [], []
    rows, columns = 9, 16
    for i in range(rows):
        for j in range(columns):
            up, round_ = math.pi * (i + 0.5) / rows, 2 * math.pi * j / columns
            vertices += [
                math.sin(up) * math.cos(round_),
                math.cos(up) * 1.3,
                math.sin(up) * math.sin(round_),
            ]
            if i + 1 < rows:
                a, b = i * columns + j, i * columns + (j + 1) % columns
                faces += [a, b, a + columns, b, b + columns, a + columns]
    count = job["frame_count"] or FRAMES - job["start_frame"]
    arrays = {
        "vertices": (array("f", vertices), [rows * columns, 3]),
        "faces": (array("i", faces), [len(faces) // 3, 3]),
        "uvs": (array("f", (dice.random() for _ in range(2 * len(faces)))), [len(faces), 2]),
        "shape_keys": (
            array("f", (dice.uniform(-0.2, 0.2) for _ in range(3 * len(vertices)))),
            [3, rows * columns, 3],
        ),
        "values": (array("f", (dice.uniform(-0.5, 1.5) for _ in range(3 * count))), [count, 3]),
        "rotation": (array("f", (dice.uniform(-2, 2) for _ in range(3 * count))), [count, 3]),
        "translation": (
            array("f", (v for _ in range(count) for v in (dice.random(), dice.random(), -9.0))),
            [count, 3],
        ),
        "usable": (array("B", [1] * count), [count]),
        "tracked": (array("f", (dice.uniform(0, 1) for _ in range(3 * count))), [count, 3]),
    }
    edited = folder / "expression.json"
    if edited.exists():
        rows = json.loads(edited.read_text())["values"]
        arrays["values"] = (array("f", (v for row in rows for v in row)), [count, 3])
    meta = {"names": NAMES, "fps": job["fps"], "focal": 80.0, "width": 64, "height": 36}
    write(folder / "mesh.safetensors", arrays, meta)
    result = {"mesh": str(folder / "mesh.safetensors"), "texture": None}
    answer("result", result=result)


def report(folder, face=None):
    """A seam in the sixth frame of the job, a soft mouth in the eighth, and a late sound.

    Of several people the second one is good but for the ninth frame.
    """
    job = json.loads((folder / "job.json").read_text())
    misbehave()
    if face:
        assert face in job["speech"]
    page = folder / (f"person_{face}" if face else ".") / "report.html"
    page.parent.mkdir(exist_ok=True)
    page.write_text(f"<p>A page about person {face}.</p>")
    checks = [
        {"name": "Lip sync", "kind": "fair", "text": "The sound is 2 frames late."}
        | {"fault": "sound 0.08 s late"},
        {"name": "Seam", "kind": "poor", "text": "An edge can be seen around the mouth."},
        {"name": "Detail", "kind": "good", "text": "97 % of the source's."},
    ]
    worst = [
        {"frame": job["start_frame"] + at, "seconds": at / 25, "reason": why, "score": score}
        for at, why, score in ((5, "an edge", 2.5), (7, "a soft mouth", 1.2), (9, "a jump", 0.4))
    ]
    verdict = "Look at this shot before it goes out: visible edge."
    result = {"verdict": verdict, "kind": "poor", "checks": checks, "worst": worst}
    result |= {"page": str(page), "untouched_frames": [[0, 1]]}
    scores = [None, None, 0.0, 0.1, 0.2, 2.5, 1.0, 1.2, 0.0, 0.4]
    count = job["frame_count"] or FRAMES - job["start_frame"]
    result["scores"] = scores + [0.0] * (count - len(scores))
    if face == "2":
        result |= {"verdict": "This shot is good.", "kind": "good", "checks": checks[2:]}
        result["worst"] = [worst[0] | {"frame": job["start_frame"] + 8, "score": 1.5}]
        result["scores"] = [None, None] + [0.0] * (count - 2)
        result["scores"][8] = 1.5
    untouched = [{"first": 0, "last": 1, "why": "no face"}]
    answer("result", result=result | {"untouched": untouched})


def words(folder, face=None):
    """Three words, the last of which is in the clip's last frames; of a person 2 one, of theirs.

    "mute" has no recogniser.
    """
    misbehave()
    if MANNER == "mute":
        hint = 'Install it with: pip install "gsmooth[words]"'
        answer("error", code="bad_model", message="Words cannot be recognised.", hint=hint)
        raise EndedError
    answer("progress", stage="words", done=0, total=1)
    shut, open_ = ({"letters": "b", "met": met, "start": 0, "end": 1} for met in (True, False))
    unseen, also = shut | {"letters": "p", "met": None}, open_ | {"letters": "m"}
    told = [
        {"text": "bébé,", "start": 0.2, "end": 0.3, "closures": [shut, shut]},
        {"text": "maybe", "start": 0.32, "end": 0.6, "closures": [also, open_, unseen]},
        {"text": "no", "start": 1.1, "end": 1.18, "closures": []},
    ]
    answer("result", result={"language": "en", "words": told[1:2] if face == "2" else told})


def sync(folder):
    """As many frames late as `GSMOOTH_DOUBLE_OFFSET` says; a hundred means not sure."""
    job = json.loads((folder / "job.json").read_text())
    misbehave()
    frames = int(os.environ.get("GSMOOTH_DOUBLE_OFFSET", "3"))
    sure = frames < 100
    text = f"{frames} frames late" if sure else "Lips and sound do not fit well enough to say."
    result = {"offset_frames": frames, "offset_seconds": frames / 25, "confidence": 0.4}
    answer("result", result=result | {"sure": sure, "text": text, "job": job})


def faces(folder):
    """Two people, one of whom speaks."""
    misbehave()
    answer("message", level="warning", text="The light is low.")
    people = []
    (folder / "people").mkdir(exist_ok=True)
    for number, colour in ((1, "red"), (2, "blue")):
        picture = str(folder / "people" / f"person_{number}.png")
        command = [ffmpeg(), "-y", "-loglevel", "error", "-nostdin", "-f", "lavfi"]
        command += ["-i", f"color={colour}:s=150x150", "-frames:v", "1", "-update", "1", picture]
        subprocess.run(command, check=True)
        told = {"number": number, "frames": 9, "width": 80.5, "speaker": number == 2}
        people.append(told | {"thumbnail": picture})
    answer("result", result={"people": people})


def write(path, arrays, meta):
    header = {"__metadata__": {"kind": "gsmooth-mesh", "version": "1"}}
    header["__metadata__"] |= {key: json.dumps(value) for key, value in meta.items()}
    offset, codes = 0, {"f": "F32", "i": "I32", "B": "U8"}
    for name, (values, shape) in arrays.items():
        end = offset + len(values) * values.itemsize
        header[name] = {
            "dtype": codes[values.typecode],
            "shape": shape,
            "data_offsets": [offset, end],
        }
        offset = end
    text = json.dumps(header).encode()
    body = b"".join(values.tobytes() for values, _ in arrays.values())
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def doctor(_folder):
    checks = [{"name": "Python", "ok": True, "detail": "3", "hint": ""}]
    answer("result", result={"checks": checks, "stdin": sys.stdin.encoding})


def listen():
    for line in sys.stdin:
        request = json.loads(line)
        if request["command"] != "cancel":
            requests.put(request)
        elif MANNER != "deaf" and request["id"] == number:
            cancelled.set()
    if MANNER != "deaf":
        os._exit(0)


def again():
    """What there is to a request that is not the first."""
    if MANNER == "late":
        emit("progress", id=number - 1, stage="encode", done=7, total=7)
        emit("error", id=number - 1, code="late", message="It comes too late.")
        emit("error", code="bad_request", message="About a line before.")
        emit("result", id=number - 1, result={"late": True})
    elif MANNER == "gone":
        os._exit(0)
    elif MANNER in ("asleep", "parting"):
        if MANNER == "parting":
            emit("closing")
        time.sleep(60)


def main():
    global number
    emit("ready", version="double")
    threading.Thread(target=listen, daemon=True).start()
    while True:
        request = requests.get()
        cancelled.clear()
        number = request["id"]
        if number > 1:
            again()
        answer("started")
        folder = Path(request["arguments"].get("job", "."))
        with contextlib.suppress(EndedError):
            arguments = request["arguments"]
            words = {"face": arguments["face"]} if "face" in arguments else {}
            COMMANDS[request["command"]](folder, **words)
        if MANNER in ("idle", "lingering"):
            time.sleep(0.3)  # the host has heard the result alone
            emit("closing")
            time.sleep(60 * (MANNER == "lingering"))
            break


COMMANDS = {
    "report": report,
    "dub": dub,
    "mesh": mesh,
    "sync": sync,
    "faces": faces,
    "words": words,
    "doctor": doctor,
}
main()
