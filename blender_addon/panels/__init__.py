"""Panels and menu entries. Drawing code looks at what is there and does no work."""

from . import (
    dub_panel,
    face_panel,
    menus,
    people_panel,
    quality_panel,
    queue_panel,
    settings_panel,
    sync_panel,
)

CLASSES = (
    *dub_panel.CLASSES,
    *settings_panel.CLASSES,
    *people_panel.CLASSES,
    *queue_panel.CLASSES,
    *face_panel.SEQUENCER,
    *quality_panel.CLASSES,
    *sync_panel.CLASSES,
    *face_panel.VIEWPORT,
    *menus.CLASSES,
)
