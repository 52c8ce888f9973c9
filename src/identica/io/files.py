"""Writing files whole or not at all, and directories to write them into."""

import errno
import glob
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from identica.io.errors import DataError

__all__ = [
    "atomic_path",
    "atomic_write",
    "check_output_file",
    "output_directory",
    "prepare_output_dir",
    "refuse_to_overwrite",
    "remove_leftovers",
    "write_together",
]


@contextmanager
def atomic_write(path: str | os.PathLike[str], mode: str = "wb") -> Iterator[IO[Any]]:
    """Open a file that appears under its name only when it is complete.

    What is written goes to a hidden temporary file in the same folder; at the end of the block it is
    flushed to the disk and renamed. On any error, an interrupt or a full disk included, the temporary
    file is removed and a file that had the name before stays as it was.

    Parameters
    ----------
    path : str or path
        The final name. A symbolic link is followed.
    mode : {"wb", "w"}, default="wb"
        Binary, or text in UTF-8 with the newlines that are written.

    Yields
    ------
    file
        The open temporary file.

    Raises
    ------
    ValueError
        If `mode` is neither "wb" nor "w".
    DataError
        If `path` exists and is not a regular file.
    OSError
        If the file cannot be created, written or renamed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_write(Path(folder) / "note.txt", "w") as file:
    ...         _ = file.write("done")
    ...     (Path(folder) / "note.txt").read_text()
    'done'
    """
    if mode not in ("wb", "w"):
        raise ValueError(f"mode={mode!r} is not allowed, use 'wb' or 'w'")
    text = {"encoding": "utf-8", "newline": ""} if mode == "w" else {}
    with atomic_path(path) as temporary, temporary.open(mode.replace("w", "x"), **text) as file:  # type: ignore[call-overload]
        yield file


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give the name of a file that appears under its own name only when it is complete, as :func:`atomic_write` does.

    Parameters
    ----------
    path : str or path
        The final name. A symbolic link is followed.

    Yields
    ------
    Path
        The temporary name, for a library that opens files itself; the block has to make a file of it and close it.

    Raises
    ------
    DataError
        If `path` exists and is not a regular file.
    OSError
        If the file cannot be created, written or renamed.
    """
    final = Path(os.path.realpath(path))
    if final.exists() and not final.is_file():
        raise DataError(f"{path} is not a regular file and cannot be replaced, give another name")
    temporary = final.with_name(f".{final.name[:200]}.{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(final)
    except BaseException as error:
        with suppress(FileNotFoundError):
            temporary.unlink()
        if isinstance(error, OSError) and error.filename in (None, str(temporary)):
            # Some libraries raise it without the system's number, and nobody knows the temporary name.
            raise OSError(error.errno or errno.EIO, error.strerror or str(error), str(path)) from error
        raise
    _sync_directory(final.parent)


@contextmanager
def write_together(directory: str | os.PathLike[str]) -> Iterator[Callable[[str, bytes], None]]:
    """Write files that all appear at the end of the block, or none of them where anything fails before.

    Parameters
    ----------
    directory : str or path
        Where they appear.

    Yields
    ------
    callable
        Called with a file's name and its content; all stay open to the end, so let there be some hundreds at most.

    Raises
    ------
    DataError
        If a name is that of something other than a regular file.
    OSError
        If a file cannot be created, written or renamed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with write_together(folder) as write:
    ...         write("a", b"1")
    ...         write("b", b"2")
    ...         before = os.path.exists(Path(folder) / "a")
    ...     before, (Path(folder) / "a").read_bytes()
    (False, b'1')
    """
    with ExitStack() as files:

        def write(name: str, content: bytes) -> None:
            file = files.enter_context(atomic_write(Path(directory) / name))
            file.write(content)
            # A full disk must show before the first file gets its name.
            file.flush()
            os.fsync(file.fileno())

        yield write


def remove_leftovers(path: str | os.PathLike[str]) -> None:
    """Remove what a process that was killed while it wrote a file has left beside it.

    Parameters
    ----------
    path : str or path
        The final name; nobody may be writing it.
    """
    final = Path(os.path.realpath(path))
    for left in final.parent.glob(f".{glob.escape(final.name[:200])}.{'[0-9a-f]' * 8}.tmp"):
        left.unlink(missing_ok=True)


def check_output_file(path: str | os.PathLike[str]) -> None:
    """Check, before any long work, that a file can be written.

    Parameters
    ----------
    path : str or path
        The file.

    Raises
    ------
    DataError
        If its folder is missing or cannot be written, or the name is a directory's.
    """
    folder = Path(os.path.realpath(path)).parent
    if Path(path).is_dir():
        raise DataError(f"output {path} is a directory, give the name of a file")
    if not folder.is_dir():
        raise DataError(f"the folder of {path} does not exist, make it first or give another name")
    prepare_output_dir(folder)


def refuse_to_overwrite(inputs: Iterable[Path | None], outputs: Iterable[Path]) -> None:
    """Check, before any work, that what is written replaces nothing that is read and no directory.

    Parameters
    ----------
    inputs : iterable of Path or None
        Files that are read; None where one is not given.
    outputs : iterable of Path
        Files that will be written. Links are followed.

    Raises
    ------
    DataError
        If one of them is one of the others, or an output is a directory.
    """
    present = [path for path in outputs if path.exists()]
    for path in present:
        if path.is_dir():
            raise DataError(
                f"output {path} is a directory and a file is to be written there, move it or write to another place"
            )
    for given in inputs:
        if given is None or not given.exists():
            continue
        for path in present:
            if path.samefile(given):
                raise DataError(
                    f"output {path} is the file {given} that is read and would be lost, write to another place"
                )


def prepare_output_dir(path: str | os.PathLike[str]) -> Path:
    """Make sure that a directory exists and that files can be written into it.

    Parameters
    ----------
    path : str or path
        The directory; it and its parents are created where missing.

    Returns
    -------
    Path
        The directory.

    Raises
    ------
    DataError
        If it is a file, cannot be created or cannot be written.
    """
    directory = Path(path)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe = directory / f".identica.{secrets.token_hex(4)}.tmp"
        # Root may write where the permission bits say no: only a trial tells.
        probe.touch(exist_ok=False)
        probe.unlink()
    except (FileExistsError, NotADirectoryError) as error:
        raise DataError(f"output {directory} is not a directory, give another one") from error
    except OSError as error:
        raise DataError(
            f"output directory {directory} cannot be written ({error.strerror or error}), "
            "give one in which you may create files"
        ) from error
    return directory


@contextmanager
def output_directory(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Prepare an output directory that leaves nothing behind if the block fails before it writes.

    Parameters
    ----------
    path : str or path
        The directory, as in `prepare_output_dir`.

    Yields
    ------
    Path
        The directory.

    Raises
    ------
    DataError
        If it is a file, cannot be created or cannot be written.
    """
    wanted = Path(path).absolute()
    created = [folder for folder in (wanted, *wanted.parents) if not folder.exists()]
    try:
        yield prepare_output_dir(path)
    except BaseException:
        with suppress(OSError):  # not empty: something was written that is worth keeping
            for folder in created:
                folder.rmdir()
        raise


def _sync_directory(folder: Path) -> None:
    # Makes the rename itself durable; some file systems and Windows refuse to sync a directory.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
