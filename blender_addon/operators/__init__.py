"""The operators, one a file."""

from . import (
    cancel,
    check_sync,
    check_worker,
    curve_files,
    dub_strip,
    find_people,
    install_worker,
    preview,
    preview_mesh,
    queue,
    rerender,
    restore_strip,
    send_curves,
    show_preferences,
    versions,
    view_face,
)

CLASSES = (
    *dub_strip.CLASSES,
    *preview.CLASSES,
    *queue.CLASSES,
    *find_people.CLASSES,
    *preview_mesh.CLASSES,
    *rerender.CLASSES,
    *restore_strip.CLASSES,
    *send_curves.CLASSES,
    *curve_files.CLASSES,
    *versions.CLASSES,
    *cancel.CLASSES,
    *check_sync.CLASSES,
    *check_worker.CLASSES,
    *install_worker.CLASSES,
    *show_preferences.CLASSES,
    *view_face.CLASSES,
)
