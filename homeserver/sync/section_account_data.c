/* `account_data` of /sync: what is global. That of rooms stands with them. */
#include "homeserver/json_out.h"
#include "homeserver/push/default_rules.h"
#include "homeserver/sync/sync.h"
#include "homeserver/userdata/filter.h"
#include "shared/core/alloc.h"
#include "shared/core/str.h"
#include "shared/json/canonical.h"
#include "shared/json/json.h"

void sync_account_data(struct sync *sync, const struct event_filter *filter,
		       const struct account_data_list *list)
{
	for (size_t i = 0; i < list->len; i++) {
		const struct account_data *data = &list->items[i];

		if (!event_filter_allows_type(filter, data->type, MX_SLICE("")))
			continue;
		json_next(sync->out);
		mx_str_add_text(sync->out, "{\"type\":");
		mx_canonical_string(sync->out, data->type);
		mx_str_add_text(sync->out, ",\"content\":");
		mx_str_add_slice(sync->out, data->content);
		mx_str_add_char(sync->out, '}');
	}
}

/* Spec: "Push Rules: Events". They are the same for everybody and do not change: whoever begins is
 * told. */
static void add_push_rules(struct sync *sync)
{
	json_auto_t *rules = NULL;
	mx_autofree char *text = NULL;

	if (!sync->ask->initial ||
	    !event_filter_allows_type(&sync->ask->filter->account_data, MX_SLICE("m.push_rules"),
				      MX_SLICE("")))
		return;
	rules = default_rules_new(sync->ask->user_id);
	text = mx_json_text(rules);
	json_next(sync->out);
	mx_str_add_text(sync->out, "{\"type\":\"m.push_rules\",\"content\":{\"global\":");
	mx_str_add_text(sync->out, text);
	mx_str_add_text(sync->out, "}}");
}

int section_account_data(struct sync *sync)
{
	struct account_data_list global = { .items = sync->account_data.items };
	struct mx_str *out = sync->out;
	size_t start = out->len, inside;

	while (global.len < sync->account_data.len && global.items[global.len].room == 0)
		global.len++;
	json_key(out, "account_data");
	mx_str_add_text(out, "{\"events\":[");
	inside = out->len;
	add_push_rules(sync);
	sync_account_data(sync, &sync->ask->filter->account_data, &global);
	if (out->len == inside) {
		json_cut(out, start);
		return 0;
	}
	mx_str_add_text(out, "]}");
	sync->news = true;
	return 0;
}
