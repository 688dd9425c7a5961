"""A layout that notes what is drawn into it, since a module of Blender has no window."""

from __future__ import annotations


class Recorder:
    """Stands for a `UILayout` and for all layouts within it.

    Attributes:
        labels: texts of its labels.
        props: names of the properties that it shows.
        disabled: those of them that cannot be changed.
        buttons: of each operator its name, its text and the properties that were set.
    """

    def __init__(self, parent=None):
        self.labels = parent.labels if parent else []
        self.props = parent.props if parent else []
        self.buttons = parent.buttons if parent else []
        self.icons = parent.icons if parent else []
        self.disabled = parent.disabled if parent else []
        self.enabled = parent.enabled if parent else True

    def _inner(self, **_words):
        return Recorder(self)

    box = row = column = column_flow = grid_flow = _inner

    def label(self, text="", **_words):
        self.labels.append(text)

    def prop(self, _owner, name, **_words):
        self.props.append(name)
        if not self.enabled:
            self.disabled.append(name)

    def progress(self, **words):
        self.labels.append(words["text"])

    def template_icon(self, icon_value, **_words):
        self.icons.append(icon_value)

    def separator(self, **_words):
        pass

    def operator_menu_enum(self, name, _prop, text="", **_words):
        return self.operator(name, text)

    def operator(self, name, text="", **words):
        button = Button(name, text, words.get("depress", False))
        self.buttons.append(button)
        return button


class Button:
    """An operator in a layout; what is set on it stays readable."""

    def __init__(self, name, text, pressed):
        self.name, self.text, self.pressed = name, text, pressed
