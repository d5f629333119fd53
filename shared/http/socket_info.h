/* What the kernel knows about a TCP socket. */
#pragma once

#include <stdint.h>

/* Milliseconds since data last arrived; INT64_MAX if it is no TCP socket. */
int64_t socket_ms_since_data(int fd);

/* Bytes that the peer acknowledged since the start. Of other sockets a number that grows faster
 * than any rate asks for: a unix socket's peer is a program of this machine. */
uint64_t socket_bytes_acked(int fd);
