#include "shared/daemon/log_setup.h"

#include "shared/core/alloc.h"
#include "shared/core/log.h"
#include "shared/core/str.h"
#include "shared/daemon/daemon.h"

void log_setup_by(const struct daemon_conf *values)
{
	static const enum mx_log_level levels[] = {
		[CONF_LOG_INFO] = MX_LOG_INFO,
		[CONF_LOG_DEBUG] = MX_LOG_DEBUG,
		[CONF_LOG_WARN] = MX_LOG_WARN,
		[CONF_LOG_ERROR] = MX_LOG_ERROR,
	};

	mx_log_setup(levels[values->log.level], (enum mx_log_format)values->log.format);
}

void log_warnings(const struct mx_str *lines)
{
	struct mx_slice rest = mx_str_slice(lines), line;

	while (mx_split_next(&rest, '\n', &line)) {
		mx_autofree char *text = mx_strndup(line.ptr, line.len);

		if (line.len)
			mx_log(MX_LOG_WARN, "configuration", "what", text, NULL);
	}
}
