/*
 * faultfs: a layer under the files of one process (LD_PRELOAD) that knows what a power cut would leave.
 *
 * For every file below FAULTFS_DIR it keeps, below FAULTFS_SHADOW, the bytes that fsync or fdatasync has made durable. Nothing
 * is synced in truth. After the process is killed, the test builds a state from the shadow and a random part of what was written later.
 *
 *   FAULTFS_IGNORE_SYNC   "1": no sync makes anything durable; otherwise: no sync of a file whose path contains this
 *   FAULTFS_FULL          while a file of this name exists, the disk is full: writes that would make a file longer fail
 *
 * Simplifications: a name is durable with its file's first sync, and removing and renaming are durable at once. Files in shared memory
 * (SQLite's -shm) are no durable content and are left out. The live file is read through the caller's own descriptor:
 * opening and closing it would drop the process's POSIX locks on it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define BLOCK (64 * 1024)

static pthread_mutex_t shadow_lock = PTHREAD_MUTEX_INITIALIZER;

static void *real(const char *name) {
  void *function = dlsym(RTLD_NEXT, name);
  if (!function) {
    fprintf(stderr, "faultfs: no %s\n", name);
    abort();
  }
  return function;
}

static void fail(const char *what, const char *path) {
  fprintf(stderr, "faultfs: %s %s: %s\n", what, path, strerror(errno));
  abort();
}

/* The part of an absolute path below FAULTFS_DIR, or NULL. */
static const char *below(const char *path) {
  const char *dir = getenv("FAULTFS_DIR");
  if (!dir) return NULL;
  size_t length = strlen(dir);
  if (strncmp(path, dir, length) != 0 || path[length] != '/') return NULL;
  size_t path_length = strlen(path);
  if (path_length > 4 && strcmp(path + path_length - 4, "-shm") == 0) return NULL;
  return path + length + 1;
}

static const char *path_of(int fd, char path[PATH_MAX]) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, PATH_MAX - 1);
  if (length < 0) return NULL;
  path[length] = 0;
  return below(path);
}

static void shadow_path(const char *name, char path[PATH_MAX]) {
  snprintf(path, PATH_MAX, "%s/%s", getenv("FAULTFS_SHADOW"), name);
}

static int ignored(const char *name) {
  const char *ignore = getenv("FAULTFS_IGNORE_SYNC");
  if (!ignore || !*ignore) return 0;
  return strcmp(ignore, "1") == 0 || strstr(name, ignore) != NULL;
}

/* Makes the shadow of a file like the file. */
static int sync_file(int fd) {
  static char live[BLOCK], durable[BLOCK];
  char path[PATH_MAX], shadow[PATH_MAX];
  int saved = errno;
  const char *name = path_of(fd, path);
  struct stat st;
  if (!name || ignored(name) || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) return 0;
  /* Written by a descriptor that cannot read: nobody locks such a file, so it can be opened once more. */
  int source = (fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY ? open(path, O_RDONLY | O_CLOEXEC) : fd;
  if (source < 0) fail("open", path);
  shadow_path(name, shadow);
  pthread_mutex_lock(&shadow_lock);
  int to = open(shadow, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (to < 0) fail("open", shadow);
  ssize_t (*write_at)(int, const void *, size_t, off_t) = real("pwrite");
  off_t at = 0;
  for (;;) {
    ssize_t length = pread(source, live, BLOCK, at);
    if (length < 0) fail("read", path);
    if (length == 0) break;
    ssize_t before = pread(to, durable, length, at);
    if (before != length || memcmp(live, durable, length) != 0) {
      if (write_at(to, live, length, at) != length) fail("write", shadow);
    }
    at += length;
  }
  if (((int (*)(int, off_t))real("ftruncate"))(to, at) != 0) fail("truncate", shadow);
  close(to);
  pthread_mutex_unlock(&shadow_lock);
  if (source != fd) close(source);
  errno = saved;
  return 0;
}

/* Whether the disk is full, for a write that would end at `end`. */
static int full(int fd, off_t end) {
  const char *flag = getenv("FAULTFS_FULL");
  char path[PATH_MAX];
  struct stat st;
  if (!flag || access(flag, F_OK) != 0 || !path_of(fd, path)) return 0;
  return fstat(fd, &st) == 0 && end > st.st_size;
}

int fsync(int fd) {
  char path[PATH_MAX];
  return path_of(fd, path) ? sync_file(fd) : ((int (*)(int))real("fsync"))(fd);
}

int fdatasync(int fd) {
  char path[PATH_MAX];
  return path_of(fd, path) ? sync_file(fd) : ((int (*)(int))real("fdatasync"))(fd);
}

ssize_t write(int fd, const void *data, size_t length) {
  if (getenv("FAULTFS_FULL") && full(fd, lseek(fd, 0, SEEK_CUR) + (off_t)length)) {
    errno = ENOSPC;
    return -1;
  }
  return ((ssize_t(*)(int, const void *, size_t))real("write"))(fd, data, length);
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t at) {
  if (full(fd, at + (off_t)length)) {
    errno = ENOSPC;
    return -1;
  }
  return ((ssize_t(*)(int, const void *, size_t, off_t))real("pwrite"))(fd, data, length, at);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off_t at) {
  return pwrite(fd, data, length, at);
}

int ftruncate(int fd, off_t length) {
  if (full(fd, length)) {
    errno = ENOSPC;
    return -1;
  }
  return ((int (*)(int, off_t))real("ftruncate"))(fd, length);
}

int ftruncate64(int fd, off_t length) {
  return ftruncate(fd, length);
}

int unlink(const char *path) {
  int result = ((int (*)(const char *))real("unlink"))(path);
  const char *name = below(path);
  if (result == 0 && name) {
    char shadow[PATH_MAX];
    shadow_path(name, shadow);
    ((int (*)(const char *))real("unlink"))(shadow);
    errno = 0;
  }
  return result;
}

int rename(const char *from, const char *to) {
  int (*real_rename)(const char *, const char *) = real("rename");
  int result = real_rename(from, to);
  const char *old_name = below(from), *new_name = below(to);
  if (result == 0 && old_name && new_name) {
    char old_shadow[PATH_MAX], new_shadow[PATH_MAX];
    shadow_path(old_name, old_shadow);
    shadow_path(new_name, new_shadow);
    /* What was never synced has no shadow, and its new name has none either. */
    if (real_rename(old_shadow, new_shadow) != 0) ((int (*)(const char *))real("unlink"))(new_shadow);
    errno = 0;
  }
  return result;
}
