"""The download of TRRUST, against a server in this very process."""

import hashlib
import http.server
import threading

import pytest
from reference import shared

from identica.datasets import fetch_trrust, trrust

CONTENT = b"A\tx\tActivation\t1\nB\tx\tRepression\t2\n"


@pytest.fixture
def server(monkeypatch):
    """Serve a small file, and count how often it is asked for."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(CONTENT)

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        monkeypatch.setattr(trrust, "URL", f"http://127.0.0.1:{running.server_port}/{{species}}.tsv")
        monkeypatch.setitem(trrust.CHECKSUMS, "human", "sha256:" + hashlib.sha256(CONTENT).hexdigest())
        yield asked
        running.shutdown()


def test_downloads_once_and_reads(server, tmp_path):
    regulon = fetch_trrust(data_home=tmp_path)
    assert regulon.weights.tolist() == [1.0, -1.0]
    assert len(fetch_trrust("human", tmp_path)) == 2
    assert server == ["/human.tsv"]
    assert [path.name for path in tmp_path.iterdir()] == ["trrust_human.tsv"]


def test_another_file_than_the_known_one_is_refused(server, tmp_path):
    with pytest.raises(ValueError, match="gives another file than the version that is known"):
        fetch_trrust("mouse", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_offline_it_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(trrust, "URL", "http://127.0.0.1:9/{species}.tsv")
    with pytest.raises(OSError, match=r"cannot be downloaded .*read a copy of the file with identica\.datasets\.read"):
        fetch_trrust(data_home=tmp_path)


def test_an_unknown_species_is_refused():
    with pytest.raises(ValueError, match="species='yeast' is not known: use one of human, mouse"):
        fetch_trrust("yeast")


@pytest.mark.parametrize("species", ["human", "mouse"])
def test_the_known_checksums_are_those_of_the_files(species):
    content = (shared("data/trrust") / f"trrust_rawdata.{species}.tsv").read_bytes()
    assert trrust.CHECKSUMS[species] == "sha256:" + hashlib.sha256(content).hexdigest()
