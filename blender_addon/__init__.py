"""GSmooth in Blender: visual dubbing of strips, and the face behind the picture.

Everything is registered here and nowhere else. The heavy work runs in a worker process
with a Python of its own, which `worker/runtime.py` keeps warm.
"""

from __future__ import annotations


def _parts() -> tuple[tuple[type, ...], tuple[object, ...]]:
    """All classes in the order in which they are registered, and modules with hooks."""
    from . import command_line, operators, panels, preferences
    from .jobs import job_queue
    from .panels import menus
    from .review import people
    from .settings import properties

    classes = (
        *properties.CLASSES,
        *preferences.CLASSES,
        *operators.CLASSES,
        *panels.CLASSES,
    )
    return classes, (properties, people, job_queue, menus, command_line)


def register() -> None:
    """Blender switches the add-on on."""
    import atexit

    import bpy

    from .worker import runtime

    classes, modules = _parts()
    for cls in classes:
        bpy.utils.register_class(cls)
    for module in modules:
        module.register()
    atexit.register(runtime.stop_all)


def unregister() -> None:
    """Blender switches the add-on off; a running job is stopped."""
    import atexit

    import bpy

    from .worker import runtime

    runtime.stop_all()
    atexit.unregister(runtime.stop_all)
    classes, modules = _parts()
    for module in reversed(modules):
        module.unregister()
    for cls in reversed(classes):
        bpy.utils.unregister_class(cls)
