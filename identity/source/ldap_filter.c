#include "identity/source/ldap_filter.h"

#include "identity/source/source_conf.h"
#include "shared/threepid/threepid.h"

/* Letters and digits stay, and what addresses are full of; all else is escaped, though much of it
 * need not be. */
static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("@.-_+", c));
}

/* Spec: RFC 4515, section 3, "valueencoding". */
void ldap_filter_add_value(struct mx_str *filter, struct mx_slice value)
{
	for (size_t i = 0; i < value.len; i++) {
		if (is_plain(value.ptr[i]))
			mx_str_add_char(filter, value.ptr[i]);
		else
			mx_str_addf(filter, "\\%02x", (unsigned char)value.ptr[i]);
	}
}

static void add_present(struct mx_str *filter, char *const *attributes, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		mx_str_addf(filter, "(%s=*)", attributes[i]);
}

void ldap_filter_all(struct mx_str *filter, const struct source_conf *conf, const char *since)
{
	mx_str_addf(filter, "(&%s", conf->filter);
	if (*since) {
		mx_str_addf(filter, "(%s>=", conf->changed);
		ldap_filter_add_value(filter, mx_slice(since));
		mx_str_add_char(filter, ')');
	}
	mx_str_add_text(filter, "(|");
	add_present(filter, conf->email, conf->email_count);
	add_present(filter, conf->msisdn, conf->msisdn_count);
	mx_str_add_text(filter, "))");
}

static void add_equal(struct mx_str *filter, const char *attribute, const char *before,
		      const char *value)
{
	mx_str_addf(filter, "(%s=%s", attribute, before);
	ldap_filter_add_value(filter, mx_slice(value));
	mx_str_add_char(filter, ')');
}

static void add_threepid(struct mx_str *filter, const struct source_conf *conf,
			 const struct threepid *threepid)
{
	if (streq(threepid->medium, "email")) {
		for (unsigned i = 0; i < conf->email_count; i++)
			add_equal(filter, conf->email[i], "", threepid->address);
		return;
	}
	for (unsigned i = 0; i < conf->msisdn_count; i++) {
		add_equal(filter, conf->msisdn[i], "+", threepid->address);
		add_equal(filter, conf->msisdn[i], "", threepid->address);
	}
}

bool ldap_filter_of(struct mx_str *filter, const struct source_conf *conf,
		    const struct threepid *threepids, size_t len)
{
	size_t empty;

	mx_str_addf(filter, "(&%s(|", conf->filter);
	empty = filter->len;
	for (size_t i = 0; i < len; i++)
		add_threepid(filter, conf, &threepids[i]);
	if (filter->len == empty)
		return false;
	mx_str_add_text(filter, "))");
	return true;
}
