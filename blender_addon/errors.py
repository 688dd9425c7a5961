"""The one error of the add-on that people see."""


class UserError(Exception):
    """Something the user can put right; the message says what happened and what to do."""
