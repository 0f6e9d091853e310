// SPDX-License-Identifier: Apache-2.0
// Thin wrappers; see CShims.h for what each answers.

#define _GNU_SOURCE
#include "CShims.h"

#include <malloc.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

void nj_error_text(int code, char *into, int capacity) {
    char buffer[256];
    snprintf(into, (size_t)capacity, "%s", strerror_r(code, buffer, sizeof buffer));
}

char **nj_environment(void) { return environ; }

int nj_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

int nj_pidfd_send_signal(int pidfd, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

int nj_become_subreaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

int nj_set_name(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }

int nj_close_on_exec_from(int first) {
    // CLOSE_RANGE_CLOEXEC is 4 (Linux 5.11); an older kernel gets the loop.
    if (syscall(SYS_close_range, (unsigned)first, ~0U, 4U) == 0) return 0;
    long limit = sysconf(_SC_OPEN_MAX);
    if (limit < 0 || limit > 65536) limit = 65536;
    for (int fd = first; fd < limit; fd++) fcntl(fd, F_SETFD, FD_CLOEXEC);
    return 0;
}

int nj_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int nj_set_pipe_size(int fd, int bytes) { return fcntl(fd, F_SETPIPE_SZ, bytes); }

int nj_memory_file(const char *name) { return memfd_create(name, MFD_CLOEXEC); }

int nj_signal_descriptor(const int *signals, int count) {
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < count; i++) sigaddset(&set, signals[i]);
    int failure = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (failure != 0) {
        errno = failure;
        return -1;
    }
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int nj_next_signal(int fd, int *from_terminal) {
    struct signalfd_siginfo info;
    ssize_t got = read(fd, &info, sizeof info);
    if (got != (ssize_t)sizeof info) return 0;
    if (from_terminal) *from_terminal = info.ssi_code == SI_KERNEL;
    return (int)info.ssi_signo;
}

int nj_unblock_all_signals(void) {
    sigset_t none;
    sigemptyset(&none);
    return pthread_sigmask(SIG_SETMASK, &none, NULL);
}

static volatile sig_atomic_t signal_pipe = -1;

static void deliver(int signal) {
    int saved = errno;
    unsigned char byte = (unsigned char)signal;
    ssize_t ignored = write(signal_pipe, &byte, 1);
    (void)ignored;
    errno = saved;
}

int nj_deliver_signal_to(int signal, int fd) {
    signal_pipe = fd;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = deliver;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    return sigaction(signal, &action, NULL);
}

int nj_spawn(pid_t *pid, const char *path, char *const argv[], char *const envp[], const char *directory,
             int input, int output, int error, int flags) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int failure = posix_spawn_file_actions_init(&actions);
    if (failure != 0) return failure;
    failure = posix_spawnattr_init(&attributes);
    if (failure != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return failure;
    }
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    short chosen = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
    if (flags & NJ_OWN_SESSION) chosen |= POSIX_SPAWN_SETSID;
    if (flags & NJ_OWN_GROUP) chosen |= POSIX_SPAWN_SETPGROUP;
    if ((failure = posix_spawnattr_setflags(&attributes, chosen)) == 0 &&
        (failure = posix_spawnattr_setsigdefault(&attributes, &all)) == 0 &&
        (failure = posix_spawnattr_setsigmask(&attributes, &none)) == 0 &&
        (failure = posix_spawn_file_actions_adddup2(&actions, input, 0)) == 0 &&
        (failure = posix_spawn_file_actions_adddup2(&actions, output, 1)) == 0 &&
        (failure = posix_spawn_file_actions_adddup2(&actions, error, 2)) == 0 &&
        (failure = posix_spawn_file_actions_addclosefrom_np(&actions, 3)) == 0 &&
        (failure = directory ? posix_spawn_file_actions_addchdir_np(&actions, directory) : 0) == 0)
        failure = posix_spawn(pid, path, &actions, &attributes, argv, envp);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return failure;
}

static int ask(int fd, unsigned char family) {
    struct {
        struct nlmsghdr header;
        struct inet_diag_req_v2 request;
    } message;
    memset(&message, 0, sizeof message);
    message.header.nlmsg_len = sizeof message;
    message.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    message.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    message.request.sdiag_family = family;
    message.request.sdiag_protocol = IPPROTO_TCP;
    message.request.idiag_states = ~0U;
    return send(fd, &message, sizeof message, 0) < 0 ? -1 : 0;
}

static void keep(struct nj_connection *out, const struct inet_diag_msg *in) {
    memset(out, 0, sizeof *out);
    out->inode = in->idiag_inode;
    out->state = in->idiag_state;
    out->version = in->idiag_family == AF_INET ? 4 : 6;
    memcpy(out->address, in->id.idiag_dst, out->version == 4 ? 4 : 16);
    out->remote_port = ntohs(in->id.idiag_dport);
    out->local_port = ntohs(in->id.idiag_sport);
}

/// Reads one dump; answers the new count.
static int collect(int fd, struct nj_connection *into, int count, int capacity) {
    char buffer[32768] __attribute__((aligned(8)));
    for (;;) {
        ssize_t got = recv(fd, buffer, sizeof buffer, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return -1;
        int left = (int)got;
        for (struct nlmsghdr *h = (struct nlmsghdr *)buffer; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
            if (h->nlmsg_type == NLMSG_DONE) return count;
            if (h->nlmsg_type == NLMSG_ERROR) return -1;
            if (count < capacity) keep(&into[count++], NLMSG_DATA(h));
        }
    }
}

int nj_connections(struct nj_connection *into, int capacity) {
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd < 0) return -1;
    int count = 0;
    const unsigned char families[2] = {AF_INET, AF_INET6};
    for (int i = 0; i < 2 && count >= 0; i++) count = ask(fd, families[i]) == 0 ? collect(fd, into, count, capacity) : -1;
    int saved = errno;
    close(fd);
    errno = saved;
    return count;
}

void nj_malloc_stay_small(void) {
    mallopt(M_ARENA_MAX, 2);
    // Set at all, the threshold stays where it is: left alone, glibc raises it to the largest block it has seen freed,
    // and then keeps blocks of that size.
    mallopt(M_MMAP_THRESHOLD, 128 << 10);
}

void nj_malloc_give_back(void) { malloc_trim(0); }
