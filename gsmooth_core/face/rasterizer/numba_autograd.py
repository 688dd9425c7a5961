"""The compiled kernels as one differentiable operation of torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from gsmooth_core.face.rasterizer import numba_kernels


def _array(tensor: Tensor, dtype: Any) -> Any:
    return np.ascontiguousarray(tensor.detach().cpu().numpy(), dtype)


class _NumbaRaster(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        projected: Tensor,
        attributes: Tensor,
        faces: Tensor,
        height: int,
        width: int,
        cull: bool,
    ) -> tuple[Tensor, ...]:
        inputs = _array(projected, np.float32), _array(faces, np.int32)
        values = _array(attributes, np.float32)
        seen = numba_kernels.visible_faces(*inputs, height, width, cull)
        results = numba_kernels.interpolate(*inputs, values, seen)
        ctx.inputs = (*inputs, values, seen)
        ctx.kinds = projected, attributes
        face_index = torch.from_numpy(seen).to(projected.device)
        ctx.mark_non_differentiable(face_index)
        return face_index, *(torch.from_numpy(result).to(projected) for result in results)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        arrays = [_array(gradient, np.float32) for gradient in upstream[1:]]
        results = numba_kernels.gradients(*ctx.inputs, *arrays)
        to_inputs = (
            torch.from_numpy(result).to(kind)
            for result, kind in zip(results, ctx.kinds, strict=True)
        )
        return (*to_inputs, None, None, None, None)


apply: Any = _NumbaRaster.apply  # torch leaves it untyped
