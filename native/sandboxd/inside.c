/*
 * Process 1 of an execution environment. It builds the file system, binds the listeners, and then starts, signals and reaps processes
 * as it is told. It begins with the rights of sandboxd in its own namespaces, and keeps them only until it is sealed: before
 * any code of a function can run in here, it has become the function's user, without capabilities, under the same filter.
 */
#include "sandboxd.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The machine's own files, reachable by a privileged init only, until the seal. */
#define HOST "/.host"
#define SOCKET_FD 3
#define SIGNAL_FD 4
/* In a process that is started: log frames, and how execve failed. */
#define FRAMES_FD 4
#define STATUS_FD 5
#define RUNTIME_API_PORT 9001
#define OPEN_FILES_MAX 1024
#define CONNECT_MS 500

enum bind_kind { BIND_READ_ONLY = 1, BIND_IF_THERE = 2, MAKE_LINK = 3, MAKE_FILE = 4, MAKE_DIRECTORY = 5 };
enum spawn_flag { IS_MAIN = 1, HAS_FRAMES = 2 };

struct process {
  uint32_t ref;
  pid_t pid; /* 0: free */
  int main;
};

static struct process processes[PROCESSES_MAX];
static uid_t uid;
static gid_t gid;
static uint32_t pids_max;
static int sealed;

/* ------------------------------------------------------------------------------------------------------------------ reports */

static void send_report(uint32_t kind, uint32_t ref, int32_t a, const char *text, const int *fds, int count) {
  struct report report = {.kind = kind, .ref = ref, .a = a};
  if (text) snprintf(report.text, sizeof report.text, "%s", text);
  struct iovec part = {&report, sizeof report};
  union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(2 * sizeof(int))];
  } control;
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (count > 0) {
    memset(&control, 0, sizeof control);
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
    memcpy(CMSG_DATA(head), fds, (size_t)count * sizeof(int));
  }
  if (sendmsg(SOCKET_FD, &message, MSG_NOSIGNAL) < 0) _exit(1);
}

static char failure[TEXT_BYTES];

/* Notes what failed, with the system's error; -1, so that it can be returned. */
__attribute__((format(printf, 1, 2))) static int fail(const char *format, ...) {
  int error = errno;
  va_list list;
  va_start(list, format);
  int n = vsnprintf(failure, sizeof failure, format, list);
  va_end(list);
  if (n >= 0 && n < (int)sizeof failure) snprintf(failure + n, sizeof failure - (size_t)n, ": %s", strerror(error));
  errno = error;
  return -1;
}

/* ------------------------------------------------------------------------------------------------------------------- rights */

static int drop_capabilities(void) {
  if (layers_off & OFF_CAPABILITIES) return 0;
  /* A user id of 0 gives nothing any more, in here or in what is executed. */
  if (prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
                                 SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED) < 0)
    return fail("securebits");
  for (int i = 0; i < 64; i++)
    if (prctl(PR_CAPBSET_DROP, i) < 0 && errno != EINVAL) return fail("capability bounding set");
  return 0;
}

/* Becomes the function's user, for good. */
static int become_function(void) {
  if (drop_capabilities() < 0) return -1;
  /* Without it, only who still has rights may load a filter. */
  if (layers_off & OFF_NO_NEW_PRIVS && !(layers_off & OFF_SECCOMP) && seccomp_load() < 0) return fail("seccomp");
  if (privileged && !(layers_off & OFF_UID)) {
    if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0) return fail("user %u", uid);
  }
  if (!(layers_off & OFF_CAPABILITIES)) {
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};
    if (syscall(SYS_capset, &head, none) < 0) return fail("capset");
  }
  if (layers_off & OFF_NO_NEW_PRIVS) return 0;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return fail("no_new_privs");
  if (!(layers_off & OFF_SECCOMP) && seccomp_load() < 0) return fail("seccomp");
  return 0;
}

static void set_limits(void) {
  if (layers_off & OFF_RLIMITS) return;
  struct rlimit files = {OPEN_FILES_MAX, OPEN_FILES_MAX}, core = {0, 0}, tasks = {pids_max, pids_max};
  setrlimit(RLIMIT_NOFILE, &files);
  setrlimit(RLIMIT_CORE, &core);
  if (!(layers_off & OFF_PIDS)) setrlimit(RLIMIT_NPROC, &tasks);
}

