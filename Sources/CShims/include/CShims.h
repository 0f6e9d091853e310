// SPDX-License-Identifier: Apache-2.0
// The few system calls of Linux that Swift's Glibc module does not import. Every function answers like its
// system call: -1 with errno, unless it says otherwise.

#ifndef NIGHTJAR_CSHIMS_H
#define NIGHTJAR_CSHIMS_H

#include "poller.h"
#include "sockets.h"
#include <stdint.h>
#include <sys/types.h>


/// The system's words for an errno value, cut to `capacity` bytes with the final NUL.
void nj_error_text(int code, char *into, int capacity);
/// The environment of this process, ended by a null pointer.
char **nj_environment(void);
/// A pidfd with close-on-exec for `pid`.
int nj_pidfd_open(pid_t pid);
/// Sends `signal` to the process behind a pidfd: immune to the pid being used again.
int nj_pidfd_send_signal(int pidfd, int signal);
/// Makes the caller the parent of its orphaned descendants.
int nj_become_subreaper(void);
/// Names the calling thread (and so the process, from its main thread).
int nj_set_name(const char *name);
/// Marks all descriptors from `first` on as close-on-exec.
int nj_close_on_exec_from(int first);
/// A pipe with close-on-exec at both ends.
int nj_pipe(int ends[2]);
/// Asks for a pipe buffer of `bytes`; answers the size granted.
int nj_set_pipe_size(int fd, int bytes);
/// An anonymous file in memory with close-on-exec.
int nj_memory_file(const char *name);
/// Blocks `count` signals in the calling thread and answers a non-blocking descriptor that delivers them.
int nj_signal_descriptor(const int *signals, int count);
/// The next signal of that descriptor, or 0 where none is waiting. `from_terminal` is set for a key press.
int nj_next_signal(int fd, int *from_terminal);
/// Unblocks all signals in the calling thread.
int nj_unblock_all_signals(void);
/// Has a signal written as one byte into `fd` from its handler. Only one such descriptor exists in a process.
int nj_deliver_signal_to(int signal, int fd);

enum { NJ_OWN_SESSION = 1, NJ_OWN_GROUP = 2 };

/// Spawns `path` with default signal dispositions, an empty signal mask and only the three given descriptors.
/// Answers 0 or an errno value, not -1. `directory` may be null.
int nj_spawn(pid_t *pid, const char *path, char *const argv[], char *const envp[], const char *directory,
             int input, int output, int error, int flags);

/// One TCP socket of the network namespace.
struct nj_connection {
    uint64_t inode;
    uint8_t address[16];
    uint16_t remote_port;
    uint16_t local_port;
    /// 4 or 6.
    uint8_t version;
    /// As in the kernel's `tcp_states.h`: 1 established, 10 listening.
    uint8_t state;
};

/// Fills `into` with the TCP sockets of both address families; answers how many there are, at most `capacity`.
int nj_connections(struct nj_connection *into, int capacity);

/// Bounds the number of malloc arenas (threads that come and go would otherwise each keep memory of their own), and has
/// large blocks go back to the system when they are freed.
void nj_malloc_stay_small(void);
/// Gives free heap memory back to the system.
void nj_malloc_give_back(void);

#endif
