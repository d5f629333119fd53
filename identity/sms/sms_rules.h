/* Where text messages may go, from whom and at which price: the tables of the configuration. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct mx_error;
struct phone;
struct sms_conf;

#define SMS_DEFAULT  "default"
#define SMS_FROM_MAX 20

/* A country, the beginning of numbers ("+49"), or SMS_DEFAULT. */
bool sms_place_is_valid(const char *place);

/* "12.50" in millionths; no sign, at most six decimals. */
bool sms_amount_parse(const char *text, int64_t *ret_micros);

/* Denied beats allowed. Numbers of no country need their beginning in `allow`.
 * -MX_DESTINATION_REJECTED. */
int sms_rules_check(const struct sms_conf *conf, const struct phone *phone, struct mx_error *err);

/* The number's sender: one of its country's, of the longest beginning's, or of the default's; ""
 * if there is none. The same number always gets the same one. */
const char *sms_rules_originator(const struct sms_conf *conf, const struct phone *phone);

/* In millionths, found in the same order; 0 if nothing is said. */
int64_t sms_rules_price(const struct sms_conf *conf, const struct phone *phone);
