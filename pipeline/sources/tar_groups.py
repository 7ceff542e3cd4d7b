"""Tar groups: members in archive order -> media, with the label that neighbours of the same name give.

Only one group is held at a time. A group of more than 64 MiB or 256 members is handed on in parts: what comes
late in it does not reach the parts that are gone.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from pipeline.sources.content import Content, found, outside_source, shown, too_large, unreadable
from pipeline.sources.extra import extra_json
from pipeline.sources.positions import leads_outside, tidy_path
from pipeline.sources.tar_members import FILE, FOLDER, LINK, Member, read_members
from pipeline.sources.tar_sidecars import Sidecars, sidecar_suffix, split_name
from pipeline.sources.tar_stream import BrokenArchive, TarStream

MAX_HELD_BYTES = 64 << 20
MAX_HELD_MEMBERS = 256
KeyOf = Callable[[bytes], str | None]
"""Asked once for each sample of an archive, in order, by member name: its key, or None if not wanted."""


@dataclass(frozen=True, slots=True)
class TarMedia:
    """One member that is a sample; label and extra, a JSON object, are what its sidecars say."""

    key: str
    name: bytes
    content: Content
    label: str | None
    extra: str


@dataclass(slots=True)
class _Group:
    """The members of one base name that were read and not yet handed on."""

    base: bytes | None = None
    sidecars: Sidecars = field(default_factory=Sidecars)
    sidecar_name: bytes | None = None
    has_media: bool = False
    held: list[tuple[str, bytes, Content]] = field(default_factory=list)
    held_bytes: int = 0

    def hold(self, key: str, name: bytes, content: Content) -> None:
        self.held.append((key, name, content))
        self.held_bytes += len(content.media or b"") + len(name)

    def is_full(self, more_bytes: int) -> bool:
        is_heavy = self.held_bytes + more_bytes > MAX_HELD_BYTES
        return bool(self.held) and (is_heavy or len(self.held) >= MAX_HELD_MEMBERS)

    def hand_on(self, label_column: str) -> Iterator[TarMedia]:
        label, extra = self.sidecars.read(label_column)
        text = extra_json(extra)  # once for all neighbours, who may be many
        held, self.held, self.held_bytes = self.held, [], 0
        for key, name, content in held:
            yield TarMedia(key, name, content, label, text)

    def finish(self, label_column: str, key_of: KeyOf) -> Iterator[TarMedia]:
        if self.sidecar_name is not None and not self.has_media:
            key = key_of(self.sidecar_name)
            if key is not None:
                self.hold(key, self.sidecar_name, unreadable("a label without media of the same name beside it"))
        yield from self.hand_on(label_column)


def read_groups(
    stream: TarStream, *, label_column: str, max_file_bytes: int, max_members: int, key_of: KeyOf
) -> Iterator[TarMedia]:
    """Yield every member that is media and wanted, and one for a base name that has sidecars and no media.

    The data of members that are not wanted are not read.
    Raises BrokenArchive, after the last whole member, if the archive is damaged or cut off.
    """
    group = _Group()
    broken: BrokenArchive | None = None
    try:
        for member in read_members(stream, max_members=max_members):
            if member.kind == FOLDER:
                continue
            name = member.name if leads_outside(member.name) else tidy_path(member.name)
            base, extension = split_name(name)
            if base != group.base:
                yield from group.finish(label_column, key_of)
                group = _Group(base)
            suffix = sidecar_suffix(extension)
            if suffix is not None and member.kind == FILE and not leads_outside(name):
                group.sidecar_name = group.sidecar_name or name
                _read_sidecar(stream, member, suffix, group.sidecars)
                continue
            if group.is_full(min(member.size, max_file_bytes)):
                yield from group.hand_on(label_column)
            group.has_media = True
            key = key_of(name)
            if key is not None:
                group.hold(key, name, _read_media(stream, member, max_file_bytes))
    except BrokenArchive as error:
        broken = error
    yield from group.finish(label_column, key_of)
    if broken is not None:
        raise broken


def _read_sidecar(stream: TarStream, member: Member, suffix: bytes, sidecars: Sidecars) -> None:
    if member.size > sidecars.room_bytes:
        sidecars.complain(f"{shown(member.name)} is too large to describe a sample")
        return
    sidecars.add(member.name, suffix, stream.read_all(member.size, shown(member.name)))


def _read_media(stream: TarStream, member: Member, max_file_bytes: int) -> Content:
    if leads_outside(member.name):
        return outside_source("the member's name is absolute or climbs with '..'")
    if member.kind == LINK:
        return outside_source(f"a link to {shown(member.link)}, and links in archives are not followed")
    if member.kind != FILE:
        return unreadable(f"a {member.kind}, not a file")
    if member.size > max_file_bytes:
        return too_large(member.size, max_file_bytes)
    return found(stream.read_all(member.size, shown(member.name)))
