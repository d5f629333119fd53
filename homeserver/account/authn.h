/*
 * Who asks: an access token's user and device. What tokens say is kept in memory, so that a
 * request costs no read of the store; a token that is revoked is unknown from the commit on,
 * because the memory watches the tables of sessions and accounts.
 */
#pragma once

struct authn;
struct hs;
struct req;

struct authn *authn_new(struct hs *hs);
/* Before the store closes. NULL does nothing. */
void authn_free(struct authn *authn);

/*
 * For daemon_authenticate(): fills r->user and r->device. -MX_MISSING_TOKEN, -MX_UNKNOWN_TOKEN;
 * -MX_USER_LOCKED for rows without ROUTE_LOCKED, -MX_GUEST_FORBIDDEN without ROUTE_GUESTS,
 * -MX_USER_SUSPENDED for what is no GET without ROUTE_SUSPENDED.
 */
int authn_authenticate(struct req *r);
