/*
 * Control groups, both versions. An environment has one directory in each hierarchy that is there: memory, pids and cpu of version 1
 * or of version 2, and the freezer of version 2 (also where its mount has no controllers: the core can freeze). The freezer of
 * version 1 is not used: what it froze cannot be killed, so a platform that dies would leave it behind.
 */
#include "sandboxd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct cgroup_features cgroups;

enum hierarchy { MEMORY, PIDS, CPU, UNIFIED, HIERARCHIES };
/* Our directory in each; empty: not there. On version 2 only the last is used, for everything. */
static char base[HIERARCHIES][PATH_BYTES / 2];
static const char *const controllers[HIERARCHIES] = {"memory", "pids", "cpu", ""};
static char places[HIERARCHIES * PATH_BYTES / 2 + HIERARCHIES];

static int put(const char *directory, const char *file, const char *value) {
  char path[PATH_BYTES];
  if (snprintf(path, sizeof path, "%s/%s", directory, file) >= (int)sizeof path) return -1;
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  ssize_t n = write(fd, value, strlen(value));
  int error = errno;
  close(fd);
  errno = error;
  return n < 0 ? -1 : 0;
}

static int put_number(const char *directory, const char *file, unsigned long long value) {
  char text[32];
  snprintf(text, sizeof text, "%llu", value);
  return put(directory, file, text);
}

static ssize_t get(const char *directory, const char *file, char *into, size_t size) {
  char path[PATH_BYTES];
  if (snprintf(path, sizeof path, "%s/%s", directory, file) >= (int)sizeof path) return -1;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  ssize_t n = read(fd, into, size - 1);
  close(fd);
  into[n < 0 ? 0 : n] = 0;
  return n;
}

static int has_word(const char *list, const char *word, const char *separators) {
  char copy[1024];
  snprintf(copy, sizeof copy, "%s", list);
  char *state;
  for (char *one = strtok_r(copy, separators, &state); one; one = strtok_r(NULL, separators, &state))
    if (strcmp(one, word) == 0) return 1;
  return 0;
}

/* The path of this process in the hierarchy with a controller ("": version 2). */
static int own_path(const char *controller, char *into, size_t size) {
  FILE *file = fopen("/proc/self/cgroup", "re");
  if (!file) return -1;
  char line[PATH_BYTES];
  int found = -1;
  while (found < 0 && fgets(line, sizeof line, file)) {
    line[strcspn(line, "\n")] = 0;
    char *names = strchr(line, ':');
    char *path = names ? strchr(names + 1, ':') : NULL;
    if (!path) continue;
    *path++ = 0;
    names++;
    if (*controller ? has_word(names, controller, ",") : *names == 0) found = snprintf(into, size, "%s", path) < (int)size ? 0 : -1;
  }
  fclose(file);
  return found;
}

/* The directory of this process's own cgroup, as it is mounted here. */
static int own_directory(const char *controller, char *into, size_t size) {
  char mine[PATH_BYTES];
  if (own_path(controller, mine, sizeof mine) < 0) return -1;
  FILE *file = fopen("/proc/self/mountinfo", "re");
  if (!file) return -1;
  char line[2 * PATH_BYTES];
  int found = -1;
  while (found < 0 && fgets(line, sizeof line, file)) {
    char root[PATH_BYTES], point[PATH_BYTES], type[64], options[1024];
    char *tail = strstr(line, " - ");
    if (!tail || sscanf(line, "%*s %*s %*s %4095s %4095s", root, point) != 2 || sscanf(tail, " - %63s %*s %1023s", type, options) != 2) continue;
    if (*controller ? strcmp(type, "cgroup") != 0 || !has_word(options, controller, ",") : strcmp(type, "cgroup2") != 0) continue;
    const char *below = mine;
    size_t length = strcmp(root, "/") == 0 ? 0 : strlen(root);
    if (strncmp(mine, root, length) == 0) below = mine + length;
    found = snprintf(into, size, "%s%s", point, strcmp(below, "/") == 0 ? "" : below) < (int)size ? 0 : -1;
  }
  fclose(file);
  return found;
}

static void note(const char *text) {
  if (!*cgroups.note) snprintf(cgroups.note, sizeof cgroups.note, "%s", text);
}

