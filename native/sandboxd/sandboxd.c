/*
 * The daemon: reads frames from the platform, forks an init for each environment, hands it what is meant for it, and tells the
 * platform what became of it, with descriptors where there are some. It ends, with everything that it started, when the platform does.
 */
#include "sandboxd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONTROL_FD 3
#define RETRY_MS 10
/* The user inside a user namespace, where there is one: AWS's own sbx_user1051. */
#define USER_INSIDE 993
#define SOCKET_BYTES (1 << 20)

unsigned layers_off;
int privileged;
static int channel = -1;
static int poller = -1;

struct environment {
  uint32_t id;
  int used, leaving;
  pid_t pid; /* 0: gone */
  int socket;
  int memory_kills;
};
static struct environment environments[ENVIRONMENTS_MAX];

/* ------------------------------------------------------------------------------------------------------------------ reading */

uint32_t read_u32(struct reader *in) {
  uint32_t value = 0;
  if (in->bad || in->end - in->at < 4) return in->bad = 1, 0;
  memcpy(&value, in->at, 4);
  in->at += 4;
  return value;
}

char *read_text(struct reader *in) {
  static char none[1];
  uint32_t length = read_u32(in);
  if (in->bad || length == 0 || length > (size_t)(in->end - in->at) || in->at[length - 1] != 0) return in->bad = 1, none;
  char *text = in->at;
  in->at += length;
  return text;
}

/* ------------------------------------------------------------------------------------------------------- telling the platform */

static void send_all(const char *text, size_t length, int fd) {
  union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control;
  while (length > 0) {
    struct iovec part = {(void *)text, length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd >= 0) {
      memset(&control, 0, sizeof control);
      message.msg_control = control.bytes;
      message.msg_controllen = sizeof control.bytes;
      struct cmsghdr *head = CMSG_FIRSTHDR(&message);
      head->cmsg_level = SOL_SOCKET;
      head->cmsg_type = SCM_RIGHTS;
      head->cmsg_len = CMSG_LEN(sizeof(int));
      memcpy(CMSG_DATA(head), &fd, sizeof(int));
    }
    ssize_t n = sendmsg(channel, &message, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) {
      struct pollfd ready = {channel, POLLOUT, 0};
      poll(&ready, 1, -1);
    } else if (n < 0 && errno != EINTR) {
      return; /* The platform is gone: the control channel says so too. */
    } else if (n > 0) {
      fd = -1;
      text += n;
      length -= (size_t)n;
    }
  }
}

/* One event: a line of JSON, as Node.js reads it from an `ipc` channel; with a descriptor it is Node's own handle message. */
static void tell(uint32_t id, const char *event, uint32_t ref, int32_t a, int32_t b, const char *text, const char *type, int fd) {
  char clean[3 * TEXT_BYTES], line[6 * TEXT_BYTES];
  size_t n = 0;
  for (; text && text[n] && n < sizeof clean - 1; n++) clean[n] = text[n] < ' ' || text[n] > '~' || text[n] == '"' || text[n] == '\\' ? '?' : text[n];
  clean[n] = 0;
  int length = snprintf(line, sizeof line, "%s%s%s{\"id\":%u,\"event\":\"%s\",\"ref\":%u,\"a\":%d,\"b\":%d,\"text\":\"%s\"}%s\n",
                        fd >= 0 ? "{\"cmd\":\"NODE_HANDLE\",\"type\":\"" : "", fd >= 0 ? type : "", fd >= 0 ? "\",\"msg\":" : "", id, event, ref, a, b, clean,
                        fd >= 0 ? "}" : "");
  send_all(line, (size_t)length, fd);
}

/* ------------------------------------------------------------------------------------------------------------- environments */

static struct environment *environment_of(uint32_t id) {
  for (int i = 0; i < ENVIRONMENTS_MAX; i++)
    if (environments[i].used && environments[i].id == id) return &environments[i];
  return NULL;
}

