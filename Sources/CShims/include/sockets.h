// SPDX-License-Identifier: Apache-2.0
// The socket calls that Swift's Glibc module does not expose.

#ifndef NIGHTJAR_SOCKETS_H
#define NIGHTJAR_SOCKETS_H

#include <stdint.h>

/// Accepts one connection, close-on-exec and non-blocking from the start. Returns the descriptor, or -1 with errno set.
int nightjar_socket_accept(int listener);

/// The user and process at the other end of a connected Unix socket (SO_PEERCRED). Returns 0, or -1 with errno set.
int nightjar_socket_peer(int descriptor, uint32_t *user, int32_t *process);

/// A new epoll instance, close-on-exec. Returns the descriptor, or -1 with errno set.
int nightjar_poll_create(void);

/// Watches `descriptor` under the name `tag`: 1 readable, 2 writable, both, or 0 for errors and hang-ups only. Adds it,
/// or changes what is watched where it was added before. Returns 0, or -1 with errno set.
int nightjar_poll_watch(int poll, int descriptor, uint64_t tag, int interest);

/// Forgets `descriptor`; it must still be open.
int nightjar_poll_forget(int poll, int descriptor);

/// Waits at most `milliseconds` (-1: for ever). Fills `tags` and `states` (1 readable, 2 writable, 4 error or hang-up,
/// added up) and returns how many, or -1 with errno set.
int nightjar_poll_wait(int poll, uint64_t *tags, int *states, int capacity, int milliseconds);

#endif
