"""Downloading a file that is not ours to ship: once, to a cache, checked by its checksum."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["download"]


def download(url: str, checksum: str, name: str, data_home: str | os.PathLike[str] | None, otherwise: str) -> Path:
    """Return the path of a file in the cache, downloaded where it is not there yet.

    Parameters
    ----------
    url : str
        Where it is.
    checksum : str
        "sha256:..." or "md5:...".
    name : str
        Of the file in the cache.
    data_home : str, path or None
        Folder of the cache; the system's by default.
    otherwise : str
        What to do where this fails, for the message.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ValueError
        If the file that came is not the one that is known.
    OSError
        If the download fails.
    """
    import pooch
    import requests

    folder = pooch.os_cache("identica") if data_home is None else data_home
    target = Path(folder) / name
    try:
        found = pooch.retrieve(url, known_hash=checksum, fname=target.name, path=target.parent)
    except requests.RequestException as error:
        raise OSError(f"{url} cannot be downloaded ({type(error).__name__}): go online once, or {otherwise}") from error
    except ValueError as error:
        raise ValueError(
            f"{url} gives another file than the version that is known, so it is not used: {otherwise}"
        ) from error
    return Path(found)
