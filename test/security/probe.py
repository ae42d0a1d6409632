"""Deployed as a function: tries to leave its execution environment, and returns what it got away with."""

import ctypes
import errno
import os
import platform
import resource
import socket
import threading
import time

ROOT = {"bin", "dev", "etc", "lib", "lib32", "lib64", "libx32", "opt", "proc", "sbin", "tmp", "usr", "var"}
DEVICES = {"fd", "full", "null", "random", "stderr", "stdin", "stdout", "urandom", "zero"}
READ_ONLY = ["/", "/dev", "/usr", "/etc", "/var/task", "/var/runtime", "/proc/sys"]
HIDDEN = ["/proc/kcore", "/proc/kallsyms", "/proc/keys", "/proc/timer_list", "/proc/sysrq-trigger", "/proc/kmsg"]
# Numbers on x86_64 and aarch64; those above 423 are the same.
CALLS = {
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218),
    "open_by_handle_at": (304, 265), "kexec_load": (246, 104), "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "reboot": (169, 142), "swapon": (167, 224), "settimeofday": (164, 170), "sethostname": (170, 161), "syslog": (103, 116), "acct": (163, 89),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "pidfd_getfd": (438, 438), "mount_setattr": (442, 442),
}  # fmt: skip
CLONE = {"x86_64": 56, "aarch64": 220}
CLONE3 = 435
NAMESPACES = {"mnt": 0x20000, "cgroup": 0x2000000, "uts": 0x4000000, "ipc": 0x8000000, "user": 0x10000000, "pid": 0x20000000, "net": 0x40000000}

libc = ctypes.CDLL(None, use_errno=True)


def syscall(number, *args):
    ctypes.set_errno(0)
    result = libc.syscall(number, *(ctypes.c_ulong(arg) for arg in args))
    return 0 if result >= 0 else ctypes.get_errno()


def status():
    with open("/proc/self/status") as lines:
        return dict(line.rstrip("\n").split(":\t", 1) for line in lines if ":\t" in line)


def rights(event):
    found = status()
    if os.getuid() == 0 or 0 in os.getgroups():
        yield "runs as root"
    if event["root"] and os.getuid() < 1000000000:
        yield "runs as a user of the machine: %d" % os.getuid()
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        if int(found[name], 16) != 0:
            yield "%s is %s" % (name, found[name])
    if found["NoNewPrivs"] != "1":
        yield "may gain rights from programs"
    if found["Seccomp"] != "2":
        yield "has no seccomp filter"


def calls(event):
    machine = platform.machine()
    column = 0 if machine == "x86_64" else 1
    for name, numbers in CALLS.items():
        error = syscall(numbers[column], 0, 0, 0, 0, 0, 0)
        if error != errno.EPERM:
            yield "%s answers %s" % (name, errno.errorcode.get(error, error))
    for name, flag in NAMESPACES.items():
        error = syscall(CALLS["unshare"][column], flag)
        if error != errno.EPERM:
            yield "unshare of %s answers %s" % (name, errno.errorcode.get(error, error))
        ctypes.set_errno(0)
        child = libc.syscall(CLONE[machine], ctypes.c_ulong(flag | 17), 0, 0, 0, 0)
        if child == 0:
            os._exit(0)
        if child > 0:
            os.waitpid(child, 0)
        if child >= 0 or ctypes.get_errno() != errno.EPERM:
            yield "clone into a new %s namespace" % name
    if syscall(CLONE3, 0, 0) != errno.ENOSYS:
        yield "clone3 is there"
    for name, family in (("vsock", 40), ("alg", 38), ("packet", 17), ("key", 15), ("bluetooth", 31)):
        try:
            socket.socket(family, socket.SOCK_RAW if family == 17 else socket.SOCK_STREAM if family == 40 else socket.SOCK_SEQPACKET).close()
            yield "a socket of family %s" % name
        except OSError as error:
            if error.errno != errno.EAFNOSUPPORT:
                yield "a socket of family %s answers %s" % (name, errno.errorcode.get(error.errno))


