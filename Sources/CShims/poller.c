// SPDX-License-Identifier: Apache-2.0
// epoll(7), whose packed structure Swift cannot import.

#define _GNU_SOURCE
#include "poller.h"

#include <errno.h>
#include <sys/epoll.h>

int nj_poller_create(void) {
    return epoll_create1(EPOLL_CLOEXEC);
}

int nj_poller_watch(int poller, int fd, uint32_t interest, uint64_t token, int is_new) {
    struct epoll_event event = {0};
    // A half-closed peer is seen by reading, not by EPOLLRDHUP: it may still wait for its answer.
    if (interest & NJ_READABLE) {
        event.events |= EPOLLIN;
    }
    if (interest & NJ_WRITABLE) {
        event.events |= EPOLLOUT;
    }
    event.data.u64 = token;
    return epoll_ctl(poller, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
}

int nj_poller_forget(int poller, int fd) {
    struct epoll_event event = {0};
    return epoll_ctl(poller, EPOLL_CTL_DEL, fd, &event);
}

int nj_poller_wait(int poller, struct nj_ready *into, int capacity, int milliseconds) {
    struct epoll_event events[256];
    if (capacity > 256) {
        capacity = 256;
    }
    int count = epoll_wait(poller, events, capacity, milliseconds);
    if (count < 0) {
        return errno == EINTR ? 0 : -1;
    }
    for (int index = 0; index < count; index++) {
        uint32_t found = events[index].events;
        into[index].token = events[index].data.u64;
        into[index].events = ((found & EPOLLIN) ? NJ_READABLE : 0) | ((found & EPOLLOUT) ? NJ_WRITABLE : 0) |
                             ((found & (EPOLLERR | EPOLLHUP)) ? NJ_GONE : 0);
    }
    return count;
}
