"""The operators, one a file."""

from . import (
    cancel,
    check_sync,
    check_worker,
    dub_strip,
    find_people,
    install_worker,
    preview_mesh,
    rerender,
    restore_strip,
    show_preferences,
    versions,
    view_face,
)

CLASSES = (
    *dub_strip.CLASSES,
    *find_people.CLASSES,
    *preview_mesh.CLASSES,
    *rerender.CLASSES,
    *restore_strip.CLASSES,
    *versions.CLASSES,
    *cancel.CLASSES,
    *check_sync.CLASSES,
    *check_worker.CLASSES,
    *install_worker.CLASSES,
    *show_preferences.CLASSES,
    *view_face.CLASSES,
)
