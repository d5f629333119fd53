#include "shared/threepid/mailed.h"

#include "shared/core/arena.h"
#include "shared/core/str.h"
#include "shared/core/url.h"
#include "shared/threepid/validation.h"

void mailed_allowance(const struct validation_request *request, const struct mailed_budgets *kinds,
		      struct allowance *ret_allowance)
{
	const char *address = request->session.threepid.address;

	ret_allowance->len = 0;
	allowance_add_network(ret_allowance, kinds->network, request->client);
	allowance_add(ret_allowance, kinds->asker,
		      request->account ? request->account : ret_allowance->network);
	allowance_add(ret_allowance, kinds->address, address);
	allowance_add(ret_allowance, kinds->address_day, address);
}

static void add_parameter(struct mx_str *link, const char *name, const char *value)
{
	mx_str_addf(link, "&%s=", name);
	mx_url_add(link, mx_slice(value));
}

const char *mailed_link(const char *page, const struct validation_send *what, struct mx_arena *mem)
{
	const char *brand = what->request->style.brand;
	const struct claim *claim = what->session;
	mx_str_auto link = { 0 };

	mx_str_addf(&link, "%s?sid=", page);
	mx_url_add(&link, mx_slice(claim->id));
	add_parameter(&link, "client_secret", claim->client_secret);
	add_parameter(&link, "token", claim->token);
	if (brand)
		add_parameter(&link, "brand", brand);
	return mx_arena_strdup(mem, link.ptr);
}
