// SPDX-License-Identifier: Apache-2.0
// The socket calls that Swift's Glibc module does not expose.

#define _GNU_SOURCE
#include "sockets.h"

#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>
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

int nightjar_poll_create(void) {
    return epoll_create1(EPOLL_CLOEXEC);
}

int nightjar_poll_watch(int poll, int descriptor, uint64_t tag, int interest) {
    struct epoll_event event = {.events = 0, .data.u64 = tag};
    if (interest & 1) event.events |= EPOLLIN;
    if (interest & 2) event.events |= EPOLLOUT;
    if (epoll_ctl(poll, EPOLL_CTL_MOD, descriptor, &event) == 0) return 0;
    return errno == ENOENT ? epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event) : -1;
}

int nightjar_poll_forget(int poll, int descriptor) {
    return epoll_ctl(poll, EPOLL_CTL_DEL, descriptor, NULL);
}

int nightjar_poll_wait(int poll, uint64_t *tags, int *states, int capacity, int milliseconds) {
    struct epoll_event events[64];
    int count = epoll_wait(poll, events, capacity < 64 ? capacity : 64, milliseconds);
    for (int index = 0; index < count; index++) {
        tags[index] = events[index].data.u64;
        states[index] = (events[index].events & EPOLLIN ? 1 : 0) | (events[index].events & EPOLLOUT ? 2 : 0) |
                        (events[index].events & (EPOLLERR | EPOLLHUP) ? 4 : 0);
    }
    return count;
}
