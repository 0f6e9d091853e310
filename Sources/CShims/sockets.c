// SPDX-License-Identifier: Apache-2.0
// The two socket calls that Swift's Glibc module does not expose.

#define _GNU_SOURCE
#include "sockets.h"

#include <stddef.h>
#include <sys/socket.h>

int nightjar_socket_accept(int listener) {
    return accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

int nightjar_socket_peer(int descriptor, uint32_t *user, int32_t *process) {
    struct ucred credentials;
    socklen_t length = sizeof credentials;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) {
        return -1;
    }
    *user = credentials.uid;
    *process = credentials.pid;
    return 0;
}
