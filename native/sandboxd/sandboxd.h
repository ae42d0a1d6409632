/*
 * sandboxd: what Croft's `linux-sandbox` driver needs from the kernel and Node.js cannot ask for.
 *
 * One process for each Croft. It forks an `init` for each execution environment, into namespaces of its own; `init` is process 1 in
 * there and starts the runtime. README.md has the protocol and what each layer is for.
 */
#ifndef SANDBOXD_H
#define SANDBOXD_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
  FRAME_BYTES_MAX = 1 << 20,
  ENVIRONMENTS_MAX = 4096,
  PROCESSES_MAX = 16,
  STRINGS_MAX = 2048,
  TEXT_BYTES = 200,
  PATH_BYTES = 4096,
};

/* Frames from the platform: this header, then `length` bytes. Little endian, as both processors that this builds for are. */
struct frame {
  uint32_t length;
  uint32_t op;
  uint32_t id;
};

enum op {
  OP_CREATE = 1,  /* a new environment                                        → ready | failed */
  OP_DESTROY = 2, /* kills it, removes its cgroups                            → gone */
  OP_LIMIT = 3,   /* memory, CPU                                              → nothing */
  OP_FREEZE = 4,
  OP_THAW = 5,
  /* Handed to the environment's init as they are. */
  OP_MOUNT = 16,   /* binds, size of /tmp, and the seal                       → mounted | failed */
  OP_SPAWN = 17,   /* starts a process                                        → spawned | failed, later exited */
  OP_SIGNAL = 18,  /* SIGTERM to one process; SIGKILL to all that it started  → nothing */
  OP_CONNECT = 19, /* a connection to 127.0.0.1:port, made inside             → connected | failed */
};

/* What an init tells sandboxd. Of fixed size, because a sealed init shares its user with the function and is not to be trusted. */
struct report {
  uint32_t kind;
  uint32_t ref;
  int32_t a;
  char text[TEXT_BYTES];
};

enum kind { IS_READY = 1, IS_FAILED, IS_MOUNTED, IS_SPAWNED, IS_EXITED, IS_CONNECTED, IS_LISTENING };

/* Layers that a test may switch off, one at a time, to see the probes notice. */
enum layer {
  OFF_SECCOMP = 1 << 0,
  OFF_CAPABILITIES = 1 << 1,
  OFF_NO_NEW_PRIVS = 1 << 2,
  OFF_UID = 1 << 3,
  OFF_READ_ONLY = 1 << 4,
  OFF_PROC = 1 << 5,
  OFF_PROC_MASK = 1 << 6,
  OFF_NET = 1 << 7,
  OFF_IPC = 1 << 8,
  OFF_UTS = 1 << 9,
  OFF_TMP = 1 << 10,
  OFF_DESCRIPTORS = 1 << 11,
  OFF_MEMORY = 1 << 12,
  OFF_PIDS = 1 << 13,
  OFF_RLIMITS = 1 << 14,
  OFF_PIVOT = 1 << 15,
  OFF_DEVICES = 1 << 16,
  OFF_CGROUP_NAMESPACE = 1 << 17,
};
extern unsigned layers_off;
/* What an environment is made with. */
enum create_flag { SHARES_NETWORK = 1 };

/* True without user namespaces: sandboxd is root, and each environment has a user of its own. */
extern int privileged;

/* A body being read. Every read is checked; after a bad one `bad` stays set and reads give 0 and "". */
struct reader {
  char *at;
  char *end;
  int bad;
};
uint32_t read_u32(struct reader *in);
/* A string with its length in front and a NUL at its end, in place. */
char *read_text(struct reader *in);

/* What clone made an init from: all that it needs. */
struct birth {
  struct reader body;
  int socket;
  int attach[4]; /* cgroup.procs of its cgroups, opened for writing; -1: none */
  int may_begin; /* reads one byte once its user is mapped; -1 where that is not needed */
};
void init_main(const struct birth *birth) __attribute__((noreturn));

/* seccomp.c */
int seccomp_load(void);

/* cgroup.c */
struct cgroup_features {
  int memory, pids, cpu, freeze;
  int version; /* 1, 2, 0: none */
  char note[TEXT_BYTES];
};
extern struct cgroup_features cgroups;
void cgroup_setup(const char *instance);
/* Where it was set up, one path a line: what a start after a crash removes. */
const char *cgroup_places(void);
void cgroup_create(uint32_t id, uint32_t pids_max, int attach[4]);
void cgroup_limit(uint32_t id, uint32_t memory_mb, uint32_t cpu_shares, uint32_t cpu_quota_us, uint32_t cpu_period_us);
void cgroup_freeze(uint32_t id, int frozen);
/* How often the kernel killed a process of it for its memory. */
int cgroup_memory_kills(uint32_t id);
/* Path of the file with the peak of its memory; empty: none. */
const char *cgroup_peak_file(uint32_t id);
/* 0 once nothing is left of it. */
int cgroup_remove(uint32_t id);
void cgroup_teardown(void);

#endif
