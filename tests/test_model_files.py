"""Model files: where a model is, and what can be said of it without loading it."""

import logging
import os

import pytest

from schemas.errors import UserError
from schemas.model_files import HUB_NAME, file_digest, find_folder, hushed, require_safetensors, weights_digest
from schemas.storage import file_sha256


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "x"}')
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "repo", "inside", "revision"),
    [
        ("owner/name", "owner/name", "", None),
        ("owner/name/unet@v1.0", "owner/name", "/unet", "v1.0"),
        ("owner/name@refs/pr/28", "owner/name", "", "refs/pr/28"),
    ],
)
def test_names_of_the_hub_have_a_repository_a_folder_and_a_revision(name, repo, inside, revision):
    match = HUB_NAME.fullmatch(name)
    assert match is not None
    assert (match["repo"], match["inside"], match["revision"]) == (repo, inside, revision)


def test_a_local_folder_is_found_and_another_is_told(folder):
    assert find_folder(str(folder), key="model") == folder
    with pytest.raises(UserError, match="model = 'no-such'"):
        find_folder("no-such", key="model")


def test_the_digest_follows_weights_and_config(folder):
    before = weights_digest(folder)
    assert weights_digest(folder) == before
    (folder / "model.safetensors").write_bytes(b"Weights")
    os.utime(folder / "model.safetensors", ns=(1, 1))
    changed = weights_digest(folder)
    assert changed != before
    (folder / "config.json").write_text('{"model_type": "y"}')
    assert weights_digest(folder) not in {before, changed}


def test_the_hub_cache_knows_digests_and_files_are_not_read(tmp_path):
    blob = tmp_path / ("ab" * 32)
    blob.write_bytes(b"anything")
    (tmp_path / "model.safetensors").symlink_to(blob)
    assert file_digest(tmp_path / "model.safetensors") == "ab" * 32


def test_other_files_are_digested_by_content(folder):
    path = folder / "model.safetensors"
    assert file_digest(path) == file_sha256(path)


def test_weights_of_another_name_are_not_taken(folder):
    require_safetensors(folder)
    (folder / "model.safetensors").rename(folder / "adapter.safetensors")
    with pytest.raises(UserError, match="no weights"):
        require_safetensors(folder)


class Log:
    """A logging module in the manner of transformers."""

    def __init__(self):
        self.verbosity, self.has_bar = logging.WARNING, True

    def get_verbosity(self):
        return self.verbosity

    def set_verbosity(self, verbosity):
        self.verbosity = verbosity

    def set_verbosity_error(self):
        self.verbosity = logging.ERROR

    def is_progress_bar_enabled(self):
        return self.has_bar

    def disable_progress_bar(self):
        self.has_bar = False

    def enable_progress_bar(self):
        self.has_bar = True


def test_libraries_are_hushed_and_heard_again_after_an_error():
    log = Log()

    def load():
        with hushed(log):
            assert (log.verbosity, log.has_bar) == (logging.ERROR, False)
            raise ValueError

    with pytest.raises(ValueError):
        load()
    assert (log.verbosity, log.has_bar) == (logging.WARNING, True)
