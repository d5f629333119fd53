#include "identity/validate/token_request.h"

#include "identity/identity.h"
#include "identity/identity_conf.h"
#include "identity/message/message.h"
#include "identity/validate/confirming.h"
#include "shared/http/request.h"
#include "shared/threepid/asking.h"
#include "shared/threepid/next_link.h"

int token_request_read(struct req *r, struct validation_request *ret_request)
{
	const struct identity_conf *conf = conf_of(r->app);
	const struct next_link_rules rules = validation_conf_links(&conf->validation);

	ret_request->style = message_style_of(r->app, r);
	return asking_read(r, &rules, ret_request);
}

int token_request_begin(struct req *r, const struct validation_request *request,
			const struct phone *phone)
{
	const struct validator validator = validator_of(r->app);
	const struct asking asking = { .validator = &validator, .phone = phone };

	return asking_begin(r, &asking, request);
}

int token_request_await(struct req *r)
{
	const struct validator validator = validator_of(r->app);
	const struct asking asking = { .validator = &validator };

	return asking_await(r, &asking);
}
