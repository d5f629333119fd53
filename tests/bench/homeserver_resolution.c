/*
 * State resolution in a large room: homeserver_resolution VERSION EVENTS KEYS ROUNDS prints
 * "name value" lines. Of the room's EVENTS state events most are people who joined; its levels
 * were changed now and then. Two branches fork at the end: in each, moderators put out KEYS/2
 * people and change other keys, so that KEYS keys are in conflict. The moderators took other names
 * before; some of what they do still cites their old memberships.
 */
#include "homeserver/event/room_version.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/crypto/ed25519.h"
#include "tests/support/state_fixture.h"

#include <stdio.h>
#include <time.h>

#define CREATOR      "@creator:one.example"
#define MODERATORS   20
#define LEVELS_EVERY 2000 /* joins */
#define TOPICS       64 /* kinds of other state, each with keys of its own */

struct bench {
	struct state_fixture room;
	struct room_state state; /* before the fork */
	uint32_t create, levels, rules;
	uint32_t *people; /* their joins */
	uint32_t people_len;
	uint32_t renamed[MODERATORS]; /* their memberships since, which all states have */
	int64_t time_ms;
	struct mx_str json;
};

struct line {
	const char *type, *key, *sender;
	const char *content;
	uint32_t cited[8]; /* 0-ended */
};

static uint32_t add(struct bench *bench, const struct line *line)
{
	const struct room_version *version = bench->room.resolver.version;
	bool names_room = version->create_is_room_id;
	struct mx_error err = { 0 };
	uint32_t number;

	mx_str_clear(&bench->json);
	mx_str_addf(&bench->json,
		    "{\"type\":\"%s\",\"state_key\":\"%s\",\"sender\":\"%s\",\"depth\":%u,"
		    "\"origin_server_ts\":%lld,\"content\":%s,\"hashes\":{},\"signatures\":{}",
		    line->type, line->key, line->sender, bench->room.len,
		    (long long)bench->time_ms++, line->content);
	if (!names_room || bench->create)
		mx_str_addf(&bench->json, ",\"room_id\":\"%.*s\"",
			    MX_SLICE_ARG(bench->create ? bench->room.events[bench->create]->room_id
						       : MX_SLICE("!room:one.example")));
	mx_str_add_text(&bench->json, ",\"prev_events\":[");
	if (bench->create)
		mx_str_addf(&bench->json, "\"%.*s\"",
			    MX_SLICE_ARG(bench->room.events[bench->room.len - 1]->id));
	mx_str_add_text(&bench->json, "],\"auth_events\":[");
	for (size_t i = 0, first = 1; i < 8 && line->cited[i]; i++) {
		if (names_room && line->cited[i] == bench->create)
			continue;
		mx_str_addf(&bench->json, "%s\"%.*s\"", first ? "" : ",",
			    MX_SLICE_ARG(bench->room.events[line->cited[i]]->id));
		first = 0;
	}
	mx_str_add_text(&bench->json, "]}");
	number = state_fixture_add(&bench->room, mx_str_slice(&bench->json), false, &err);
	if (!number) {
		fprintf(stderr, "%s: %s\n", line->type, err.text);
		exit(1);
	}
	return number;
}

static void put(struct bench *bench, struct room_state *state, uint32_t number)
{
	room_state_put(&bench->room.nodes, state, bench->room.graph_events[number].slot, number);
}

static void name_person(char name[48], uint32_t index)
{
	snprintf(name, 48, "@person%u:server%u.example", index, index % 500);
}

/* ---- the room */

static uint32_t add_levels(struct bench *bench, uint32_t cited_levels, uint32_t creator)
{
	bool creators = bench->room.resolver.version->creators_rule;
	mx_str_auto content = { 0 };
	char name[48];

	mx_str_add_text(&content, "{\"users\":{");
	if (!creators)
		mx_str_add_text(&content, "\"" CREATOR "\":100,");
	for (uint32_t i = 0; i < MODERATORS; i++) {
		name_person(name, i);
		mx_str_addf(&content, "%s\"%s\":50", i ? "," : "", name);
	}
	mx_str_addf(&content, "},\"events\":{\"change\":%u}}", bench->room.len % 50);
	return add(bench, &(struct line){ "m.room.power_levels",
					  "",
					  CREATOR,
					  content.ptr,
					  { bench->create, creator, cited_levels } });
}

static uint32_t add_join(struct bench *bench, uint32_t index)
{
	char name[48];

	name_person(name, index);
	return add(bench, &(struct line){ "m.room.member",
					  name,
					  name,
					  "{\"membership\":\"join\"}",
					  { bench->create, bench->rules, bench->levels } });
}

static uint32_t add_rename(struct bench *bench, uint32_t index)
{
	char name[48];

	name_person(name, index);
	return add(bench, &(struct line){ "m.room.member",
					  name,
					  name,
					  "{\"displayname\":\"Other\",\"membership\":\"join\"}",
					  { bench->create, bench->rules, bench->levels,
					    bench->people[index] } });
}

