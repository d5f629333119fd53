#include "homeserver/params.h"

#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/http/request.h"

static int check_me(struct req *r, const char *value)
{
	if (!streq(r->user, value))
		return mx_fail(&r->err, MX_FORBIDDEN, "That is another user's");
	return 0;
}

const struct param_type hs_param_types[] = {
	{ "me", check_me }, /* the user who asks */
	{ 0 },
};
