/*
 * The system calls that a function may not make. A list of what is refused, because a function is any program; what is on it either
 * makes namespaces and mounts, looks into other processes, or is a part of the kernel that has no business in a function and a
 * history of holes. Each entry is a comparison and a return right behind it: no jump to get wrong.
 */
#include "sandboxd.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#define X32_BIT 0x40000000u
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#error "sandboxd knows the system calls of x86_64 and aarch64"
#endif

/* Numbers from 424 on are the same on every processor; headers may be older than the kernel. */
#define NR_OPEN_TREE 428
#define NR_MOVE_MOUNT 429
#define NR_FSOPEN 430
#define NR_FSCONFIG 431
#define NR_FSMOUNT 432
#define NR_FSPICK 433
#define NR_CLONE3 435
#define NR_PIDFD_GETFD 438
#define NR_MOUNT_SETATTR 442
#define NR_QUOTACTL_FD 443
#define NR_OPEN_TREE_ATTR 467

static const int refused[] = {
  /* namespaces and mounts */
  SYS_unshare, SYS_setns, SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, NR_OPEN_TREE, NR_MOVE_MOUNT, NR_FSOPEN, NR_FSCONFIG, NR_FSMOUNT, NR_FSPICK,
  NR_MOUNT_SETATTR, NR_OPEN_TREE_ATTR, SYS_swapon, SYS_swapoff, SYS_quotactl, NR_QUOTACTL_FD, SYS_acct,
  /* other processes */
  SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp, NR_PIDFD_GETFD, SYS_open_by_handle_at, SYS_name_to_handle_at,
  /* parts of the kernel with a history */
  SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, 425, 426, 427 /* io_uring */, SYS_keyctl, SYS_add_key, SYS_request_key, SYS_fanotify_init,
  SYS_lookup_dcookie, SYS_nfsservctl, SYS_vhangup,
  /* the machine */
  SYS_kexec_load, SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_reboot, SYS_settimeofday, SYS_clock_settime, SYS_clock_adjtime, SYS_adjtimex,
  SYS_sethostname, SYS_setdomainname, SYS_syslog,
  /* memory of other processes and nodes */
  SYS_mbind, SYS_set_mempolicy, SYS_migrate_pages, SYS_move_pages,
#ifdef SYS_kexec_file_load
  SYS_kexec_file_load,
#endif
#ifdef __x86_64__
  SYS_iopl, SYS_ioperm, SYS_modify_ldt, SYS_uselib, SYS_ustat, SYS_sysfs, SYS__sysctl, SYS_create_module, SYS_get_kernel_syms, SYS_query_module,
#endif
};

#define NEW_NAMESPACES (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)
#define ARGUMENT(n) offsetof(struct seccomp_data, args[n]) /* its lower half: little endian */

int seccomp_load(void) {
  struct sock_filter code[2 * sizeof refused / sizeof refused[0] + 64];
  unsigned n = 0;
#define ADD(...) code[n++] = (struct sock_filter)__VA_ARGS__
#define LOAD(offset) ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offset)))
#define SKIP_UNLESS(value, count) ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (count)))
#define RETURN(what) ADD(BPF_STMT(BPF_RET | BPF_K, (what)))
#define REFUSE(error) RETURN(SECCOMP_RET_ERRNO | ((error) & SECCOMP_RET_DATA))
  LOAD(offsetof(struct seccomp_data, arch));
  ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0));
  /* 32-bit calls have other numbers: a process that makes one ends. */
  RETURN(SECCOMP_RET_KILL_PROCESS);
  LOAD(offsetof(struct seccomp_data, nr));
#ifdef X32_BIT
  ADD(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1));
  REFUSE(ENOSYS);
#endif
  for (unsigned i = 0; i < sizeof refused / sizeof refused[0]; i++) {
    SKIP_UNLESS((unsigned)refused[i], 1);
    REFUSE(EPERM);
  }
  /* Its flags lie in memory, which a filter cannot read: without it, libraries use clone. */
  SKIP_UNLESS(NR_CLONE3, 1);
  REFUSE(ENOSYS);
  SKIP_UNLESS(SYS_clone, 4);
  LOAD(ARGUMENT(0));
  ADD(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, NEW_NAMESPACES, 0, 1));
  REFUSE(EPERM);
  RETURN(SECCOMP_RET_ALLOW);
  /* Sockets of these families only: others (vsock, packet, alg …) are not all kept apart by network namespaces. */
  SKIP_UNLESS(SYS_socket, 7);
  LOAD(ARGUMENT(0));
  ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 4, 0));
  ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 3, 0));
  ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 2, 0));
  ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 1, 0));
  REFUSE(EAFNOSUPPORT);
  RETURN(SECCOMP_RET_ALLOW);
  /* Typing into a terminal. */
  SKIP_UNLESS(SYS_ioctl, 5);
  LOAD(ARGUMENT(1));
  ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x5412 /* TIOCSTI */, 1, 0));
  ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x541c /* TIOCLINUX */, 0, 1));
  REFUSE(EPERM);
  RETURN(SECCOMP_RET_ALLOW);
  SKIP_UNLESS(SYS_personality, 5);
  LOAD(ARGUMENT(0));
  ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0));
  ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xffffffffu, 0, 1));
  RETURN(SECCOMP_RET_ALLOW);
  REFUSE(EPERM);
  RETURN(SECCOMP_RET_ALLOW);
  struct sock_fprog program = {(unsigned short)n, code};
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}
