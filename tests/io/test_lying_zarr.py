"""Zarr directories that point elsewhere, or whose metadata or chunks lie: refused by name."""

import json
import shutil
import struct
import warnings
import zlib

import anndata
import numcodecs
import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse as sp
from lying_cells import ENCODING, VALUES, refused

from identica.io import DataError, read_table
from identica.io.budget import Budget
from identica.io.zarr_chunks import SMALL
from identica.io.zarr_store import check_zarr

pytestmark = pytest.mark.filterwarnings("ignore:Writing zarr v2 data", "ignore::UserWarning:anndata")


@pytest.fixture
def store(tmp_path):
    """A good Zarr directory."""
    anndata.AnnData(VALUES).write_zarr(tmp_path / "cells.zarr")
    return tmp_path / "cells.zarr"


def test_a_symbolic_link_in_a_store_is_refused(store, tmp_path):
    (tmp_path / "secret").write_bytes(b"secret")
    (store / "uns" / "there").symlink_to(tmp_path / "secret")
    refused(store, "uns/there is a symbolic link, and links out of the directory are not followed")


def metadata_of(store, name):
    path = next(store / name / each for each in (".zarray", "zarr.json") if (store / name / each).exists())
    return path, json.loads(path.read_text())


@pytest.mark.parametrize("codec", ["pickle", "numcodecs.pickle", "json2", "mine"])
def test_a_codec_that_could_run_code_is_refused(store, codec):
    path, content = metadata_of(store, "X")
    if path.name == ".zarray":
        content["filters"] = [{"id": codec}]
    else:
        content["codecs"].append({"name": codec, "configuration": {}})
    path.write_text(json.dumps(content))
    refused(store, "X is packed by the codec", codec.removeprefix("numcodecs."))


def test_metadata_that_are_repeated_are_not_believed(store):
    path, content = metadata_of(store, "X")
    if path.name == ".zarray":
        whole = {"zarr_consolidated_format": 1, "metadata": {"X/.zarray": {**content, "filters": [{"id": "pickle"}]}}}
        (store / ".zmetadata").write_text(json.dumps(whole))
        refused(store, "is packed by the codec 'pickle'")


@pytest.mark.parametrize("shape", [[10**9, 10**9], [-1, 20], "all", [True, 20], None])
def test_a_shape_that_is_a_lie_is_refused(store, shape):
    path, content = metadata_of(store, "var/_index")
    content["shape"] = shape
    path.write_text(json.dumps(content))
    refused(store)


@pytest.mark.parametrize("text", ["", "[]", "[" * 100_000, '{"shape": ', "null"])
def test_metadata_that_are_none_are_refused(store, text):
    path, _ = metadata_of(store, "X")
    path.write_text(text)
    refused(store, "is damaged")


ZEROS = bytes(SMALL + 1)
PACKERS = {
    "blosc": numcodecs.Blosc("zstd"),
    "zstd": numcodecs.Zstd(),
    "lz4": numcodecs.LZ4(),
    "gzip": numcodecs.GZip(),
    "zlib": numcodecs.Zlib(),
    "bz2": numcodecs.BZ2(),
    "lzma": numcodecs.LZMA(),
}


def packed_by(store, codec, values):
    """Replace X of a store by a single chunk."""
    shutil.rmtree(store / "X")
    told = {"zarr_format": 2, "shape": [60, 20], "chunks": [60, 20], "dtype": "<f4", "fill_value": 0, "order": "C"}
    (store / "X").mkdir()
    (store / "X" / ".zarray").write_text(json.dumps({**told, "filters": None, "compressor": codec.get_config()}))
    (store / "X" / ".zattrs").write_text(json.dumps(ENCODING))
    (store / "X" / "0.0").write_bytes(bytes(codec.encode(values)))


@pytest.mark.parametrize("name", list(PACKERS))
def test_a_chunk_of_zarr_that_becomes_more_is_refused(store, name):
    packed_by(store, PACKERS[name], VALUES)
    np.testing.assert_array_equal(read_table(store).values, VALUES)
    packed_by(store, PACKERS[name], ZEROS)
    refused(store, "X/0.0", "unpacks to more than the 32 MiB that a chunk of X may have")


def test_a_frame_that_does_not_tell_its_length_is_added_up(store):
    packed_by(store, PACKERS["zstd"], VALUES)
    stream = pa.output_stream(store / "X" / "0.0", compression="zstd")
    stream.write(VALUES.tobytes())
    stream.close()
    np.testing.assert_array_equal(read_table(store).values, VALUES)
    with pa.output_stream(store / "X" / "0.0", compression="zstd") as stream:
        stream.write(ZEROS)
    refused(store, "unpacks to more")


