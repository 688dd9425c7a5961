"""The operators, one a file."""

from . import (
    cancel,
    check_sync,
    check_worker,
    dub_strip,
    install_worker,
    preview_mesh,
    rerender,
    show_preferences,
    view_face,
)

CLASSES = (
    *dub_strip.CLASSES,
    *preview_mesh.CLASSES,
    *rerender.CLASSES,
    *cancel.CLASSES,
    *check_sync.CLASSES,
    *check_worker.CLASSES,
    *install_worker.CLASSES,
    *show_preferences.CLASSES,
    *view_face.CLASSES,
)
