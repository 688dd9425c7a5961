"""Times of the rasteriser's back ends on the same mesh, in turns so that both meet the same load.

    python -m tests.benchmarks.bench_rasterizer [--size 256] [--rounds 15] [--gradient]

Prints one line a back end: median and best milliseconds a frame, and the median of the rounds'
ratios to the first back end.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch

from gsmooth_core.face.camera import pose, project
from gsmooth_core.face.rasterizer import available_backends, rasterize_torch
from tests.face.rasterizer.meshes import sphere

VERTICES_A_SIDE = 110  # 12,100 vertices, 23,762 faces, about those of the default face


def frame(backend: str, size: int, gradient: bool, device: str) -> Callable[[], None]:
    """A call that draws one frame, with its backward pass if asked."""
    vertices, faces = sphere(VERTICES_A_SIDE, VERTICES_A_SIDE)
    camera = pose(vertices, np.float32([0.1, 0.2, 0.3]), np.float32([0, 0, -10]))
    points = torch.tensor(project(camera, 4.0 * size, size, size), device=device)
    triangles, colours = torch.tensor(faces, device=device), torch.tensor(vertices, device=device)

    def run() -> None:
        leaf = points.clone().requires_grad_(gradient)
        image = rasterize_torch(leaf, triangles, colours, size, size, backend).image
        if gradient:
            image.square().sum().backward()
        if device != "cpu":
            torch.cuda.synchronize()

    return run


def milliseconds(run: Callable[[], None]) -> float:
    begin = time.perf_counter()
    run()
    return 1e3 * (time.perf_counter() - begin)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--size", type=int, default=256, help="width and height in pixels")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--gradient", action="store_true", help="with the backward pass")
    options = parser.parse_args()
    torch.set_num_threads(1)
    runs = {
        (backend, "cpu"): frame(backend, options.size, options.gradient, "cpu")
        for backend in available_backends()
        if backend != "pytorch3d"  # its CPU kernel takes minutes a frame
    }
    if torch.cuda.is_available():
        for backend in {"torch", "pytorch3d"} & set(available_backends()):
            runs[backend, "cuda"] = frame(backend, options.size, options.gradient, "cuda")
    for run in runs.values():
        run()  # compile, load, allocate
    times = np.array([[milliseconds(run) for run in runs.values()] for _ in range(options.rounds)])
    ratios = np.median(times / times[:, :1], axis=0)
    for (backend, device), column, ratio in zip(runs, times.T, ratios, strict=True):
        best, middle = column.min(), np.median(column)
        print(f"{backend:9} {device:5} median {middle:8.2f} best {best:8.2f} ms  x{ratio:.2f}")


if __name__ == "__main__":
    main()