/* -------------------------------------------------------------------------------------------------------------- file system */

static int make_parents(const char *path) {
  char copy[PATH_BYTES];
  if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy) return errno = ENAMETOOLONG, -1;
  for (char *at = copy + 1; (at = strchr(at, '/')); *at++ = '/') {
    *at = 0;
    if (mkdir(copy, 0755) < 0 && errno != EEXIST && errno != EROFS) return -1;
  }
  return 0;
}

static int make_file(const char *path, const char *content) {
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (fd < 0) return -1;
  size_t length = strlen(content);
  ssize_t n = length > 0 ? write(fd, content, length) : 0;
  close(fd);
  return n == (ssize_t)length ? 0 : -1;
}

struct mount_attributes {
  uint64_t set, clear, propagation, userns_fd;
};
#define ATTR_READ_ONLY 1
#define ATTR_NO_SETUID 2
#define ATTR_NO_DEVICES 4
#define ATTR_NO_EXECUTION 8
#define NR_MOUNT_SETATTR 442

static int restrict_mount(const char *path, uint64_t attributes) {
  if (layers_off & OFF_READ_ONLY) attributes &= ~(uint64_t)ATTR_READ_ONLY;
  struct mount_attributes change = {.set = attributes};
  if (syscall(NR_MOUNT_SETATTR, AT_FDCWD, path, AT_RECURSIVE, &change, sizeof change) == 0) return 0;
  if (errno != ENOSYS) return -1;
  /* Before Linux 5.12: this mount only, which is all there is where nothing is mounted below. */
  unsigned long flags = MS_REMOUNT | MS_BIND | (attributes & ATTR_READ_ONLY ? MS_RDONLY : 0) | MS_NOSUID | (attributes & ATTR_NO_DEVICES ? MS_NODEV : 0);
  return mount(NULL, path, NULL, flags, NULL);
}

static int bind_mount(const char *source, const char *target, uint64_t attributes) {
  struct stat is;
  if (stat(source, &is) < 0) return -1;
  if (make_parents(target) < 0) return -1;
  if (S_ISDIR(is.st_mode) ? mkdir(target, 0755) < 0 && errno != EEXIST : make_file(target, "") < 0 && errno != EEXIST) return -1;
  if (mount(source, target, NULL, MS_BIND | MS_REC, NULL) < 0) return -1;
  return restrict_mount(target, attributes);
}

static int apply(uint32_t kind, const char *source, const char *target) {
  char path[2 * PATH_BYTES];
  switch (kind) {
    case BIND_READ_ONLY:
    case BIND_IF_THERE:
      snprintf(path, sizeof path, "%s%s", HOST, source);
      if (bind_mount(path, target, ATTR_READ_ONLY | ATTR_NO_SETUID | ATTR_NO_DEVICES) == 0) return 0;
      return kind == BIND_IF_THERE && errno == ENOENT ? 0 : fail("mount %.80s at %.60s", source, target);
    case MAKE_LINK:
      if (make_parents(target) < 0 || (symlink(source, target) < 0 && errno != EEXIST)) return fail("link %.80s", target);
      return 0;
    case MAKE_FILE:
      if (make_parents(target) < 0 || make_file(target, source) < 0) return fail("file %.80s", target);
      return 0;
    case MAKE_DIRECTORY:
      if (make_parents(target) < 0 || (mkdir(target, 0755) < 0 && errno != EEXIST)) return fail("directory %.80s", target);
      return 0;
    default:
      errno = EINVAL;
      return fail("mount of kind %u", kind);
  }
}

static int apply_all(struct reader *in) {
  uint32_t count = read_u32(in);
  for (uint32_t i = 0; i < count && !in->bad; i++) {
    uint32_t kind = read_u32(in);
    char *source = read_text(in);
    char *target = read_text(in);
    if (in->bad) break;
    if (apply(kind, source, target) < 0) return -1;
  }
  if (in->bad) return errno = EBADMSG, fail("mounts");
  return 0;
}

