"""Reading: a position inside a folder -> its bytes; never from outside, never waiting, never endless."""

import errno
import os
import stat
from functools import lru_cache

from pipeline.sources.content import Content, found, outside_source, too_large, unreadable
from pipeline.sources.positions import leads_outside
from schemas.errors import MachineFault

# What a file can be blamed for; every other error (EIO, ENOSPC, EMFILE, ESTALE, ...) is the machine's.
FILE_ERRNOS = frozenset(
    {
        errno.ENOENT,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.EACCES,
        errno.EPERM,
        errno.ELOOP,
        errno.ENAMETOOLONG,
        errno.EINVAL,
        errno.EILSEQ,
        errno.ENXIO,
        errno.ENODEV,
    }
)
NOT_FILES = {
    stat.S_IFDIR: "a folder, not a file",
    stat.S_IFIFO: "a named pipe, not a file",
    stat.S_IFSOCK: "a socket, not a file",
    stat.S_IFCHR: "a device, not a file",
    stat.S_IFBLK: "a device, not a file",
}


class SourceFolder:
    """A folder whose files are read by their path relative to it, in bytes."""

    def __init__(self, root: bytes, *, follow_links: bool, max_file_bytes: int) -> None:
        self.root = root
        self._follow_links = follow_links
        self._max_file_bytes = max_file_bytes
        self._real_folder = lru_cache(maxsize=256)(os.path.realpath)  # neighbours in a list share their folder

    def read(self, position: bytes) -> Content:
        """Return what stands at a position. Raises MachineFault for an error that is not the file's."""
        refusal = refuse_position(position)
        if refusal is not None:
            return refusal
        path = os.path.join(self.root, position)
        try:
            if not self._follow_links and self._is_linked_outside(path):
                return outside_source("a link leads out of the source; source.follow_links allows it")
            return read_regular_file(path, self._max_file_bytes)
        except OSError as error:
            return self.blame(error)

    def blame(self, error: OSError) -> Content:
        """Return `unreadable` if the file is to blame for a system error. Raises MachineFault if not."""
        return unreadable(blame_file(error, self.root))

    def _is_linked_outside(self, path: bytes) -> bool:
        folder, name = os.path.split(path)
        real_path = os.path.join(self._real_folder(folder), name)
        if stat.S_ISLNK(os.lstat(real_path).st_mode):
            real_path = os.path.realpath(real_path)
        real_root = self._real_folder(self.root)
        return not lies_in(real_path, real_root)


def refuse_position(position: bytes) -> Content | None:
    """Return why no file is looked for at a position, None if one is."""
    if leads_outside(position):
        return outside_source("the path is absolute or climbs with '..'")
    if b"\0" in position:
        return unreadable("no file can have a name with a NUL in it")
    return None


def lies_in(real_path: bytes, real_folder: bytes) -> bool:
    """True if a path lies in a folder or is that folder, both without links."""
    return real_path == real_folder or real_path.startswith(os.path.join(real_folder, b""))


def blame_file(error: OSError, root: bytes) -> str:
    """Return what is wrong with a file of the folder `root`. Raises MachineFault if it is not the file."""
    if error.errno not in FILE_ERRNOS:
        raise machine_fault(error) from error
    if error.errno == errno.ENOENT and not os.path.isdir(root):
        raise MachineFault("the source folder itself is gone") from error
    return f"{error.strerror}"


def machine_fault(error: OSError) -> MachineFault:
    """Return the fault to raise for a system error that no file is to blame for."""
    return MachineFault(
        f"reading a source: {errno.errorcode.get(error.errno or 0, 'error')}: {error.strerror or error}"
    )


def read_regular_file(path: bytes, max_bytes: int) -> Content:
    """Return the bytes of a regular file. Raises OSError. A pipe is never opened: that could wait."""
    kind = stat.S_IFMT(os.stat(path).st_mode)
    if kind != stat.S_IFREG:
        return unreadable(NOT_FILES.get(kind, "not a file"))
    with open(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb", buffering=0) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            return unreadable("no longer a file when it was opened")
        if status.st_size > max_bytes:
            return too_large(status.st_size, max_bytes)
        pieces = []
        room = max_bytes + 1  # one more than allowed shows that the file grew
        while room and (piece := file.read(min(room, status.st_size + 1))):
            pieces.append(piece)
            room -= len(piece)
    return found(b"".join(pieces)) if room else too_large(max_bytes + 1, max_bytes)
