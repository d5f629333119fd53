#include "homeserver/sync/sync.h"

#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/json_out.h"
#include "homeserver/stream/stream.h"
#include "homeserver/timeline/event_view.h"
#include "homeserver/userdata/filter.h"
#include "homeserver/userdata/filter_fields.h"
#include "shared/store/store.h"

#include <stdlib.h>

static int (*const sections[])(struct sync *) = {
	section_rooms,
	section_presence,
	section_account_data,
	section_devices,
};

static int compare_rooms(const void *a, const void *b)
{
	const struct account_data *one = a, *other = b;

	if (one->room != other->room)
		return one->room < other->room ? -1 : 1;
	return (one->position > other->position) - (one->position < other->position);
}

/* All of the user's, once: most syncs find nothing, and rooms look up theirs. */
static int account_data_load_all(struct sync *sync)
{
	struct account_data_list *list = &sync->account_data;
	int rc = account_data_changed(sync->call, sync->ask->user_id, sync->ask->since.position,
				      list);

	if (rc == 0 && list->len)
		qsort(list->items, list->len, sizeof(*list->items), compare_rooms);
	return rc;
}

/* Ticks first: what happens while this is read is shown again, rather than never. */
static struct sync_token position_now(const struct hs_call *call)
{
	return (struct sync_token){
		.tick = stream_ticks(call->hs->stream),
		.position = store_view_stamp(call->view),
	};
}

/* Mostly there is nothing, and then nothing is read. */
static bool may_have_news(const struct sync *sync)
{
	const struct sync_ask *ask = sync->ask;

	return ask->initial || ask->full_state ||
	       stream_user_changed(sync->call->hs->stream, mx_slice(ask->user_id),
				   ask->since.position, ask->since.tick);
}

static int write_sections(struct sync *sync)
{
	int rc = ignored_load(sync->call, sync->ask->user_id, &sync->ignored);

	if (rc == 0)
		rc = account_data_load_all(sync);
	for (size_t i = 0; rc == 0 && i < sizeof(sections) / sizeof(*sections); i++)
		rc = sections[i](sync);
	return rc;
}

int sync_write(const struct hs_call *call, const struct sync_ask *ask, struct mx_str *out,
	       struct sync_token *ret_now, bool *ret_news)
{
	struct sync sync = { .call = call, .ask = ask, .now = position_now(call), .out = out };
	bool look = may_have_news(&sync);
	int rc;

	/* Something of a later tick may be there already, and not yet be told. */
	if (!look)
		sync.now.tick = ask->since.tick;
	mx_str_add_text(out, "{\"next_batch\":\"");
	sync_token_add(out, &sync.now);
	mx_str_add_char(out, '"');
	rc = look ? write_sections(&sync) : section_devices(&sync);
	mx_str_add_char(out, '}');
	mx_vec_done(&sync.new_rooms);
	mx_vec_done(&sync.newcomers);
	*ret_now = sync.now;
	*ret_news = sync.news;
	return rc;
}

void sync_event(struct sync *sync, const struct hs_call *call, const struct stored_event *event,
		struct visibility *visibility)
{
	const struct filter *filter = sync->ask->filter;
	const struct event_viewer viewer = {
		.user_id = sync->ask->user_id,
		.device = sync->ask->device,
		.form = filter->federation_format ? EVENT_VIEW_FEDERATION : EVENT_VIEW_SYNC,
		.bundles = visibility != NULL,
		.visibility = visibility,
		.ignored = &sync->ignored,
	};
	mx_str_auto whole = { 0 };

	json_next(sync->out);
	if (!filter->fields) {
		event_view(call, &viewer, event, sync->out);
		return;
	}
	event_view(call, &viewer, event, &whole);
	filter_fields_project(filter->fields, mx_str_slice(&whole), sync->out);
}

bool sync_ignores(const struct sync *sync, const struct event *event)
{
	return sync->ignored.len && !event_is_state(event) &&
	       ignored_has(&sync->ignored, event->sender);
}
