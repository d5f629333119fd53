#include "shared/daemon/conf_url.h"

#include "shared/core/error.h"
#include "shared/core/str.h"

int conf_check_url(const char *key, const char *url, struct mx_error *err)
{
	const char *host = NULL;

	if (mx_starts_with(url, "https://"))
		host = url + strlen("https://");
	else if (mx_starts_with(url, "http://"))
		host = url + strlen("http://");
	if (!host || *host == '\0' || *host == '/' || strpbrk(url, " \t\r\n\"<>?#"))
		return mx_fail(err, MX_BAD_CONFIG, "%s: %s is no http:// or https:// URL", key,
			       url);
	return 0;
}

int conf_check_base_url(const char *key, char *url, struct mx_error *err)
{
	int rc = conf_check_url(key, url, err);
	size_t len = strlen(url);

	if (rc)
		return rc;
	while (len > 0 && url[len - 1] == '/')
		url[--len] = '\0';
	return 0;
}
