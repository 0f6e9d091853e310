// SPDX-License-Identifier: Apache-2.0
// epoll(7), whose packed structure Swift cannot import.

#ifndef NIGHTJAR_POLLER_H
#define NIGHTJAR_POLLER_H

#include <stdint.h>

enum { NJ_READABLE = 1, NJ_WRITABLE = 2, NJ_GONE = 4 };

struct nj_ready {
    uint64_t token;
    uint32_t events;
};

/// A poller with close-on-exec; -1 with errno.
int nj_poller_create(void);
/// Watches `fd` for `interest` (NJ_READABLE, NJ_WRITABLE; level-triggered), or changes what it is watched for.
int nj_poller_watch(int poller, int fd, uint32_t interest, uint64_t token, int is_new);
/// Stops watching `fd`.
int nj_poller_forget(int poller, int fd);
/// Waits for at most `milliseconds` (-1: for ever); answers how many of `into` were filled, 0 when interrupted.
int nj_poller_wait(int poller, struct nj_ready *into, int capacity, int milliseconds);

#endif
