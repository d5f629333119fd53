/* Threads with the stack that parsers are measured for, and timed waits on the monotonic clock. */
#pragma once

#include <pthread.h>
#include <stdint.h>

#define THREAD_STACK_BYTES (1024 * 1024)

/* Aborts if the system has no more threads: this happens at start only. All signals are blocked:
 * they belong to the main thread. */
pthread_t thread_start(const char *name, void *(*main)(void *), void *ctx);

void thread_cond_init(pthread_cond_t *cond);

/* With the lock held; may return early. */
void thread_wait_ms(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t ms);
