#include "shared/core/error.h"
#include "shared/json/canonical.h"
#include "shared/json/member.h"

#include <inttypes.h>

/* Spec: appendices, "Canonical JSON": integers that every reader can hold exactly. */
#define INTEGER_MAX ((INT64_C(1) << 53) - 1)

/* A container that is being written: of an object the members that are left, on the writer's
 * stack; of an array the index of the next item. */
struct frame {
	const json_t *json;
	size_t first, next, last;
};

struct writer {
	struct mx_str *out;
	struct mx_error *err;
	struct mx_members members;
	struct mx_vec(struct frame) frames;
};

static int integer_write(struct writer *w, json_int_t value)
{
	if (value > INTEGER_MAX || value < -INTEGER_MAX)
		return mx_fail(w->err, MX_BAD_JSON, "An integer is beyond 2^53 - 1");
	mx_str_addf(w->out, "%" PRId64, (int64_t)value);
	return 0;
}

static void object_open(struct writer *w, json_t *json, const char *const *without)
{
	struct frame frame = { .json = json, .first = w->members.len, .next = w->members.len };

	for (void *at = json_object_iter(json); at; at = json_object_iter_next(json, at)) {
		struct mx_member member = {
			.key = mx_slice_of(json_object_iter_key(at), json_object_iter_key_len(at)),
			.json = json_object_iter_value(at),
		};

		if (!mx_member_is_listed(without, member.key))
			mx_vec_push(&w->members, member);
	}
	frame.last = w->members.len;
	mx_members_sort(&w->members, frame.first);
	mx_str_add_char(w->out, '{');
	mx_vec_push(&w->frames, frame);
}

static void array_open(struct writer *w, const json_t *json)
{
	const struct frame frame = { .json = json, .last = json_array_size(json) };

	mx_str_add_char(w->out, '[');
	mx_vec_push(&w->frames, frame);
}

static int value_write(struct writer *w, json_t *json, const char *const *without)
{
	switch (json_typeof(json)) {
	case JSON_NULL: mx_str_add_text(w->out, "null"); return 0;
	case JSON_FALSE: mx_str_add_text(w->out, "false"); return 0;
	case JSON_TRUE: mx_str_add_text(w->out, "true"); return 0;
	case JSON_STRING:
		mx_canonical_string(w->out,
				    mx_slice_of(json_string_value(json), json_string_length(json)));
		return 0;
	case JSON_INTEGER: return integer_write(w, json_integer_value(json));
	case JSON_ARRAY: array_open(w, json); return 0;
	case JSON_OBJECT: object_open(w, json, without); return 0;
	case JSON_REAL: break;
	}
	return mx_fail(w->err, MX_BAD_JSON,
		       "Signed JSON may hold no number that is not an integer");
}

/* The next piece of the innermost container, or its closing bracket. */
static int frame_step(struct writer *w)
{
	struct frame *frame = &w->frames.items[w->frames.len - 1];
	bool object = json_is_object(frame->json);
	const struct mx_member *member;
	size_t next = frame->next++;

	if (next == frame->last) {
		mx_str_add_char(w->out, object ? '}' : ']');
		if (object)
			w->members.len = frame->first;
		w->frames.len--;
		return 0;
	}
	if (next > frame->first)
		mx_str_add_char(w->out, ',');
	if (!object)
		return value_write(w, json_array_get(frame->json, next), NULL);
	member = &w->members.items[next];
	mx_canonical_string(w->out, member->key);
	mx_str_add_char(w->out, ':');
	return value_write(w, member->json, NULL);
}

int mx_canonical_json(const json_t *json, const char *const *without, struct mx_str *out,
		      struct mx_error *err)
{
	struct writer w = { .out = out, .err = err };
	size_t before = out->len;
	int rc;

	/* jansson's iterators take no const trees, though they change nothing. */
	rc = value_write(&w, (json_t *)(uintptr_t)json, without);
	while (!rc && w.frames.len) {
		rc = frame_step(&w);
		if (!rc && out->len - before > MX_CANONICAL_MAX)
			rc = mx_fail(err, MX_TOO_LARGE, "The JSON is longer than %u bytes",
				     MX_CANONICAL_MAX);
	}
	if (rc)
		out->len = before;
	mx_vec_done(&w.members);
	mx_vec_done(&w.frames);
	return rc;
}