static int put(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  ssize_t n = write(fd, text, strlen(text));
  close(fd);
  return n < 0 ? -1 : 0;
}

/* Gives a new user namespace its one user: the caller's, known inside as AWS's. */
static int map_user(pid_t pid) {
  char path[64], line[64];
  snprintf(path, sizeof path, "/proc/%d/setgroups", pid);
  if (put(path, "deny") < 0) return -1;
  snprintf(path, sizeof path, "/proc/%d/uid_map", pid);
  snprintf(line, sizeof line, "%d %u 1", USER_INSIDE, geteuid());
  if (put(path, line) < 0) return -1;
  snprintf(path, sizeof path, "/proc/%d/gid_map", pid);
  snprintf(line, sizeof line, "%d %u 1", USER_INSIDE, getegid());
  return put(path, line);
}

/* The new init's own descriptors: 0, 1, 2 as they are, its socket at 3, what it attaches itself by; nothing else. */
static void become_init(struct birth *birth, int socket) __attribute__((noreturn));
static void become_init(struct birth *birth, int socket) {
  int kept[] = {birth->attach[0], birth->attach[1], birth->attach[2], birth->attach[3], birth->may_begin, socket};
  unsigned from = CONTROL_FD;
  for (;;) {
    unsigned next = ~0u;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
      if (kept[i] >= (int)from && (unsigned)kept[i] < next) next = (unsigned)kept[i];
    if (next > from) syscall(SYS_close_range, from, next == ~0u ? next : next - 1, 0);
    if (next == ~0u) break;
    from = next + 1;
  }
  dup3(socket, CONTROL_FD, O_CLOEXEC);
  close(socket);
  init_main(birth);
}

static void create(uint32_t id, struct reader body) {
  struct environment *one = NULL;
  for (int i = 0; i < ENVIRONMENTS_MAX && !one; i++) one = environments[i].used ? NULL : &environments[i];
  struct reader in = body;
  for (int i = 0; i < 2; i++) read_u32(&in);
  int own_network = !(read_u32(&in) & SHARES_NETWORK) && !(layers_off & OFF_NET);
  read_u32(&in);
  uint32_t pids_max = read_u32(&in);
  int pair[2], begin[2] = {-1, -1};
  if (!one || in.bad || environment_of(id) || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
    tell(id, "failed", 0, errno, 0, one ? "create" : "too many environments", NULL, -1);
    return;
  }
  int bytes = SOCKET_BYTES;
  setsockopt(pair[0], SOL_SOCKET, privileged ? SO_SNDBUFFORCE : SO_SNDBUF, &bytes, sizeof bytes);
  struct birth birth = {.body = body, .may_begin = -1};
  if (!privileged && pipe2(begin, O_CLOEXEC) == 0) birth.may_begin = begin[0];
  cgroup_create(id, pids_max, birth.attach);
  unsigned long flags = CLONE_NEWNS | CLONE_NEWPID | SIGCHLD | (privileged ? 0 : CLONE_NEWUSER) | (own_network ? CLONE_NEWNET : 0) |
                        (layers_off & OFF_IPC ? 0 : CLONE_NEWIPC) | (layers_off & OFF_UTS ? 0 : CLONE_NEWUTS);
  pid_t pid = (pid_t)syscall(SYS_clone, flags, 0, 0, 0, 0);
  int error = errno;
  if (pid == 0) become_init(&birth, pair[1]);
  close(pair[1]);
  for (int i = 0; i < 4; i++)
    if (birth.attach[i] >= 0) close(birth.attach[i]);
  if (pid > 0 && !privileged && (map_user(pid) < 0 || write(begin[1], "", 1) != 1)) {
    error = errno;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    pid = -1;
  }
  if (begin[0] >= 0) close(begin[0]), close(begin[1]);
  if (pid < 0) {
    close(pair[0]);
    cgroup_remove(id);
    char text[TEXT_BYTES];
    snprintf(text, sizeof text, "namespaces: %s", strerror(error));
    tell(id, "failed", 0, error, 0, text, NULL, -1);
    return;
  }
  *one = (struct environment){.id = id, .used = 1, .pid = pid, .socket = pair[0]};
  struct epoll_event watch = {.events = EPOLLIN, .data.ptr = one};
  epoll_ctl(poller, EPOLL_CTL_ADD, pair[0], &watch);
}