static int make_devices(void) {
  static const char *const names[] = {"null", "zero", "full", "random", "urandom", NULL};
  if (layers_off & OFF_DEVICES) return bind_mount(HOST "/dev", "/dev", ATTR_NO_SETUID);
  if (mkdir("/dev", 0755) < 0 || mount("dev", "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "size=64k,mode=755") < 0) return fail("/dev");
  for (int i = 0; names[i]; i++) {
    char source[64], target[64];
    snprintf(source, sizeof source, HOST "/dev/%s", names[i]);
    snprintf(target, sizeof target, "/dev/%s", names[i]);
    if (bind_mount(source, target, ATTR_NO_SETUID | ATTR_NO_EXECUTION) < 0) return fail("%s", target);
  }
  if (symlink("/proc/self/fd", "/dev/fd") < 0 || symlink("/proc/self/fd/0", "/dev/stdin") < 0 || symlink("/proc/self/fd/1", "/dev/stdout") < 0 ||
      symlink("/proc/self/fd/2", "/dev/stderr") < 0 || restrict_mount("/dev", ATTR_READ_ONLY) < 0)
    return fail("/dev");
  return 0;
}

static int make_proc(void) {
  static const char *const hidden[] = {"kcore",         "keys",  "key-users", "timer_list", "sched_debug", "latency_stats", "sysrq-trigger",
                                       "kmsg",          "kallsyms", "kpagecount", "kpageflags", "kpagecgroup", "vmallocinfo", "slabinfo",
                                       "pagetypeinfo",  "config.gz", NULL};
  static const char *const fixed[] = {"sys", "irq", "bus", "fs", "acpi", "scsi", "driver", "tty", NULL};
  char path[64];
  if (mkdir("/proc", 0555) < 0) return fail("/proc");
  if (layers_off & OFF_PROC) {
    if (mount(HOST "/proc", "/proc", NULL, MS_BIND | MS_REC, NULL) < 0) return fail("/proc");
  } else if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0) {
    return fail("/proc");
  }
  if (layers_off & (OFF_PROC_MASK | OFF_PROC)) return 0;
  for (int i = 0; hidden[i]; i++) {
    snprintf(path, sizeof path, "/proc/%s", hidden[i]);
    if (mount(HOST "/dev/null", path, NULL, MS_BIND, NULL) < 0 && errno != ENOENT) return fail("%s", path);
  }
  for (int i = 0; fixed[i]; i++) {
    snprintf(path, sizeof path, "/proc/%s", fixed[i]);
    if (mount(path, path, NULL, MS_BIND | MS_REC, NULL) < 0) {
      if (errno != ENOENT) return fail("%s", path);
    } else if (restrict_mount(path, ATTR_READ_ONLY) < 0) {
      return fail("%s", path);
    }
  }
  return 0;
}

static int size_tmp(uint32_t megabytes, int first) {
  char options[96];
  if (layers_off & OFF_TMP) return first ? bind_mount(HOST "/tmp", "/tmp", 0) : 0;
  if (first) snprintf(options, sizeof options, "size=%um,mode=700,uid=%u,gid=%u", megabytes, uid, gid);
  else snprintf(options, sizeof options, "size=%um", megabytes);
  if (first && mkdir("/tmp", 0755) < 0) return fail("/tmp");
  if (mount("tmp", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV | (first ? 0 : MS_REMOUNT), options) < 0) return fail("/tmp of %u MB", megabytes);
  return 0;
}

/* The new root: a small tmpfs at `directory` with the machine's below it, hidden, until the seal. */
static int make_root(const char *directory, struct reader *in) {
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) return fail("private mounts");
  if (mount("root", directory, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,mode=755") < 0) return fail("root at %.100s", directory);
  char host[PATH_BYTES];
  snprintf(host, sizeof host, "%s%s", directory, HOST);
  if (mkdir(host, 0700) < 0) return fail("root");
  if (syscall(SYS_pivot_root, directory, host) < 0) return fail("pivot_root");
  if (chdir("/") < 0) return fail("root");
  if (make_proc() < 0 || make_devices() < 0) return -1;
  return apply_all(in);
}

/* ------------------------------------------------------------------------------------------------------------------ network */

static int loopback_up(void) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  struct ifreq request;
  memset(&request, 0, sizeof request);
  memcpy(request.ifr_name, "lo", 3);
  int result = ioctl(fd, SIOCGIFFLAGS, &request);
  request.ifr_flags |= IFF_UP | IFF_RUNNING;
  if (result == 0) result = ioctl(fd, SIOCSIFFLAGS, &request);
  close(fd);
  return result;
}

static struct sockaddr_in loopback(uint32_t port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

static int listen_at(uint32_t port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  struct sockaddr_in address = loopback(port);
  int yes = 1;
  if (fd < 0) return -1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 128) < 0) return close(fd), -1;
  return fd;
}