def test_chunks_that_are_packed_twice_or_larger_than_their_array_are_refused(store):
    packed_by(store, PACKERS["zlib"], VALUES)
    path, content = metadata_of(store, "X")
    path.write_text(json.dumps({**content, "filters": [{"id": "gzip", "level": 1}]}))
    refused(store, "X is packed several times")
    path.write_text(json.dumps({**content, "chunks": [10**5, 10**5]}))
    refused(store, "X has chunks of 37.3 GiB, and is smaller itself")


@pytest.mark.parametrize("place", ["start", "end"])
def test_chunks_in_shards_are_looked_at(tmp_path, place):
    zarr = pytest.importorskip("zarr", minversion="3")
    sharding = {"shape": (64, 16), "index_location": place}
    group = zarr.open_group(tmp_path / "s.zarr", mode="w", zarr_format=3)
    compressor = zarr.codecs.GzipCodec()
    array = group.create_array(
        "X", shape=(64, 16), chunks=(32, 16), shards=sharding, dtype="f4", compressors=compressor
    )
    array[:] = 1
    check_zarr(tmp_path / "s.zarr", Budget.default(), (), ("X",))
    shard = tmp_path / "s.zarr" / "X" / "c" / "0" / "0"
    lie, length = zlib.compress(ZEROS), 36
    index = np.array([[length if place == "start" else 0, len(lie)], [2**64 - 1] * 2], "<u8").tobytes() + bytes(4)
    shard.write_bytes(index + lie if place == "start" else lie + index)
    with pytest.raises(DataError, match="unpacks to more"):
        check_zarr(tmp_path / "s.zarr", Budget.default(), (), ("X",))


def test_a_part_of_a_sparse_matrix_that_cannot_be_opened_is_told_with_the_directory(tmp_path):
    store = tmp_path / "sparse.zarr"
    anndata.AnnData(sp.csr_matrix(np.round(VALUES))).write_zarr(store)
    path, content = metadata_of(store, "X/data")
    path.write_text(json.dumps({**content, "dimension_separator": "x", "chunk_key_encoding": "x"}))
    refused(store, "is damaged or not AnnData's")


TEXTS = np.array([f"name {i}" for i in range(60)], dtype=object)
STRINGS = {"encoding-type": "string-array", "encoding-version": "0.2.0"}
CROWD = struct.pack("<I", 2**30)
"""Says how many texts there are."""


def said_again(texts):
    return bytes(CROWD + numcodecs.VLenUTF8().encode(texts)[4:])


@pytest.mark.parametrize("name", [*PACKERS, None])
def test_room_is_made_for_no_more_texts_than_a_chunk_has(store, name):
    shutil.rmtree(store / "obs" / "_index")
    (store / "obs" / "_index").mkdir()
    told = {"zarr_format": 2, "shape": [60], "chunks": [60], "dtype": "|O", "fill_value": "", "order": "C"}
    told |= {"filters": [{"id": "vlen-utf8"}], "compressor": name and PACKERS[name].get_config()}
    (store / "obs" / "_index" / ".zarray").write_text(json.dumps(told))
    (store / "obs" / "_index" / ".zattrs").write_text(json.dumps(STRINGS))
    chunk = store / "obs" / "_index" / "0"

    def pack(plain):
        return bytes(PACKERS[name].encode(plain)) if name else plain

    chunk.write_bytes(pack(bytes(numcodecs.VLenUTF8().encode(TEXTS))))
    assert read_table(store).row_names == tuple(TEXTS)
    chunk.write_bytes(pack(said_again(TEXTS)))
    refused(store, "obs/_index/0 says that it has 1073741824 texts, and a chunk of obs/_index has 60")
    chunk.write_bytes(pack(b"\1"))
    refused(store, f"obs/_index/0 is no chunk of {name or 'vlen-utf8'}")


