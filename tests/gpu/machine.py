"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from importlib import metadata

import torch

from tests.gpu import absent
from tests.gpu.part import Part

PACKAGES = (
    "torch", "numpy", "scipy", "numba", "opencv-python-headless", "opencv-python", "transformers",
    "accelerate", "kornia", "safetensors", "onnxruntime", "pytorch3d",
)  # fmt: skip


def run(part: Part) -> None:
    part.figure("python", platform.python_version())
    part.figure("cores", os.cpu_count())
    part.figure("threads", torch.get_num_threads())
    part.figure("packages", versions())
    part.figure("absent", absent.missing())
    part.figure("ffmpeg", shutil.which("ffmpeg"))
    with part.attempt("processor"):
        part.figure("processor", processor())
    if part.device.type == "cuda":
        with part.attempt("card"):
            card(part)


def versions() -> dict[str, str]:
    """Of the packages that are there."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def processor() -> str:
    """Its name, as the system has it."""
    with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def card(part: Part) -> None:
    facts = torch.cuda.get_device_properties(part.device)
    part.figure("card", facts.name)
    part.figure("memory_gib", facts.total_memory / 2**30)
    part.figure("capability", f"{facts.major}.{facts.minor}")
    part.figure("cuda", torch.version.cuda)
    part.figure("cudnn", torch.backends.cudnn.version())
    part.figure("tf32", {"convolutions": torch.backends.cudnn.allow_tf32,
                         "products": torch.backends.cuda.matmul.allow_tf32})  # fmt: skip
    with part.attempt("driver"):
        query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        said = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True)
        part.figure("driver", said.stdout.strip())
