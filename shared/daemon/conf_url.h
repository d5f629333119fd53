/* URLs in configurations. */
#pragma once

struct mx_error;

/* -MX_BAD_CONFIG unless it is http:// or https://, a host, and nothing odd. */
int conf_check_url(const char *key, const char *url, struct mx_error *err);
/* The same of one that paths are put behind: its last '/' is taken away. */
int conf_check_base_url(const char *key, char *url, struct mx_error *err);