/* Each goes to the platform, which answers there. */
static int open_listeners(struct reader *in) {
  uint32_t count = read_u32(in);
  for (uint32_t i = 0; i < count && !in->bad; i++) {
    uint32_t port = read_u32(in);
    int fd = in->bad ? -1 : listen_at(port);
    if (fd < 0) return fail("listen at %u", port);
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &size) < 0) return fail("listen at %u", port);
    send_report(IS_LISTENING, port, ntohs(address.sin_port), NULL, &fd, 1);
    close(fd);
  }
  return 0;
}

static void connect_to(struct reader *in) {
  uint32_t ref = read_u32(in);
  uint32_t port = read_u32(in);
  struct sockaddr_in address = loopback(port);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error = 0;
  socklen_t size = sizeof error;
  if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
    struct pollfd ready = {fd, POLLOUT, 0};
    if (errno != EINPROGRESS) error = errno;
    else if (poll(&ready, 1, CONNECT_MS) <= 0) error = ETIMEDOUT;
    else getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  }
  if (fd < 0 || error) send_report(IS_FAILED, ref, error, strerror(error ? error : errno), NULL, 0);
  else send_report(IS_CONNECTED, ref, 0, NULL, &fd, 1);
  if (fd >= 0) close(fd);
}

/* ---------------------------------------------------------------------------------------------------------------- processes */

static struct process *process_of(uint32_t ref) {
  for (int i = 0; i < PROCESSES_MAX; i++)
    if (processes[i].pid != 0 && processes[i].ref == ref) return &processes[i];
  return NULL;
}

static int running(void) {
  int count = 0;
  for (int i = 0; i < PROCESSES_MAX; i++) count += processes[i].pid != 0;
  return count;
}

/* The group of a process by its line in /proc: behind the name, which may hold anything. */
static pid_t group_of(const char *pid) {
  char path[64], text[512];
  snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  if (n <= 0) return -1;
  text[n] = 0;
  char *behind = strrchr(text, ')');
  int parent, group;
  char state;
  return behind && sscanf(behind + 1, " %c %d %d", &state, &parent, &group) == 3 && state != 'Z' ? group : -1;
}

/* SIGKILL to all but init and the groups of processes that are noted: until a pass finds none, for a process may fork meanwhile. */
static void kill_strays(pid_t also) {
  if (also > 1) kill(-also, SIGKILL);
  for (int found = 1, passes = 0; found && passes < 100; passes++) {
    found = 0;
    DIR *list = opendir("/proc");
    if (!list) return;
    for (struct dirent *one; (one = readdir(list));) {
      if (one->d_name[0] < '1' || one->d_name[0] > '9') continue;
      pid_t pid = atoi(one->d_name), group = group_of(one->d_name);
      int known = pid <= 1 || group < 0;
      for (int i = 0; i < PROCESSES_MAX && !known; i++) known = processes[i].pid != 0 && processes[i].pid == group && group != also;
      if (!known && kill(pid, SIGKILL) == 0) found = 1;
    }
    closedir(list);
  }
}

/* SIGKILL to a process and all that it started. */
static void kill_tree(const struct process *one) {
  if (!one->main) kill(-one->pid, SIGKILL);
  else if (running() == 1) kill(-1, SIGKILL); /* All of this pid namespace but init itself, in one step. */
  else kill_strays(one->pid);
}

static void reap(void) {
  int status;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
    for (int i = 0; i < PROCESSES_MAX; i++) {
      struct process *one = &processes[i];
      if (one->pid != pid) continue;
      uint32_t ref = one->ref;
      int main = one->main, last = running() == 1, ignored;
      one->pid = 0;
      /* What it started and left behind goes with it. */
      if (main && last) {
        kill(-1, SIGKILL);
        while (waitpid(-1, &ignored, 0) > 0 || errno == EINTR) continue;
      } else if (main) {
        kill_strays(0);
      } else {
        kill(-pid, SIGKILL);
      }
      send_report(IS_EXITED, ref, status, NULL, NULL, 0);
      break;
    }
  }
}

