/* The default rules, for everybody. Spec: client-server API, "Push Rules: API". */
#include "homeserver/push/default_rules.h"
#include "homeserver/routes.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/http/request.h"
#include "shared/json/json.h"

static int get_rules(struct req *r)
{
	reply_json(r, json_pack("{s:o}", "global", default_rules_new(r->user)));
	return 0;
}

static int get_global(struct req *r)
{
	reply_json(r, default_rules_new(r->user));
	return 0;
}

/* The rule of the path; the caller's. */
static int find_rule(struct req *r, json_t **ret_rule)
{
	json_auto_t *rules = default_rules_new(r->user);
	json_t *rule;
	size_t i;

	json_array_foreach (json_object_get(rules, req_param(r, "kind")), i, rule)
		if (streq(jstr(rule, "rule_id"), req_param(r, "ruleId"))) {
			*ret_rule = json_incref(rule);
			return 0;
		}
	return mx_fail(&r->err, MX_NOT_FOUND, "There is no such rule");
}

static int get_rule(struct req *r)
{
	json_t *rule;
	int rc = find_rule(r, &rule);

	if (rc == 0)
		reply_json(r, rule);
	return rc;
}

static int reply_part(struct req *r, const char *part)
{
	json_auto_t *rule = NULL;
	int rc = find_rule(r, &rule);

	if (rc == 0)
		reply_json(r, json_pack("{s:O}", part, json_object_get(rule, part)));
	return rc;
}

static int get_actions(struct req *r)
{
	return reply_part(r, "actions");
}

static int get_enabled(struct req *r)
{
	return reply_part(r, "enabled");
}

#define RULES CLIENT_V3 "/pushrules"
#define RULE  RULES "/global/{kind}/{ruleId}"
#define ROW(path_, handler_, reply_, slash_)                                           \
	{                                                                              \
		GET, path_, handler_,                                                  \
			.auth = AUTH_USER, .limit = LIMIT_READ, .reply = reply_,       \
			.flags = ROUTE_CORS | ROUTE_GUESTS | ROUTE_SUSPENDED | slash_, \
	}

const struct route push_rules_routes[] = {
	ROW(RULES, get_rules, "client/push_rules.reply", ROUTE_SLASH),
	ROW(RULES "/global", get_global, "client/push_rules_global.reply", ROUTE_SLASH),
	ROW(RULE, get_rule, "client/push_rule.reply", 0),
	ROW(RULE "/actions", get_actions, "client/push_rule_actions.reply", 0),
	ROW(RULE "/enabled", get_enabled, "client/push_rule_enabled.reply", 0),
	{ 0 },
};
