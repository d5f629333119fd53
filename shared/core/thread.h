/* Threads with the stack that parsers are measured for, and waits on the monotonic clock. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define MX_THREAD_STACK (1024 * 1024)

/* Aborts if the system has no more threads: this happens at start only. All signals are blocked:
 * they belong to the main thread. */
pthread_t mx_thread_start(const char *name, void *(*run)(void *), void *ctx);

/* The same for a thread that can be done without: false if the system has no more. */
bool mx_thread_try(const char *name, void *(*run)(void *), void *ctx, pthread_t *ret_thread);

/* This thread's work can wait a little: those that answer requests go first. */
void mx_thread_yields(void);

/* A condition whose timed waits end at a time of mx_after_us(). */
void mx_cond_init(pthread_cond_t *cond);

/* Without this, readers who come one after the other would keep a writer out for ever. A thread
 * must not take it for reading twice. */
void mx_rwlock_init(pthread_rwlock_t *lock);

/* The monotonic clock's time so many microseconds from now. */
struct timespec mx_after_us(int64_t us);

/* What a thread that works in rounds sleeps in: so long, or until *stopping, which the lock guards
 * and a signal to the condition tells. Takes the lock for it. False: it is stopping. */
bool mx_cond_sleep(pthread_cond_t *cond, pthread_mutex_t *lock, const bool *stopping, int64_t us);
