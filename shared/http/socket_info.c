#include "shared/http/socket_info.h"

#include "shared/core/time.h"

#include <linux/tcp.h> /* glibc's own struct tcp_info ends before tcpi_bytes_acked */
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

static bool info_of(int fd, struct tcp_info *ret_info)
{
	socklen_t len = sizeof(*ret_info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, ret_info, &len) == 0 &&
	       len >= offsetof(struct tcp_info, tcpi_bytes_received);
}

int64_t socket_ms_since_data(int fd)
{
	struct tcp_info info = { 0 };

	return info_of(fd, &info) ? (int64_t)info.tcpi_last_data_recv : INT64_MAX;
}

uint64_t socket_bytes_acked(int fd)
{
	struct tcp_info info = { 0 };

	return info_of(fd, &info) ? info.tcpi_bytes_acked : (uint64_t)mx_mono_ms() << 20;
}