def files(event):
    odd = set(os.listdir("/")) - ROOT - set(event.get("shown", []))
    if odd:
        yield "sees %s" % sorted(odd)
    for path in ("/root/.ssh", "/home", "/root/.aws", "/etc/shadow", "/.host", event["hostFile"]):
        if os.path.exists(path):
            yield "sees " + path
    for path in READ_ONLY:
        if not os.statvfs(path).f_flag & os.ST_RDONLY:
            yield path + " is writable"
        if not os.statvfs(path).f_flag & os.ST_NOSUID:
            yield path + " takes setuid programs"
    for path in READ_ONLY:
        try:
            with open(os.path.join(path, "probe"), "w"):
                yield "wrote into " + path
        except OSError:
            pass
    odd = set(os.listdir("/dev")) ^ DEVICES
    if odd:
        yield "devices: %s" % sorted(odd)
    for path in HIDDEN:
        try:
            with open(path, "rb") as secret:
                if secret.read(16):
                    yield "reads " + path
        except OSError:
            pass
    disk = os.statvfs("/tmp")
    if disk.f_blocks * disk.f_frsize != event["tmpMb"] * 1024 * 1024:
        yield "/tmp has %d MB" % (disk.f_blocks * disk.f_frsize >> 20)


def processes(event):
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    if len(pids) > 4:
        yield "sees %d processes" % len(pids)
    with open("/proc/1/comm") as name:
        if name.read().strip() != "croft-init":
            yield "process 1 is not its own"
    for path in ("/proc/1/environ", "/proc/1/mem", "/proc/1/maps", "/proc/1/root/etc", "/proc/1/fd"):
        try:
            os.listdir(path) if path.endswith(("fd", "etc")) else open(path, "rb").read(1)
            yield "reads " + path
        except OSError:
            pass
    for number in (9, 19):
        try:
            os.kill(1, number)
        except OSError:
            pass
    for kind, host in event["namespaces"].items():
        if os.readlink("/proc/self/ns/" + kind) == host:
            yield "is in the machine's %s namespace" % kind
    if os.uname().nodename != "localhost":
        yield "knows the machine's name"


def network(event):
    if [name for _, name in socket.if_nameindex()] != ["lo"]:
        yield "has interfaces %s" % socket.if_nameindex()
    targets = [("127.0.0.1", event["hostPort"])] + [(address, event["hostPort"]) for address in event["hostAddresses"]]
    for target in targets:
        try:
            socket.create_connection(target, 0.3).close()
            yield "reaches %s:%d" % target
        except OSError:
            pass
    link = socket.socket(socket.AF_UNIX)
    try:
        link.connect("\0" + event["abstractSocket"])
        yield "reaches an abstract socket of the machine"
    except OSError:
        pass
    finally:
        link.close()


def descriptors(event):
    sockets = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink("/proc/self/fd/" + name)
        except OSError:
            continue
        fd = int(name)
        sockets += target.startswith("socket:")
        expected = "/dev/null" if fd == 0 else "pipe:" if fd in (1, 2) else "socket:"
        if not target.startswith(expected) and target != "/proc/%d/fd" % os.getpid():
            yield "descriptor %d is %s" % (fd, target)
    if sockets != 1:
        yield "has %d sockets" % sockets


def limits(event):
    if resource.getrlimit(resource.RLIMIT_NOFILE) != (1024, 1024) or resource.getrlimit(resource.RLIMIT_CORE) != (0, 0):
        yield "limits are %s files, %s core" % (resource.getrlimit(resource.RLIMIT_NOFILE), resource.getrlimit(resource.RLIMIT_CORE))
    opened = []
    try:
        for _ in range(1100):
            opened.append(os.open("/dev/null", os.O_RDONLY))
        yield "opened %d files" % len(opened)
    except OSError:
        pass
    for fd in opened:
        os.close(fd)


def crowd(event):
    """More threads than it may have, without ending any of them."""
    threading.stack_size(65536)
    stop = threading.Event()
    started = 0
    try:
        for _ in range(1100):
            threading.Thread(target=stop.wait, daemon=True).start()
            started += 1
    except RuntimeError:
        pass
    stop.set()
    if started >= 1090:
        yield "started %d threads" % started


def fill(event):
    """More than /tmp holds."""
    written = 0
    try:
        with open("/tmp/fill", "wb", 0) as out:
            while written < 1024:
                out.write(bytes(1024 * 1024))
                written += 1
        yield "wrote %d MB into /tmp" % written
    except OSError as error:
        if error.errno != errno.ENOSPC:
            yield "writing into /tmp answers %s" % error
    os.unlink("/tmp/fill")


def handler(event, context):
    if event.get("do") == "allocate":
        held = bytearray(event["mb"] * 1024 * 1024)
        for at in range(0, len(held), 4096):
            held[at] = 1
        return len(held)
    if event.get("do") == "leave":
        # A grandchild in a session of its own.
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(600)
            os._exit(0)
        time.sleep(600)
    checks = [rights, calls, files, processes, network, descriptors, limits] + [globals()[name] for name in event.get("more", [])]
    return [found for check in checks for found in check(event)]
