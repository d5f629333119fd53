/* Certificates of clients. While a request is handled, its connection is suspended: nobody else
 * uses the session. */
#include "shared/core/arena.h"
#include "shared/http/exchange.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <microhttpd.h>

static gnutls_session_t session_of(const struct exchange *ex)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		ex->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);

	return info ? info->tls_session : NULL;
}

/* By the authorities that the library was given. What the certificate may be used for is not
 * looked at: public authorities no longer write that it may be a client's. */
static bool is_trusted(gnutls_session_t session)
{
	unsigned status = GNUTLS_CERT_INVALID;

	return gnutls_certificate_verify_peers2(session, &status) == 0 && status == 0;
}

struct mx_slice req_certificate(struct req *r)
{
	gnutls_session_t session = session_of(exchange_of(r));
	const gnutls_datum_t *chain;
	unsigned len = 0;

	if (!session)
		return MX_SLICE("");
	chain = gnutls_certificate_get_peers(session, &len);
	if (!chain || len == 0 || !is_trusted(session))
		return MX_SLICE("");
	return mx_arena_slice(r->mem, mx_slice_of(chain[0].data, chain[0].size));
}
