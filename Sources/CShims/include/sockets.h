// SPDX-License-Identifier: Apache-2.0
// The two socket calls that Swift's Glibc module does not expose (they need _GNU_SOURCE).

#ifndef NIGHTJAR_SOCKETS_H
#define NIGHTJAR_SOCKETS_H

#include <stdint.h>

/// Accepts one connection, close-on-exec and non-blocking from the start. Returns the descriptor, or -1 with errno set.
int nightjar_socket_accept(int listener);

/// The user and process at the other end of a connected Unix socket (SO_PEERCRED). Returns 0, or -1 with errno set.
int nightjar_socket_peer(int descriptor, uint32_t *user, int32_t *process);

#endif
