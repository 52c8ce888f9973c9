"""Downloading TRRUST v2, which is not ours to ship: to a cache, checked by its checksum."""

from __future__ import annotations

import os

from identica.datasets.download import download
from identica.datasets.regulon_files import read_regulon
from identica.datasets.regulons import Regulon

__all__ = ["fetch_trrust"]

URL = "https://www.grnpedia.org/trrust/data/trrust_rawdata.{species}.tsv"
CHECKSUMS = {
    "human": "sha256:9b909319ccc8e36588b5a1bd3640e0dfba03936c6fc154cc4304d742bec11bed",
    "mouse": "sha256:4847c960c7c2ce0173b056184137b1cc71e8d61d1b1edc825247504ad882dd55",
}


def fetch_trrust(species: str = "human", data_home: str | os.PathLike[str] | None = None) -> Regulon:
    """Download TRRUST v2, once, and read it.

    The database is published under CC BY-SA 4.0.

    Parameters
    ----------
    species : {"human", "mouse"}, default="human"
        Whose network.
    data_home : str or path, optional
        Folder that keeps the file; the system's cache by default.

    Returns
    -------
    Regulon
        All rows; :meth:`Regulon.clean` makes a network of them.

    Raises
    ------
    ValueError
        If the species is another, or the file that came is not the one that is known.
    OSError
        If the download fails.

    References
    ----------
    H. Han et al., "TRRUST v2: an expanded reference database of human and mouse transcriptional regulatory
    interactions", Nucleic Acids Research 46, 2018.
    """
    if not isinstance(species, str) or species not in CHECKSUMS:
        raise ValueError(f"species={species!r} is not known: use one of {', '.join(CHECKSUMS)}")
    path = download(
        URL.format(species=species),
        CHECKSUMS[species],
        f"trrust_{species}.tsv",
        data_home,
        "read a copy of the file with identica.datasets.read_regulon",
    )
    return read_regulon(path)
