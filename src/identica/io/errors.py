"""The one exception that says a file cannot be used."""


class DataError(ValueError):
    """A file, or what is in it, cannot be used; the message is one sentence for the user.

    It says what was given, what is allowed and what to do about it.
    """
