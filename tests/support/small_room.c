#include "tests/support/small_room.h"

#include "homeserver/event/event_types.h"
#include "homeserver/event/room_version.h"
#include "homeserver/eventauth/eventauth.h"
#include "homeserver/eventauth/select.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"

#define HEAD_LEN 4

static const char *const people[] = { "@a:one.example", "@b:one.example", "@c:two.example",
				      "@d:two.example" };

#define PEOPLE (sizeof(people) / sizeof(people[0]))

/* What the first four characters of a line say. */
struct head {
	size_t branch;
	bool insists;
	const char *type, *sender, *key;
};

static const char *version_of(uint8_t byte)
{
	size_t len = 0;

	while (room_version_at(len))
		len++;
	return room_version_at(byte % len)->id;
}

struct mx_slice small_room_read(struct small_room *small, const uint8_t *bytes, size_t len)
{
	*small = (struct small_room){ .branches_len = 1 };
	state_fixture_init(&small->room, version_of(bytes[0]));
	return mx_slice_of((const char *)bytes + 1, len - 1);
}

void small_room_done(struct small_room *small)
{
	state_fixture_done(&small->room);
}

/* ---- lines */

static const char *type_of(char letter)
{
	switch (letter) {
	case 'c': return TYPE_CREATE;
	case 'm': return TYPE_MEMBER;
	case 'p': return TYPE_POWER_LEVELS;
	case 'j': return TYPE_JOIN_RULES;
	case 'i': return "m.room.third_party_invite";
	case 't': return "m.room.topic";
	default: return NULL;
	}
}

static const char *person_of(char letter)
{
	size_t index = (size_t)(unsigned char)letter - 'a';

	return index < PEOPLE ? people[index] : NULL;
}

static bool read_head(const struct small_room *small, struct mx_slice line, struct head *ret_head)
{
	bool capital;

	if (line.len < HEAD_LEN)
		return false;
	capital = line.ptr[0] >= 'A' && line.ptr[0] <= 'Z';
	ret_head->branch = (size_t)(unsigned char)line.ptr[0] - (capital ? 'A' : 'a');
	ret_head->insists = capital;
	ret_head->type = type_of(line.ptr[1]);
	ret_head->sender = person_of(line.ptr[2]);
	ret_head->key = person_of(line.ptr[3]);
	if (!ret_head->key)
		ret_head->key = line.ptr[3] == '.' ? "" : "x";
	return ret_head->branch < small->branches_len && ret_head->type && ret_head->sender;
}

/* ---- events */

static void add_reference(const struct room_version *version, struct mx_slice id,
			  struct mx_str *out)
{
	mx_str_addf(out, version->hashed_references ? "[\"%.*s\",{\"sha256\":\"x\"}]" : "\"%.*s\"",
		    MX_SLICE_ARG(id));
}

static void add_cited(const struct room_version *version, struct branch_of_room *branch,
		      const struct selection *selection, struct mx_str *out)
{
	bool first = true;

	for (size_t i = 0; i < selection->len; i++) {
		const struct event *event = state_branch_find(branch, selection->keys[i].type,
							      selection->keys[i].state_key);

		if (!event)
			continue;
		mx_str_add_text(out, first ? "" : ",");
		add_reference(version, event->id, out);
		first = false;
	}
}

static void write_event(const struct small_room *small, const struct head *head,
			struct mx_slice content, const struct selection *selection,
			struct mx_str *out)
{
	const struct room_version *version = small->room.resolver.version;
	struct branch_of_room branch = { &small->room, &small->branches[head->branch] };
	uint32_t number = small->room.len;

	mx_str_clear(out);
	mx_str_addf(out,
		    "{\"type\":\"%s\",\"state_key\":\"%s\",\"sender\":\"%s\",\"depth\":%u,"
		    "\"origin_server_ts\":%u,\"content\":%.*s,\"hashes\":{},\"signatures\":{}",
		    head->type, head->key, head->sender, number, 1000 + number % 3,
		    MX_SLICE_ARG(content));
	if (!version->create_is_room_id || number > 1)
		mx_str_addf(out, ",\"room_id\":\"%.*s\"",
			    MX_SLICE_ARG(number > 1 ? small->room.events[1]->room_id
						    : MX_SLICE("!r:one.example")));
	if (version->event_ids == EVENT_ID_MEMBER)
		mx_str_addf(out, ",\"event_id\":\"$%u:one.example\"", number);
	mx_str_add_text(out, ",\"prev_events\":[");
	if (number > 1)
		add_reference(version, small->room.events[number - 1]->id, out);
	mx_str_add_text(out, "],\"auth_events\":[");
	add_cited(version, &branch, selection, out);
	mx_str_add_text(out, "]}");
}

/* Once without what it cites, to see what that has to be; then with it. */
static struct event *make_event(struct small_room *small, const struct head *head,
				struct mx_slice content)
{
	struct event *event = mx_arena_alloc(small->room.mem, sizeof(*event));
	const struct room_version *version = small->room.resolver.version;
	struct selection selection = { 0 };
	struct auth_subject subject;
	mx_str_auto json = { 0 };

	for (int i = 0; i < 2; i++) {
		write_event(small, head, content, &selection, &json);
		if (event_parse(version, mx_str_slice(&json), small->room.mem, event, NULL))
			return NULL;
		subject = auth_subject_of(event, small->room.mem);
		auth_select(&subject, &selection);
	}
	return event;
}

static struct small_said say(struct small_room *small, const struct head *head,
			     struct mx_slice content)
{
	struct state_branch *branch = &small->branches[head->branch];
	struct branch_of_room of = { &small->room, branch };
	const struct auth_state state = { state_branch_find, &of };
	struct event *event = make_event(small, head, content);
	struct small_said said = { 0 };
	uint32_t number;

	/* The same event twice has the same id. */
	if (!event || state_fixture_find(&small->room, event->id))
		return said;
	said.event = event;
	said.allowed = eventauth_check(event, &state, small->room.mem, NULL) == 0;
	if (small->room.len == 1 && !said.allowed)
		return (struct small_said){ 0 };
	number = state_fixture_put(&small->room, event, !said.allowed);
	if (number && (said.allowed || (head->insists && !streq(head->type, TYPE_CREATE))))
		state_branch_put(&small->room, branch, number);
	return said;
}

struct small_said small_room_say(struct small_room *small, struct mx_slice line)
{
	size_t fork = line.len == 2 && line.ptr[0] == 'f' ? (size_t)(line.ptr[1] - 'a') : SIZE_MAX;
	struct mx_slice content = MX_SLICE("{}");
	struct head head;

	/* There is no state without a create event. */
	if (fork < small->branches_len && small->branches_len < SMALL_ROOM_BRANCHES &&
	    small->room.len > 1) {
		small->branches[small->branches_len++] = small->branches[fork];
		return (struct small_said){ 0 };
	}
	if (small->room.len > SMALL_ROOM_EVENTS || !read_head(small, line, &head))
		return (struct small_said){ 0 };
	/* Nobody can say anything more in a room whose create event is called otherwise. */
	if (small->room.len == 1 && (!streq(head.type, TYPE_CREATE) || *head.key))
		return (struct small_said){ 0 };
	if (line.len > HEAD_LEN + 1)
		content = mx_slice_of(line.ptr + HEAD_LEN + 1, line.len - HEAD_LEN - 1);
	return say(small, &head, content);
}