static void child_main(int out, int frames, int status, char *file, char *directory, char **args, char **variables) __attribute__((noreturn));
static void child_main(int out, int frames, int status, char *file, char *directory, char **args, char **variables) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGPIPE, SIG_DFL);
  setsid();
  int leak = layers_off & OFF_DESCRIPTORS ? fcntl(SOCKET_FD, F_DUPFD, 64) : -1;
  dup2(out, 1);
  dup2(out, 2);
  if (frames >= 0) dup2(frames, FRAMES_FD);
  else close(FRAMES_FD);
  dup3(status, STATUS_FD, O_CLOEXEC);
  close(SOCKET_FD);
  if (leak < 0) syscall(SYS_close_range, STATUS_FD + 1, ~0u, 0);
  set_limits();
  if ((sealed || become_function() == 0) && chdir(directory) == 0) execve(file, args, variables);
  int error = errno;
  if (write(STATUS_FD, &error, sizeof error) < 0) _exit(126);
  _exit(127);
}

static int read_texts(struct reader *in, char **into) {
  uint32_t count = read_u32(in);
  if (count > STRINGS_MAX) in->bad = 1;
  for (uint32_t i = 0; i < count && !in->bad; i++) into[i] = read_text(in);
  into[in->bad ? 0 : count] = NULL;
  return in->bad ? -1 : 0;
}

static void spawn_process(struct reader *in) {
  static char *args[STRINGS_MAX + 1], *variables[STRINGS_MAX + 1];
  uint32_t ref = read_u32(in), flags = read_u32(in);
  char *file = read_text(in), *directory = read_text(in);
  struct process *slot = NULL;
  for (int i = 0; i < PROCESSES_MAX && !slot; i++) slot = processes[i].pid == 0 ? &processes[i] : NULL;
  int out[2] = {-1, -1}, frames[2] = {-1, -1}, status[2] = {-1, -1}, error = 0;
  if (read_texts(in, args) < 0 || read_texts(in, variables) < 0) error = EBADMSG;
  else if (!slot) error = EAGAIN;
  else if (pipe2(out, O_CLOEXEC) < 0 || pipe2(status, O_CLOEXEC) < 0 || (flags & HAS_FRAMES && pipe2(frames, O_CLOEXEC) < 0)) error = errno;
  pid_t pid = error ? -1 : fork();
  if (pid == 0) child_main(out[1], frames[1], status[1], file, directory, args, variables);
  if (!error && pid < 0) error = errno;
  close(status[1]);
  /* Nothing comes, and the pipe closes, where the program runs. */
  if (!error && read(status[0], &error, sizeof error) > 0) waitpid(pid, NULL, 0);
  close(status[0]);
  close(out[1]);
  if (frames[1] >= 0) close(frames[1]);
  if (error) {
    send_report(IS_FAILED, ref, error, strerror(error), NULL, 0);
  } else {
    *slot = (struct process){ref, pid, (flags & IS_MAIN) != 0};
    int fds[2] = {out[0], frames[0]};
    send_report(IS_SPAWNED, ref, 0, NULL, fds, frames[0] >= 0 ? 2 : 1);
  }
  if (out[0] >= 0) close(out[0]);
  if (frames[0] >= 0) close(frames[0]);
}

/* ----------------------------------------------------------------------------------------------------------------- commands */

/* No way back from here: the machine's files are gone from this mount namespace, and init is as powerless as the function. */
static int seal(void) {
  if (layers_off & OFF_PIVOT) chmod(HOST, 0755);
  else if (umount2(HOST, MNT_DETACH) < 0 || rmdir(HOST) < 0) return fail("leave the machine's root");
  struct mount_attributes change = {.set = layers_off & OFF_READ_ONLY ? 0 : ATTR_READ_ONLY};
  if (change.set && syscall(NR_MOUNT_SETATTR, AT_FDCWD, "/", 0, &change, sizeof change) < 0 &&
      (errno != ENOSYS || mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) < 0))
    return fail("read-only root");
  if (become_function() < 0) return -1;
  /* A change of user takes both away. */
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_DUMPABLE, 0);
  sealed = 1;
  return 0;
}

