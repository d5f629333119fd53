/* Spec: room versions, "Authorisation rules", "If type is m.room.power_levels". */
#include "homeserver/eventauth/rule.h"

#include "homeserver/event/event.h"
#include "homeserver/event/room_version.h"

/* What changes hands between two lists that are in the same order. */
struct change {
	struct mx_slice name;
	const struct level *old, *new; /* NULL: is not there */
};

struct changes {
	const struct level_list *old, *new;
	size_t old_at, new_at;
};

static const struct level *entry(const struct level_list *list, size_t at)
{
	return at < list->len ? &list->items[at] : NULL;
}

/* Below 0: the old entry comes first. */
static int order_of(const struct level *old, const struct level *new)
{
	if (!old || !new)
		return old ? -1 : 1;
	return mx_slice_cmp(old->name, new->name);
}

/* The next entry that is added, removed or of another value; false at the end. */
static bool next_change(struct changes *changes, struct change *ret_change)
{
	for (;;) {
		const struct level *old = entry(changes->old, changes->old_at);
		const struct level *new = entry(changes->new, changes->new_at);
		int order = order_of(old, new);

		if (!old && !new)
			return false;
		changes->old_at += order <= 0;
		changes->new_at += order >= 0;
		if (order == 0 && old->value == new->value)
			continue;
		ret_change->old = order <= 0 ? old : NULL;
		ret_change->new = order >= 0 ? new : NULL;
		ret_change->name = order <= 0 ? old->name : new->name;
		return true;
	}
}

static int check_named(const struct auth_check *check, const struct power_levels *new)
{
	const struct power_levels *old = check->levels.stated;

	for (int name = 0; name < LEVEL_NAMES; name++) {
		if (old->is_stated[name] == new->is_stated[name] &&
		    old->stated[name] == new->stated[name])
			continue;
		if ((old->is_stated[name] && old->stated[name] > check->sender_level) ||
		    (new->is_stated[name] && new->stated[name] > check->sender_level))
			return rule_reject(check, "A level above one's own cannot be changed");
	}
	return 0;
}

static int check_list(const struct auth_check *check, const struct level_list *old,
		      const struct level_list *new)
{
	struct changes changes = { .old = old, .new = new };
	struct change change;

	while (next_change(&changes, &change))
		if ((change.old && change.old->value > check->sender_level) ||
		    (change.new &&change.new->value > check->sender_level))
			return rule_reject(check, "A level above one's own cannot be changed");
	return 0;
}

static int check_users(const struct auth_check *check, const struct power_levels *new)
{
	struct changes changes = { .old = &check->levels.stated->users, .new = &new->users };
	struct change change;

	while (next_change(&changes, &change)) {
		bool own = mx_slice_eq(change.name, check->event->sender);

		if (change.old && !own && change.old->value >= check->sender_level)
			return rule_reject(check, "Who has no lower level cannot be changed");
		if (change.new &&change.new->value > check->sender_level)
			return rule_reject(check, "No level above one's own can be given");
	}
	return 0;
}

static int check_creators(const struct auth_check *check, const struct power_levels *new)
{
	const struct room_creators *creators = &check->levels.creators;

	for (size_t i = 0; i < creators->len; i++)
		if (level_find(&new->users, creators->users[i]))
			return rule_reject(check, "The level of a creator cannot be stated");
	return 0;
}

int rule_power_levels(const struct auth_check *check)
{
	const struct power_levels *old = check->levels.stated;
	struct power_levels new;
	int rc = power_levels_parse(check->event, check->mem, &new, check->err);

	if (rc == 0 && check->event->version->creators_rule)
		rc = check_creators(check, &new);
	if (rc || !old)
		return rc;
	rc = check_named(check, &new);
	if (rc == 0)
		rc = check_list(check, &old->events, &new.events);
	if (rc == 0 && check->event->version->notification_levels)
		rc = check_list(check, &old->notifications, &new.notifications);
	return rc ? rc : check_users(check, &new);
}
