#include "shared/net/authorities.h"

#include "shared/core/alloc.h"
#include "shared/core/str.h"
#include "shared/core/vec.h"

#include <malloc.h>

#define PICKED_MAX   32 /* authorities of one name differ in age and key */
#define LIST_BUCKETS 8

/* Places in the text. */
struct authority {
	size_t name_at, name_len; /* the subject, DER */
	size_t certificate_at, certificate_len; /* DER */
};

struct net_authorities {
	struct mx_vec(struct authority) items;
	struct mx_str text;
};

/* ---- loading */

/* -1 if the library cannot say it. */
static int add_datum(struct mx_str *text, int rc, gnutls_datum_t *datum, size_t *ret_at,
		     size_t *ret_len)
{
	if (rc < 0)
		return -1;
	*ret_at = text->len;
	*ret_len = datum->size;
	mx_str_add(text, datum->data, datum->size);
	gnutls_free(datum->data);
	return 0;
}

static void add_certificate(struct net_authorities *authorities, gnutls_x509_crt_t certificate)
{
	struct mx_str *text = &authorities->text;
	struct authority item;
	gnutls_datum_t datum = { 0 };
	int rc = gnutls_x509_crt_get_raw_dn(certificate, &datum);

	if (add_datum(text, rc, &datum, &item.name_at, &item.name_len))
		return;
	rc = gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_DER, &datum);
	if (add_datum(text, rc, &datum, &item.certificate_at, &item.certificate_len) == 0)
		mx_vec_push(&authorities->items, item);
}

static void add_list(struct net_authorities *authorities, gnutls_x509_trust_list_t list)
{
	gnutls_x509_trust_list_iter_t iter = NULL;
	gnutls_x509_crt_t certificate;

	while (gnutls_x509_trust_list_iter_get_ca(list, &iter, &certificate) >= 0) {
		add_certificate(authorities, certificate);
		gnutls_x509_crt_deinit(certificate);
	}
	gnutls_x509_trust_list_iter_deinit(iter);
}

struct net_authorities *net_authorities_load(const char *ca_file)
{
	struct net_authorities *authorities = mx_calloc(1, sizeof(*authorities));
	gnutls_x509_trust_list_t list;

	if (gnutls_x509_trust_list_init(&list, 0) < 0)
		abort();
	if (ca_file)
		gnutls_x509_trust_list_add_trust_file(list, ca_file, NULL, GNUTLS_X509_FMT_PEM, 0,
						      0);
	else
		gnutls_x509_trust_list_add_system_trust(list, 0, 0);
	add_list(authorities, list);
	gnutls_x509_trust_list_deinit(list, 1);
	malloc_trim(0);
	if (authorities->items.len > 0)
		return authorities;
	net_authorities_free(authorities);
	return NULL;
}

void net_authorities_free(struct net_authorities *authorities)
{
	if (!authorities)
		return;
	mx_vec_done(&authorities->items);
	mx_str_done(&authorities->text);
	mx_free(authorities);
}

size_t net_authorities_len(const struct net_authorities *authorities)
{
	return authorities->items.len;
}

/* ---- picking */

struct picked {
	const struct authority *items[PICKED_MAX];
	unsigned len;
};

static bool is_picked(const struct picked *picked, const struct authority *authority)
{
	for (unsigned i = 0; i < picked->len; i++)
		if (picked->items[i] == authority)
			return true;
	return false;
}

static void pick_named(const struct net_authorities *authorities, const gnutls_datum_t *name,
		       struct picked *picked)
{
	for (size_t i = 0; i < authorities->items.len && picked->len < PICKED_MAX; i++) {
		const struct authority *item = &authorities->items.items[i];

		if (item->name_len == name->size && !is_picked(picked, item) &&
		    memcmp(authorities->text.ptr + item->name_at, name->data, name->size) == 0)
			picked->items[picked->len++] = item;
	}
}

static void pick_for(const struct net_authorities *authorities, gnutls_x509_crt_t certificate,
		     struct picked *picked)
{
	gnutls_datum_t name = { 0 };

	if (gnutls_x509_crt_get_raw_issuer_dn(certificate, &name) >= 0)
		pick_named(authorities, &name, picked);
	gnutls_free(name.data);
	name.data = NULL;
	if (gnutls_x509_crt_get_raw_dn(certificate, &name) >= 0)
		pick_named(authorities, &name, picked);
	gnutls_free(name.data);
}

static void list_add(gnutls_x509_trust_list_t list, const struct net_authorities *authorities,
		     const struct authority *authority)
{
	const gnutls_datum_t der = {
		.data = (unsigned char *)authorities->text.ptr + authority->certificate_at,
		.size = (unsigned)authority->certificate_len,
	};
	gnutls_x509_crt_t certificate;

	if (gnutls_x509_crt_init(&certificate) < 0)
		abort();
	if (gnutls_x509_crt_import(certificate, &der, GNUTLS_X509_FMT_DER) < 0 ||
	    gnutls_x509_trust_list_add_cas(list, &certificate, 1, 0) != 1)
		gnutls_x509_crt_deinit(certificate);
}

gnutls_x509_trust_list_t net_authorities_for(const struct net_authorities *authorities,
					     const gnutls_x509_crt_t *chain, unsigned len)
{
	struct picked picked = { 0 };
	gnutls_x509_trust_list_t list;

	if (gnutls_x509_trust_list_init(&list, LIST_BUCKETS) < 0)
		abort();
	for (unsigned i = 0; i < len; i++)
		pick_for(authorities, chain[i], &picked);
	for (unsigned i = 0; i < picked.len; i++)
		list_add(list, authorities, picked.items[i]);
	return list;
}