static void finish(struct environment *one) {
  if (one->pid != 0 || !one->leaving || cgroup_remove(one->id) > 0) return;
  one->used = 0;
  tell(one->id, "gone", 0, 0, 0, NULL, NULL, -1);
}

static void hang_up(struct environment *one) {
  if (one->socket < 0) return;
  epoll_ctl(poller, EPOLL_CTL_DEL, one->socket, NULL);
  close(one->socket);
  one->socket = -1;
}

static void destroy(uint32_t id) {
  struct environment *one = environment_of(id);
  if (!one) {
    tell(id, "gone", 0, 0, 0, NULL, NULL, -1);
    return;
  }
  one->leaving = 1;
  hang_up(one);
  /* Its pid namespace ends with it: the kernel kills every process in there, and init is not reaped before the last is gone. */
  if (one->pid > 1) kill(one->pid, SIGKILL);
  finish(one);
}

static void hand_on(uint32_t id, char *bytes, size_t length) {
  struct environment *one = environment_of(id);
  if (!one || one->socket < 0) return;
  if (send(one->socket, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return;
  /* An init that does not listen, or cannot take this, is of no use. */
  kill(one->pid, SIGKILL);
}

static void reap_inits(void) {
  int status;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
    for (int i = 0; i < ENVIRONMENTS_MAX; i++) {
      struct environment *one = &environments[i];
      if (!one->used || one->pid != pid) continue;
      one->pid = 0;
      hang_up(one);
      int kills = cgroup_memory_kills(one->id);
      if (one->leaving) finish(one);
      else tell(one->id, "died", 0, status, kills > one->memory_kills, NULL, NULL, -1);
      break;
    }
  }
}

static void take_report(struct environment *one) {
  struct report report;
  struct iovec part = {&report, sizeof report};
  union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(2 * sizeof(int))];
  } control;
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
  ssize_t n = recvmsg(one->socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  int fds[2] = {-1, -1}, count = 0;
  for (struct cmsghdr *head = n > 0 ? CMSG_FIRSTHDR(&message) : NULL; head; head = CMSG_NXTHDR(&message, head)) {
    if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
    count = (int)((head->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    memcpy(fds, CMSG_DATA(head), (size_t)(count > 2 ? 2 : count) * sizeof(int));
  }
  if (n != sizeof report) {
    hang_up(one);
  } else {
    report.text[sizeof report.text - 1] = 0;
    switch (report.kind) {
      case IS_LISTENING:
        tell(one->id, "listener", report.ref, report.a, 0, NULL, "net.Server", fds[0]);
        break;
      case IS_READY:
        tell(one->id, "ready", 0, (int32_t)one->pid, 0, cgroup_peak_file(one->id), NULL, -1);
        break;
      case IS_SPAWNED:
        tell(one->id, "output", report.ref, 0, 0, NULL, "net.Native", fds[0]);
        if (fds[1] >= 0) tell(one->id, "output", report.ref, 1, 0, NULL, "net.Native", fds[1]);
        tell(one->id, "spawned", report.ref, 0, 0, NULL, NULL, -1);
        break;
      case IS_CONNECTED:
        tell(one->id, "connected", report.ref, 0, 0, NULL, "net.Socket", fds[0]);
        break;
      case IS_MOUNTED:
        tell(one->id, "mounted", report.ref, 0, 0, NULL, NULL, -1);
        break;
      case IS_FAILED:
        tell(one->id, "failed", report.ref, report.a, 0, report.text, NULL, -1);
        break;
      case IS_EXITED: {
        int kills = cgroup_memory_kills(one->id);
        tell(one->id, "exited", report.ref, report.a, kills > one->memory_kills, NULL, NULL, -1);
        one->memory_kills = kills;
        break;
      }
      default:
        hang_up(one);
        kill(one->pid, SIGKILL);
    }
  }
  for (int i = 0; i < 2; i++)
    if (fds[i] >= 0) close(fds[i]);
}

/* ---------------------------------------------------------------------------------------------------------------- the daemon */

static void obey(const struct frame *head, char *bytes) {
  struct reader in = {bytes + sizeof *head, bytes + sizeof *head + head->length, 0};
  switch (head->op) {
    case OP_CREATE:
      create(head->id, in);
      return;
    case OP_DESTROY:
      destroy(head->id);
      return;
    case OP_LIMIT: {
      uint32_t memory_mb = read_u32(&in), shares = read_u32(&in), quota_us = read_u32(&in), period_us = read_u32(&in);
      if (!in.bad) cgroup_limit(head->id, memory_mb, shares, quota_us, period_us);
      return;
    }
    case OP_FREEZE:
    case OP_THAW:
      cgroup_freeze(head->id, head->op == OP_FREEZE);
      return;
    default:
      hand_on(head->id, bytes, sizeof *head + head->length);
  }
}

/* Reads what is there and obeys every whole frame; 0 at the end of the platform. */
static int take_frames(void) {
  static char bytes[2 * FRAME_BYTES_MAX];
  static size_t have;
  ssize_t n = read(CONTROL_FD, bytes + have, sizeof bytes - have);
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return 1;
  if (n <= 0) return 0;
  have += (size_t)n;
  size_t at = 0;
  while (have - at >= sizeof(struct frame)) {
    struct frame head;
    memcpy(&head, bytes + at, sizeof head);
    if (head.length > FRAME_BYTES_MAX - sizeof head) return 0;
    if (have - at < sizeof head + head.length) break;
    obey(&head, bytes + at);
    at += sizeof head + head.length;
  }
  memmove(bytes, bytes + at, have - at);
  have -= at;
  return 1;
}

static unsigned parse_layers(const char *list) {
  static const struct {
    const char *name;
    unsigned bit;
  } names[] = {{"seccomp", OFF_SECCOMP},     {"capabilities", OFF_CAPABILITIES}, {"no-new-privs", OFF_NO_NEW_PRIVS}, {"uid", OFF_UID},
               {"read-only", OFF_READ_ONLY}, {"proc", OFF_PROC},                 {"proc-mask", OFF_PROC_MASK},       {"net", OFF_NET},
               {"ipc", OFF_IPC},             {"uts", OFF_UTS},                   {"tmp", OFF_TMP},                   {"descriptors", OFF_DESCRIPTORS},
               {"memory", OFF_MEMORY},       {"pids", OFF_PIDS},                 {"rlimits", OFF_RLIMITS},           {"pivot", OFF_PIVOT},
               {"devices", OFF_DEVICES},     {"cgroup-namespace", OFF_CGROUP_NAMESPACE}};
  unsigned bits = 0;
  char copy[512], *state;
  snprintf(copy, sizeof copy, "%s", list);
  for (char *one = strtok_r(copy, ",", &state); one; one = strtok_r(NULL, ",", &state)) {
    unsigned bit = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
      if (strcmp(one, names[i].name) == 0) bit = names[i].bit;
    if (!bit) fprintf(stderr, "sandboxd: there is no layer %s\n", one), exit(2);
    bits |= bit;
  }
  return bits;
}

/* Ends every environment and removes what is left of them. */
static void end_all(void) {
  for (int i = 0; i < ENVIRONMENTS_MAX; i++)
    if (environments[i].used && environments[i].pid > 1) kill(environments[i].pid, SIGKILL);
  for (int i = 0; i < ENVIRONMENTS_MAX; i++)
    if (environments[i].used && environments[i].pid > 1) waitpid(environments[i].pid, NULL, 0);
  for (int tries = 0, left = 1; left && tries < 200; tries++) {
    left = 0;
    for (int i = 0; i < ENVIRONMENTS_MAX; i++)
      if (environments[i].used && cgroup_remove(environments[i].id) > 0) left = 1;
    if (left) usleep(RETRY_MS * 1000);
  }
  cgroup_teardown();
}

static void greet(void) {
  char features[TEXT_BYTES];
  snprintf(features, sizeof features, "user=%s cgroup=%d memory=%d pids=%d cpu=%d freeze=%d", privileged ? "own" : "namespace", cgroups.version,
           cgroups.memory, cgroups.pids, cgroups.cpu, cgroups.freeze);
  tell(0, "note", 0, 0, 0, cgroups.note, NULL, -1);
  char copy[4 * PATH_BYTES], *state;
  snprintf(copy, sizeof copy, "%s", cgroup_places());
  for (char *one = strtok_r(copy, "\n", &state); one; one = strtok_r(NULL, "\n", &state)) tell(0, "place", 0, 0, 0, one, NULL, -1);
  tell(0, "hello", 0, 0, 0, features, NULL, -1);
}

int main(int argc, char **argv) {
  const char *given = getenv("NODE_CHANNEL_FD");
  if (argc < 2 || !given) return fprintf(stderr, "sandboxd is started by Croft\n"), 2;
  channel = atoi(given);
  unsetenv("NODE_CHANNEL_FD");
  for (int i = 2; i < argc; i++) {
    const char *test = getenv("CROFT_TEST");
    if (strncmp(argv[i], "--without=", 10) != 0 || !test || strcmp(test, "1") != 0) return fprintf(stderr, "sandboxd: layers are switched off in tests only\n"), 2;
    layers_off = parse_layers(argv[i] + 10);
  }
  privileged = geteuid() == 0;
  prctl(PR_SET_NAME, "croft-sandboxd");
  fcntl(CONTROL_FD, F_SETFD, FD_CLOEXEC);
  fcntl(channel, F_SETFD, FD_CLOEXEC);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, NULL);
  int signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
  poller = epoll_create1(EPOLL_CLOEXEC);
  /* One socket for each environment. */
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  cgroup_setup(argv[1]);
  static int control_mark, channel_mark, signal_mark;
  struct epoll_event watch[3] = {{EPOLLIN, {.ptr = &control_mark}}, {EPOLLIN, {.ptr = &channel_mark}}, {EPOLLIN, {.ptr = &signal_mark}}};
  epoll_ctl(poller, EPOLL_CTL_ADD, CONTROL_FD, &watch[0]);
  epoll_ctl(poller, EPOLL_CTL_ADD, channel, &watch[1]);
  epoll_ctl(poller, EPOLL_CTL_ADD, signals, &watch[2]);
  greet();
  for (int alive = 1; alive;) {
    struct epoll_event events[32];
    int waiting = 0;
    for (int i = 0; i < ENVIRONMENTS_MAX; i++) {
      struct environment *one = &environments[i];
      if (one->used && one->leaving && one->pid == 0) finish(one), waiting |= one->used;
    }
    int n = epoll_wait(poller, events, 32, waiting ? RETRY_MS : -1);
    for (int i = 0; i < n; i++) {
      void *mark = events[i].data.ptr;
      char scrap[4096];
      struct signalfd_siginfo info;
      if (mark == &control_mark) alive &= take_frames();
      else if (mark == &channel_mark) alive &= read(channel, scrap, sizeof scrap) > 0 || errno == EAGAIN || errno == EINTR; /* Node's acknowledgements. */
      else if (mark == &signal_mark) {
        while (read(signals, &info, sizeof info) > 0) continue;
        reap_inits();
      } else if (((struct environment *)mark)->socket >= 0) take_report(mark);
    }
  }
  end_all();
  return 0;
}