static void remember(const char *directory) {
  size_t used = strlen(places);
  snprintf(places + used, sizeof places - used, "%s%s", used ? "\n" : "", directory);
}

/*
 * Version 2 gives controllers to children only of a cgroup that has no processes itself (but for the root). Where Croft is alone in
 * its cgroup (a systemd scope with Delegate=yes), it moves into a leaf of its own.
 */
static int delegate(const char *mine) {
  if (put(mine, "cgroup.subtree_control", "+memory +pids +cpu") == 0) return 0;
  if (errno != EBUSY) return -1;
  char procs[4096], leaf[PATH_BYTES], pid[16];
  if (get(mine, "cgroup.procs", procs, sizeof procs) <= 0) return -1;
  int others = 0;
  char *state;
  for (char *one = strtok_r(procs, "\n", &state); one; one = strtok_r(NULL, "\n", &state)) {
    int number = atoi(one);
    if (number != getpid() && number != getppid()) others++;
  }
  if (others > 0) return -1;
  snprintf(leaf, sizeof leaf, "%s/croft-platform", mine);
  if (mkdir(leaf, 0755) < 0 && errno != EEXIST) return -1;
  snprintf(pid, sizeof pid, "%d", getppid());
  if (put(leaf, "cgroup.procs", pid) < 0) return -1;
  snprintf(pid, sizeof pid, "%d", getpid());
  if (put(leaf, "cgroup.procs", pid) < 0) return -1;
  return put(mine, "cgroup.subtree_control", "+memory +pids +cpu");
}

void cgroup_setup(const char *instance) {
  char mine[PATH_BYTES / 2 - 128];
  for (int i = 0; i < UNIFIED; i++) {
    if (own_directory(controllers[i], mine, sizeof mine) < 0) continue;
    snprintf(base[i], sizeof base[i], "%s/%s", mine, instance);
    if (mkdir(base[i], 0755) < 0 && errno != EEXIST) base[i][0] = 0;
    else remember(base[i]);
  }
  int v1 = base[MEMORY][0] || base[PIDS][0] || base[CPU][0];
  if (own_directory("", mine, sizeof mine) == 0) {
    char present[256];
    int controllers_here = get(mine, "cgroup.controllers", present, sizeof present) > 0 && has_word(present, "memory", " \n");
    int delegated = !v1 && controllers_here && delegate(mine) == 0;
    if (!v1 && controllers_here && !delegated) note("this cgroup has other processes, or is not delegated: start Croft with `systemd-run --user --scope -p Delegate=yes`");
    snprintf(base[UNIFIED], sizeof base[UNIFIED], "%s/%s", mine, instance);
    if (mkdir(base[UNIFIED], 0755) < 0 && errno != EEXIST) base[UNIFIED][0] = 0;
    else remember(base[UNIFIED]);
    if (base[UNIFIED][0] && delegated && put(base[UNIFIED], "cgroup.subtree_control", "+memory +pids +cpu") == 0) {
      cgroups.version = 2;
      cgroups.memory = cgroups.pids = cgroups.cpu = 1;
    }
    char freezable[8];
    cgroups.freeze = base[UNIFIED][0] && get(base[UNIFIED], "cgroup.freeze", freezable, sizeof freezable) > 0;
  }
  if (v1) {
    cgroups.version = 1;
    cgroups.memory = base[MEMORY][0] != 0;
    cgroups.pids = base[PIDS][0] != 0;
    cgroups.cpu = base[CPU][0] != 0;
  }
  /* All functions together weigh as much as a few of the machine's other processes: among themselves by their memory. */
  if (cgroups.cpu && put_number(base[cgroups.version == 1 ? CPU : UNIFIED], cgroups.version == 1 ? "cpu.shares" : "cpu.weight", cgroups.version == 1 ? 4096 : 400) < 0)
    note("the weight of all functions could not be set");
  if (!cgroups.version) note("no cgroup of this user can be written to");
}

const char *cgroup_places(void) { return places; }

static int place(int hierarchy, uint32_t id, char *into, size_t size) {
  if (!base[hierarchy][0]) return -1;
  return snprintf(into, size, "%s/%u", base[hierarchy], id) < (int)size ? 0 : -1;
}