@pytest.mark.parametrize("sharded", [False, True])
@pytest.mark.parametrize("packed", [False, True])
def test_room_is_made_for_no_more_texts_in_version_3(tmp_path, sharded, packed):
    zarr = pytest.importorskip("zarr", minversion="3")
    group = zarr.open_group(tmp_path / "s.zarr", mode="w", zarr_format=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a data type that is not yet in the specification
        array = group.create_array(
            "names",
            shape=(60,),
            chunks=(30,),
            shards=(60,) if sharded else None,
            dtype=str,
            compressors=zarr.codecs.ZstdCodec(checksum=True) if packed else None,
        )
        array[:] = TEXTS
    check_zarr(tmp_path / "s.zarr", Budget.default(), ("names",), ())
    chunk = tmp_path / "s.zarr" / "names" / "c" / "0"
    lie = said_again(TEXTS[:30])
    lie = bytes(numcodecs.Zstd().encode(lie)) if packed else lie
    index = np.array([[0, len(lie)], [2**64 - 1] * 2], "<u8").tobytes() + bytes(4)
    chunk.write_bytes(lie + index if sharded else lie)
    with pytest.raises(DataError, match="names/c/0 says that it has 1073741824 texts, and a chunk of names has 30"):
        check_zarr(tmp_path / "s.zarr", Budget.default(), ("names",), ())


def test_text_that_is_packed_in_an_unknown_way_is_refused(store):
    path, content = metadata_of(store, "obs/_index")
    if path.name == ".zarray":
        content["filters"] = [{"id": "vlen-utf8"}, {"id": "shuffle", "elementsize": 4}]
        content["compressor"] = None
    path.write_text(json.dumps(content))
    refused(store, "obs/_index is text that is packed in an unknown way")


def replaced(store, name, **told):
    """Replace an array of a store of version 2 by one that has no chunks."""
    attributes = (store / name / ".zattrs").read_text()
    shutil.rmtree(store / name)
    (store / name).mkdir()
    common = {"zarr_format": 2, "fill_value": 0, "order": "C", "filters": None, "compressor": None}
    (store / name / ".zarray").write_text(json.dumps(common | told))
    (store / name / ".zattrs").write_text(attributes)


@pytest.mark.parametrize("kind", ["<U10000000", [["a", "<U10000000"]], "<f8,<U10000000"])
def test_elements_are_as_long_as_their_type_says(store, kind):
    replaced(store, "obs/_index", shape=[60], chunks=[60], dtype=kind, fill_value="")
    refused(store, "the names in obs of shape (60,), which takes 0 bytes in the file and 2.24 GiB in memory")


def test_elements_of_version_3_are_as_long_as_their_type_says(tmp_path):
    group = {"zarr_format": 3, "node_type": "group", "attributes": {}}
    array = {"zarr_format": 3, "node_type": "array", "attributes": {}, "shape": [60], "fill_value": "", "codecs": []}
    array |= {"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [60]}}}
    (tmp_path / "s.zarr" / "names").mkdir(parents=True)
    (tmp_path / "s.zarr" / "zarr.json").write_text(json.dumps(group))
    for told, said in (
        ({"length_bytes": 40_000_000}, "2.24 GiB in memory"),
        ({"length_bytes": "x"}, "has no type of"),
        ({"length_bytes": 12}, "names holds text of a fixed length"),
    ):
        kind = {"name": "fixed_length_utf32", "configuration": told}
        (tmp_path / "s.zarr" / "names" / "zarr.json").write_text(json.dumps(array | {"data_type": kind}))
        with pytest.raises(DataError, match=said):
            check_zarr(tmp_path / "s.zarr", Budget.default(), ("names",), ())


@pytest.mark.parametrize("kind", ["<U3", ">U3", [["a", "<f4"], ["b", "<U3"]]])
def test_text_whose_letters_nobody_checks_is_refused(store, kind):
    replaced(store, "obs/_index", shape=[60], chunks=[60], dtype=kind, fill_value=None)
    refused(store, "obs/_index holds text of a fixed length, of which NumPy does not check the letters")


def test_text_and_columns_are_small_together(store):
    replaced(store, "obs/_index", shape=[6_000_000], chunks=[6_000_000], dtype="|O", filters=[{"id": "vlen-utf8"}])
    refused(store, "a set of names and columns that, as declared, takes 0 bytes in the file and 366 MiB in memory")


def test_a_filter_that_makes_numbers_longer_is_refused(store):
    packed_by(store, PACKERS["zlib"], VALUES)
    path, content = metadata_of(store, "X")
    longer = {"id": "fixedscaleoffset", "offset": 0, "scale": 1, "dtype": "<U1000000", "astype": "<f4"}
    path.write_text(json.dumps(content | {"filters": [longer]}))
    refused(store, "X is packed by the codec 'fixedscaleoffset'")


@pytest.mark.parametrize("change", ["nested", "big"])
def test_shards_of_another_form_are_refused(tmp_path, change):
    zarr = pytest.importorskip("zarr", minversion="3")
    group = zarr.open_group(tmp_path / "s.zarr", mode="w", zarr_format=3)
    array = group.create_array("X", shape=(64, 16), chunks=(32, 16), shards=(64, 16), dtype="f4")
    array[:] = 1
    check_zarr(tmp_path / "s.zarr", Budget.default(), (), ("X",))
    path = tmp_path / "s.zarr" / "X" / "zarr.json"
    content = json.loads(path.read_text())
    (shard,) = content["codecs"]
    if change == "nested":
        inner = {**shard["configuration"], "codecs": shard["configuration"]["codecs"]}
        shard["configuration"]["codecs"] = [{"name": "sharding_indexed", "configuration": inner}]
    else:
        shard["configuration"]["index_codecs"] = [{"name": "bytes", "configuration": {"endian": "big"}}]
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match="X is in shards of an unknown form"):
        check_zarr(tmp_path / "s.zarr", Budget.default(), (), ("X",))
