# Tries, from inside a review's view, to change a file of the project itself through descriptors and calls that were meant for reading.
# Prints which calls worked; whether they reached the project is the outside's to tell.
import ctypes, errno, fcntl, mmap, os, struct, sys

name = sys.argv[1]
worked = []


def attempt(label, call):
    try:
        call()
        worked.append(label)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{label}: {error}\n")


def fresh():
    return os.open(name, os.O_RDONLY)


def reopened():
    fd = os.open(f"/proc/self/fd/{fresh()}", os.O_RDWR)
    os.pwrite(fd, b"R", 0)


def mapped():
    fd = os.open(name, os.O_RDWR)
    area = mmap.mmap(fd, 0)
    area[0:1] = b"M"
    area.flush()


def mapped_private_then_protect():
    libc = ctypes.CDLL(None, use_errno=True)
    fd = fresh()
    libc.mmap.restype = ctypes.c_void_p
    place = libc.mmap(None, ctypes.c_size_t(4096), 1, 1, fd, ctypes.c_long(0))
    if libc.mprotect(ctypes.c_void_p(place), ctypes.c_size_t(4096), 3) < 0:
        raise OSError(ctypes.get_errno(), "mprotect")
    ctypes.memset(place, 80, 1)


def old_descriptor():
    before = fresh()
    os.chmod(name, 0o666)
    copied = os.open(name, os.O_RDWR)
    os.pwrite(copied, b"C", 0)
    os.fchmod(before, 0o600)
    os.utime(before, (1, 1))


def linked_back():
    fd = fresh()
    os.link(f"/proc/self/fd/{fd}", name + ".alias", follow_symlinks=True)
    with open(name + ".alias", "r+b") as alias:
        alias.write(b"L")


attempt("reopen", reopened)
attempt("mmap", mapped)
attempt("mprotect", mapped_private_then_protect)
attempt("old descriptor", old_descriptor)
attempt("link", linked_back)
attempt("truncate", lambda: os.truncate(name, 1))
attempt("fchmod", lambda: os.fchmod(fresh(), 0o777))
attempt("utime", lambda: os.utime(fresh(), (2, 2)))
attempt("setxattr", lambda: os.setxattr(fresh(), "user.reached", b"y"))
attempt("allocate", lambda: os.posix_fallocate(os.open(name, os.O_RDWR), 0, 8192))
attempt("flags", lambda: fcntl.ioctl(fresh(), 0x40086602, struct.pack("l", 0x20)))  # FS_IOC_SETFLAGS, append only
attempt("project id", lambda: fcntl.ioctl(fresh(), 0x401C5820, bytes(28)))  # FS_IOC_FSSETXATTR
attempt("clone", lambda: fcntl.ioctl(os.open(name, os.O_RDWR), 0x40049409, fresh()))  # FICLONE
attempt("copy range", lambda: os.copy_file_range(fresh(), os.open(name, os.O_RDWR), 4, 0, 8))
attempt("splice", lambda: os.sendfile(os.open(name, os.O_RDWR), fresh(), 0, 4))
attempt("exchange", lambda: (open("other", "w").close(), os.rename("other", name)))
attempt("whiteout", lambda: os.mknod("white", 0o020000, os.makedev(0, 0)))
attempt("mark", lambda: os.setxattr(".", "user.overlay.opaque", b"y"))
attempt("mark file", lambda: (open("marked", "w").close(), os.setxattr("marked", "user.overlay.whiteout", b"y")))
print("\n".join(worked))
