"""Tar archives: a .tar, .tar.gz, .tgz or .tar.zst, or a folder of them -> one sample per media member."""

from collections.abc import Container, Iterator
from dataclasses import dataclass

from pipeline.sources.config import SourceConfig
from pipeline.sources.container_files import find_containers
from pipeline.sources.content import Content, broken_archive, make_sample, unreadable
from pipeline.sources.files import Files
from pipeline.sources.positions import Mentions, cut_position, leads_outside, member_position, top_folder
from pipeline.sources.readable import readable_label
from pipeline.sources.state import digest_state
from pipeline.sources.tar_groups import TarMedia, read_groups
from pipeline.sources.tar_head import looks_like_tar, read_head
from pipeline.sources.tar_stream import BrokenArchive, TarStream
from schemas.errors import UserError
from schemas.sample import Sample, sample_key

TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.zst")


@dataclass(frozen=True, slots=True)
class TarArchives:
    """Nothing is unpacked to disk; the lost rest of a damaged archive is one sample `<archive>#truncated`."""

    config: SourceConfig
    files: Files
    archives: tuple[bytes, ...]
    kind: str = "tar"

    @property
    def name(self) -> str:
        return self.config.name

    def state(self) -> str:
        """The archives by name, size and time tell which samples there are."""
        return digest_state(self.config, self.kind, self.archives, self.files.stamps(self.archives))

    def check(self) -> None:
        """Look at the one archive that is named; those of a folder are judged as they are read. Raises UserError."""
        name = self.files.file_name
        if name is not None and not looks_like_tar(read_head(self.files, name)):
            raise UserError(f"source.path {self.config.path}: not a tar archive, as source.kind or its name says")

    def samples(self, skip: Container[str] = ()) -> Iterator[Sample]:
        """Yield archive by archive, member by member, in the order of their bytes and of the archive."""
        for archive in self.archives:
            yield from self._read_archive(archive, skip)

    def _read_archive(self, archive: bytes, skip: Container[str]) -> Iterator[Sample]:
        config = self.config
        mentions = Mentions()

        def key_of(member: bytes) -> str | None:
            position = member_position(archive, member)
            key = sample_key(config.name, position, mentions.count(position))
            return None if key in skip else key

        try:
            raw = self.files.open_forward(archive)
            with TarStream(raw, max_bytes=config.max_archive_bytes, max_ratio=config.max_ratio) as stream:
                for media in read_groups(
                    stream,
                    label_column=config.label_column,
                    max_file_bytes=config.max_file_bytes,
                    max_members=config.max_archive_members,
                    key_of=key_of,
                ):
                    yield self._make_sample(archive, media)
        except BrokenArchive as error:
            yield from self._account_for_rest(archive, broken_archive(error), skip)
        except OSError as error:
            yield from self._account_for_rest(archive, unreadable(self.files.blame(error)), skip)

    def _make_sample(self, archive: bytes, media: TarMedia) -> Sample:
        label = media.label
        if label is None and not leads_outside(media.name):
            label = readable_label(top_folder(media.name))
        return make_sample(
            media.content,
            member_position(archive, media.name),
            source=self.config.name,
            key=media.key,
            label=label,
            extra=media.extra,
        )

    def _account_for_rest(self, archive: bytes, content: Content, skip: Container[str]) -> Iterator[Sample]:
        position = cut_position(archive)
        key = sample_key(self.config.name, position)
        if key not in skip:
            yield make_sample(content, position, source=self.config.name, key=key, label=None)


def find_tar_archives(config: SourceConfig, files: Files) -> TarArchives:
    """List the archives. Raises UserError if there is none."""
    return TarArchives(config, files, find_containers(config, files, TAR_SUFFIXES))