static void mount_more(struct reader *in) {
  uint32_t ref = read_u32(in), tmp_mb = read_u32(in), close_up = read_u32(in);
  if (sealed) errno = EPERM, fail("sealed");
  else if (apply_all(in) == 0 && open_listeners(in) == 0 && (tmp_mb == 0 || size_tmp(tmp_mb, 0) == 0) && (!close_up || seal() == 0)) {
    send_report(IS_MOUNTED, ref, 0, NULL, NULL, 0);
    return;
  }
  send_report(IS_FAILED, ref, errno, failure, NULL, 0);
  /* Half a seal is none. */
  if (close_up) _exit(1);
}

static void signal_process(struct reader *in) {
  uint32_t ref = read_u32(in), number = read_u32(in);
  struct process *one = process_of(ref);
  if (in->bad || !one) return;
  if (number == SIGKILL) kill_tree(one);
  else if (number == SIGTERM) kill(one->pid, SIGTERM);
}

static void obey(char *bytes, size_t length) {
  struct frame head;
  if (length < sizeof head) return;
  memcpy(&head, bytes, sizeof head);
  struct reader in = {bytes + sizeof head, bytes + length, 0};
  switch (head.op) {
    case OP_MOUNT:
      mount_more(&in);
      return;
    case OP_SPAWN:
      spawn_process(&in);
      return;
    case OP_SIGNAL:
      signal_process(&in);
      return;
    case OP_CONNECT:
      connect_to(&in);
      return;
    default:
      return;
  }
}

static int begin(const struct birth *birth) {
  struct reader in = birth->body;
  uid = read_u32(&in);
  gid = read_u32(&in);
  uint32_t flags = read_u32(&in), tmp_mb = read_u32(&in);
  pids_max = read_u32(&in);
  char *directory = read_text(&in);
  for (int i = 0; i < 4; i++) {
    if (birth->attach[i] < 0) continue;
    if (write(birth->attach[i], "0", 1) < 0) return fail("cgroup");
    close(birth->attach[i]);
  }
  if (!(layers_off & OFF_CGROUP_NAMESPACE) && unshare(CLONE_NEWCGROUP) < 0 && errno != EINVAL) return fail("cgroup namespace");
  if (sethostname("localhost", 9) < 0 && !(layers_off & OFF_UTS)) return fail("hostname");
  if (!(layers_off & OFF_NET) && !(flags & SHARES_NETWORK) && loopback_up() < 0) return fail("loopback");
  if (open_listeners(&in) < 0) return -1;
  if (make_root(directory, &in) < 0 || size_tmp(tmp_mb, 1) < 0) return -1;
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return fail("/dev/null");
  for (int i = 0; i < 3; i++) dup2(null, i);
  close(null);
  send_report(IS_READY, 0, 0, NULL, NULL, 0);
  return 0;
}

void init_main(const struct birth *birth) {
  static char bytes[FRAME_BYTES_MAX];
  sigset_t child;
  char byte;
  /* Everything here signals "all processes": outside of a pid namespace that would be the machine's. */
  if (getpid() != 1) _exit(1);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_NAME, "croft-init");
  if (birth->may_begin >= 0 && read(birth->may_begin, &byte, 1) != 1) _exit(1);
  prctl(PR_SET_DUMPABLE, 0);
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_SETMASK, &child, NULL);
  umask(022);
  if (begin(birth) < 0) {
    send_report(IS_FAILED, 0, errno, failure, NULL, 0);
    _exit(1);
  }
  int signals = signalfd(-1, &child, SFD_CLOEXEC);
  if (signals != SIGNAL_FD && (dup3(signals, SIGNAL_FD, O_CLOEXEC) < 0 || close(signals) < 0)) _exit(1);
  for (;;) {
    struct pollfd ready[2] = {{SOCKET_FD, POLLIN, 0}, {SIGNAL_FD, POLLIN, 0}};
    if (poll(ready, 2, -1) < 0) continue;
    if (ready[1].revents) {
      struct signalfd_siginfo info;
      if (read(SIGNAL_FD, &info, sizeof info) > 0) reap();
    }
    if (ready[0].revents) {
      ssize_t n = recv(SOCKET_FD, bytes, sizeof bytes, 0);
      if (n <= 0 && errno != EINTR) _exit(0);
      if (n > 0) obey(bytes, (size_t)n);
    }
  }
}