/* Where the settings of a controller are: its own hierarchy, or the unified one. */
static int setting(int hierarchy, uint32_t id, char *into, size_t size) { return place(cgroups.version == 2 ? UNIFIED : hierarchy, id, into, size); }

void cgroup_create(uint32_t id, uint32_t pids_max, int attach[4]) {
  char path[PATH_BYTES / 2 + 16], file[PATH_BYTES];
  for (int i = 0; i < HIERARCHIES; i++) {
    attach[i] = -1;
    if (place(i, id, path, sizeof path) < 0) continue;
    if ((i == MEMORY && layers_off & OFF_MEMORY) || (i == PIDS && layers_off & OFF_PIDS)) continue;
    if (mkdir(path, 0755) < 0 && errno != EEXIST) continue;
    snprintf(file, sizeof file, "%s/cgroup.procs", path);
    attach[i] = open(file, O_WRONLY | O_CLOEXEC);
  }
  if (setting(PIDS, id, path, sizeof path) == 0 && cgroups.pids && !(layers_off & OFF_PIDS)) put_number(path, "pids.max", pids_max);
}

void cgroup_limit(uint32_t id, uint32_t memory_mb, uint32_t shares, uint32_t quota_us, uint32_t period_us) {
  char path[PATH_BYTES / 2 + 16], text[64];
  unsigned long long bytes = (unsigned long long)memory_mb << 20;
  if (cgroups.memory && memory_mb > 0 && !(layers_off & OFF_MEMORY) && setting(MEMORY, id, path, sizeof path) == 0) {
    if (cgroups.version == 1) {
      put_number(path, "memory.limit_in_bytes", bytes);
      /* Swap counts too, where it is accounted for. */
      put_number(path, "memory.memsw.limit_in_bytes", bytes);
    } else {
      put_number(path, "memory.max", bytes);
      put(path, "memory.swap.max", "0");
    }
  }
  if (!cgroups.cpu || setting(CPU, id, path, sizeof path) < 0) return;
  if (cgroups.version == 1) {
    put_number(path, "cpu.shares", shares < 2 ? 2 : shares);
    if (quota_us) put_number(path, "cpu.cfs_period_us", period_us);
    put(path, "cpu.cfs_quota_us", quota_us ? (snprintf(text, sizeof text, "%u", quota_us), text) : "-1");
  } else {
    put_number(path, "cpu.weight", shares < 10 ? 1 : shares > 100000 ? 10000 : shares / 10);
    if (quota_us) snprintf(text, sizeof text, "%u %u", quota_us, period_us);
    put(path, "cpu.max", quota_us ? text : "max");
  }
}

void cgroup_freeze(uint32_t id, int frozen) {
  char path[PATH_BYTES / 2 + 16];
  if (cgroups.freeze && place(UNIFIED, id, path, sizeof path) == 0) put(path, "cgroup.freeze", frozen ? "1" : "0");
}

int cgroup_memory_kills(uint32_t id) {
  char path[PATH_BYTES / 2 + 16], text[1024];
  if (!cgroups.memory || setting(MEMORY, id, path, sizeof path) < 0) return 0;
  if (get(path, cgroups.version == 1 ? "memory.oom_control" : "memory.events", text, sizeof text) <= 0) return 0;
  for (char *at = strstr(text, "oom_kill "); at; at = strstr(at + 1, "oom_kill "))
    if (at == text || at[-1] == '\n') return atoi(at + strlen("oom_kill "));
  return 0;
}

const char *cgroup_peak_file(uint32_t id) {
  static char file[PATH_BYTES];
  char path[PATH_BYTES / 2 + 16];
  file[0] = 0;
  if (cgroups.memory && setting(MEMORY, id, path, sizeof path) == 0)
    snprintf(file, sizeof file, "%s/%s", path, cgroups.version == 1 ? "memory.max_usage_in_bytes" : "memory.peak");
  return file;
}

int cgroup_remove(uint32_t id) {
  char path[PATH_BYTES / 2 + 16];
  int left = 0;
  for (int i = 0; i < HIERARCHIES; i++)
    if (place(i, id, path, sizeof path) == 0 && rmdir(path) < 0 && errno != ENOENT) left++;
  return left;
}

void cgroup_teardown(void) {
  for (int i = 0; i < HIERARCHIES; i++) {
    if (!base[i][0]) continue;
    rmdir(base[i]);
  }
}