static void add_room(struct bench *bench, uint32_t events)
{
	uint32_t creator;

	bench->create = add(bench, &(struct line){ "m.room.create", "", CREATOR,
						   "{\"creator\":\"" CREATOR "\"}" });
	creator = add(bench, &(struct line){ "m.room.member",
					     CREATOR,
					     CREATOR,
					     "{\"membership\":\"join\"}",
					     { bench->create } });
	bench->levels = add_levels(bench, 0, creator);
	bench->rules = add(bench, &(struct line){ "m.room.join_rules",
						  "",
						  CREATOR,
						  "{\"join_rule\":\"public\"}",
						  { bench->create, creator, bench->levels } });
	put(bench, &bench->state, bench->create);
	put(bench, &bench->state, creator);
	put(bench, &bench->state, bench->rules);
	while (bench->room.len <= events) {
		uint32_t join = add_join(bench, bench->people_len);

		bench->people[bench->people_len++] = join;
		put(bench, &bench->state, join);
		if (bench->people_len % LEVELS_EVERY == 0)
			bench->levels = add_levels(bench, bench->levels, creator);
	}
	put(bench, &bench->state, bench->levels);
	for (uint32_t i = 0; i < MODERATORS; i++) {
		bench->renamed[i] = add_rename(bench, i);
		put(bench, &bench->state, bench->renamed[i]);
	}
}

/* ---- the fork */

static uint32_t membership_of(const struct bench *bench, uint32_t moderator, uint32_t act)
{
	return act % 4 == 0 ? bench->people[moderator] : bench->renamed[moderator];
}

static void add_kick(struct bench *bench, struct room_state *state, uint32_t victim,
		     uint32_t moderator)
{
	char name[48], by[48];

	name_person(name, victim);
	name_person(by, moderator);
	put(bench, state,
	    add(bench, &(struct line){ "m.room.member",
				       name,
				       by,
				       "{\"membership\":\"leave\"}",
				       { bench->create, membership_of(bench, moderator, victim),
					 bench->levels, bench->people[victim] } }));
}

static void add_topic(struct bench *bench, struct room_state *state, uint32_t index,
		      uint32_t moderator)
{
	char type[32], key[32], by[48];

	snprintf(type, sizeof(type), "org.example.kind%u", index % TOPICS);
	snprintf(key, sizeof(key), "%u", index / TOPICS);
	name_person(by, moderator);
	put(bench, state,
	    add(bench, &(struct line){ type,
				       key,
				       by,
				       "{}",
				       { bench->create, membership_of(bench, moderator, index),
					 bench->levels } }));
}

static struct room_state add_branch(struct bench *bench, uint32_t keys, uint32_t moderator)
{
	struct room_state state = bench->state;

	for (uint32_t i = 0; i < keys; i++) {
		uint32_t by = (moderator + i) % MODERATORS;

		if (i % 2)
			add_kick(bench, &state, MODERATORS + i * 7, by);
		else
			add_topic(bench, &state, i, by);
	}
	return state;
}

/* ---- figures */

static double cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(struct bench *bench, const struct room_state states[2], unsigned rounds)
{
	double *times = mx_calloc(rounds, sizeof(*times)), first = 0;
	struct room_state resolved;

	for (unsigned i = 0; i <= rounds; i++) {
		double begun = cpu_ms();

		if (state_resolve(&bench->room.resolver, states, 2, &resolved, NULL)) {
			fprintf(stderr, "resolution failed\n");
			exit(1);
		}
		if (i == 0)
			first = cpu_ms() - begun;
		else
			times[i - 1] = cpu_ms() - begun;
	}
	qsort(times, rounds, sizeof(*times), compare);
	printf("first_ms %.3f\nmedian_ms %.3f\nworst_ms %.3f\n", first, times[rounds / 2],
	       times[rounds - 1]);
	mx_free(times);
}

int main(int argc, char **argv)
{
	struct bench bench = { .time_ms = 1700000000000 };
	int64_t events = 0, keys = 0, rounds = 0;
	struct room_state states[2];

	if (argc != 5 || !room_version_find(mx_slice(argv[1])) ||
	    !mx_parse_i64(mx_slice(argv[2]), &events) || !mx_parse_i64(mx_slice(argv[3]), &keys) ||
	    !mx_parse_i64(mx_slice(argv[4]), &rounds) || events < 100 || keys * 7 > events ||
	    rounds < 1) {
		fprintf(stderr, "usage: homeserver_resolution VERSION EVENTS KEYS ROUNDS\n");
		return 2;
	}
	mx_crypto_init();
	state_fixture_init(&bench.room, argv[1]);
	bench.people = mx_calloc((size_t)events, sizeof(*bench.people));
	add_room(&bench, (uint32_t)events);
	states[0] = add_branch(&bench, (uint32_t)keys, 0);
	states[1] = add_branch(&bench, (uint32_t)keys, 1);
	printf("events %u\n", bench.room.len - 1);
	measure(&bench, states, (unsigned)rounds);
	mx_str_done(&bench.json);
	mx_free(bench.people);
	state_fixture_done(&bench.room);
	return 0;
}
