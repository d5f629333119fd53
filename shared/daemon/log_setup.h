/* The log as the configuration wants it. */
#pragma once

struct daemon_conf;
struct mx_str;

void log_setup_by(const struct daemon_conf *values);

/* A line of the log for each line of text. */
void log_warnings(const struct mx_str *lines);
