"""Files appear whole or not at all, and a directory that cannot be used is refused."""

import errno
import os
import stat

import pytest

from identica.io import DataError, atomic_write, output_directory, prepare_output_dir


def names(directory):
    return [path.name for path in directory.iterdir()]


def full_disk(descriptor):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def interrupt(descriptor):
    raise KeyboardInterrupt


@pytest.mark.parametrize(("mode", "content"), [("wb", b"\x00\r\n"), ("w", "é\r\nß\n")])
def test_writes_what_it_is_given(tmp_path, mode, content):
    with atomic_write(tmp_path / "file", mode) as file:
        file.write(content)
    expected = content if mode == "wb" else content.encode()
    assert (tmp_path / "file").read_bytes() == expected
    assert names(tmp_path) == ["file"]


def test_nothing_is_under_the_name_before_the_end(tmp_path):
    with atomic_write(tmp_path / "file", "w") as file:
        file.write("half")
        file.flush()
        assert not (tmp_path / "file").exists()


@pytest.mark.parametrize("before", [None, "old"])
@pytest.mark.parametrize(("fsync", "raised"), [(full_disk, OSError), (interrupt, KeyboardInterrupt)])
def test_a_failure_leaves_what_was_there(tmp_path, monkeypatch, before, fsync, raised):
    path = tmp_path / "file"
    if before is not None:
        path.write_text(before)
    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(raised), atomic_write(path, "w") as file:
        file.write("new")
    assert names(tmp_path) == ([] if before is None else ["file"])
    assert before is None or path.read_text() == before


def test_an_error_of_the_disk_names_the_final_file(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left") as caught, atomic_write(tmp_path / "file"):
        pass
    assert caught.value.filename == str(tmp_path / "file")
    assert caught.value.errno == errno.ENOSPC


def test_an_error_of_the_caller_passes_unchanged(tmp_path):
    with pytest.raises(ZeroDivisionError), atomic_write(tmp_path / "file"):
        raise ZeroDivisionError
    assert names(tmp_path) == []


def test_permissions_follow_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        with atomic_write(tmp_path / "file"):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


def test_a_link_keeps_pointing_to_its_file(tmp_path):
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to("target")
    with atomic_write(tmp_path / "link", "w") as file:
        file.write("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "new"


def test_a_very_long_name_is_possible(tmp_path):
    with atomic_write(tmp_path / ("n" * 255)):
        pass
    assert names(tmp_path) == ["n" * 255]


def test_only_regular_files_are_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="is not a regular file"), atomic_write(tmp_path / "pipe"):
        pass
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_other_modes_are_refused(tmp_path):
    with pytest.raises(ValueError, match="mode='a' is not allowed"), atomic_write(tmp_path / "file", "a"):
        pass


def test_output_directory_is_created_with_its_parents(tmp_path):
    assert prepare_output_dir(tmp_path / "a" / "b").is_dir()
    assert names(tmp_path / "a" / "b") == []


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_a_file_is_no_output_directory(tmp_path, name):
    (tmp_path / "file").write_text("taken")
    with pytest.raises(DataError, match="is not a directory"):
        prepare_output_dir(tmp_path / name)


def test_a_directory_that_cannot_be_written_is_refused():
    # Not even root creates files there.
    with pytest.raises(DataError, match=r"/proc/none cannot be written \(.*\), give one in which you may create"):
        prepare_output_dir("/proc/none")


def test_a_failed_block_takes_its_empty_directories_along(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(ZeroDivisionError), output_directory(tmp_path / "a" / "b" / "c"):
        raise ZeroDivisionError
    assert names(tmp_path / "a") == []


def test_a_failed_block_keeps_what_it_has_written(tmp_path):
    with pytest.raises(FileNotFoundError), output_directory(tmp_path / "a") as directory:
        _write_and_fail(directory / "file")
    assert (tmp_path / "a" / "file").read_text() == "kept"


def _write_and_fail(path):
    path.write_text("kept")
    path.with_name("none").unlink()
