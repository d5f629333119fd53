#include "homeserver/meta/admin_contact.h"

#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "shared/core/arena.h"
#include "shared/http/request.h"

const char *admin_contact(struct req *r)
{
	const struct hs_conf *conf = conf_of(r->app);
	const struct well_known_conf *known = &conf->well_known;

	if (known->contacts_count && known->contacts[0].email_address)
		return mx_arena_strf(r->mem, "mailto:%s", known->contacts[0].email_address);
	/* Spec: appendices, "matrix: URI scheme": without the sigil. */
	if (known->contacts_count)
		return mx_arena_strf(r->mem, "matrix:u/%s", known->contacts[0].matrix_id + 1);
	return known->support_page ? known->support_page : conf->public_base_url;
}
