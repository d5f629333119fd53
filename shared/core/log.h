/* Structured logs on standard error: one line an event, as text or JSON.
 * No secrets, no addresses or numbers of people in clear. Thread-safe. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum mx_log_level { MX_LOG_DEBUG, MX_LOG_INFO, MX_LOG_WARN, MX_LOG_ERROR };

enum mx_log_format { MX_LOG_TEXT, MX_LOG_JSON };

void mx_log_setup(enum mx_log_level lowest, enum mx_log_format format);
bool mx_log_wants(enum mx_log_level level);

/*
 * mx_log(MX_LOG_WARN, "key fetch failed, serving the old one", "server", name, NULL):
 * pairs of key and value, ended by NULL; a NULL value is left out. Control characters and
 * bidirectional overrides in values are escaped, long ones are cut.
 */
void mx_log(enum mx_log_level level, const char *text, ...) __attribute__((sentinel));

/* A number as a log value; good until the eighth next call on this thread. */
const char *mx_log_num(int64_t value);

/* The request id that this thread's lines carry; NULL for none. Borrowed. */
void mx_log_set_request(const char *request_id);
