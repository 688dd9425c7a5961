"""In which precision a network works."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch

PRECISIONS = {"float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}


def precisely(
    device: torch.device, precision: str, *, cached: bool = True
) -> AbstractContextManager[object]:
    """The context of one of `PRECISIONS`.

    Args:
        device: that the network is on.
        precision: a key; float32 is left as torch has it, with TF32 in convolutions.
        cached: whether weights are cast once; a captured graph must not hold what is cached.
    """
    dtype = PRECISIONS[precision]
    if dtype is None:
        return nullcontext()
    return torch.autocast(device.type, dtype, cache_enabled=cached)


@contextmanager
def without_tf32() -> Iterator[None]:
    """Convolutions in float32 to the last bit."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before
