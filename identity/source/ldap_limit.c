#include "identity/source/ldap_limit.h"

#include "shared/core/time.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>

#define LOOK_MS 200 /* how soon a stop is noticed */

/* Between the socket and TLS. */
#define LEVEL ((LBER_SBIOD_LEVEL_PROVIDER + LBER_SBIOD_LEVEL_TRANSPORT) / 2)

bool ldap_limit_is_over(const struct ldap_limit *limit)
{
	return mx_mono_ms() >= limit->until_mono_ms || (limit->stop && *limit->stop);
}

static int fd_of(Sockbuf_IO_Desc *layer)
{
	int fd = -1;

	ber_sockbuf_ctrl(layer->sbiod_sb, LBER_SB_OPT_GET_FD, &fd);
	return fd;
}

static bool wait_for(Sockbuf_IO_Desc *layer, short events)
{
	struct pollfd ready = { .fd = fd_of(layer), .events = events };

	while (!ldap_limit_is_over(layer->sbiod_pvt)) {
		if (poll(&ready, 1, LOOK_MS) > 0)
			return true;
	}
	/* Not EAGAIN: that would be tried again. */
	errno = ETIMEDOUT;
	return false;
}

static int set_up(Sockbuf_IO_Desc *layer, void *limit)
{
	layer->sbiod_pvt = limit;
	return 0;
}

static int take_away(Sockbuf_IO_Desc *layer)
{
	layer->sbiod_pvt = NULL;
	return 0;
}

static int control(Sockbuf_IO_Desc *layer, int option, void *argument)
{
	return LBER_SBIOD_CTRL_NEXT(layer, option, argument);
}

static ber_slen_t read_in_time(Sockbuf_IO_Desc *layer, void *bytes, ber_len_t len)
{
	bool ready = LBER_SBIOD_CTRL_NEXT(layer, LBER_SB_OPT_DATA_READY, NULL) > 0;

	if (!ready && !wait_for(layer, POLLIN))
		return -1;
	return LBER_SBIOD_READ_NEXT(layer, bytes, len);
}

static ber_slen_t write_in_time(Sockbuf_IO_Desc *layer, void *bytes, ber_len_t len)
{
	return wait_for(layer, POLLOUT) ? LBER_SBIOD_WRITE_NEXT(layer, bytes, len) : -1;
}

static int end(Sockbuf_IO_Desc *layer)
{
	(void)layer;
	return 0;
}

int ldap_limit_add(Sockbuf *buffer, const struct ldap_limit *limit)
{
	static Sockbuf_IO io = {
		.sbi_setup = set_up,
		.sbi_remove = take_away,
		.sbi_ctrl = control,
		.sbi_read = read_in_time,
		.sbi_write = write_in_time,
		.sbi_close = end,
	};

	return ber_sockbuf_add_io(buffer, &io, LEVEL, (void *)(uintptr_t)limit);
}
