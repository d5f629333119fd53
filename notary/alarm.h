/* Tells the operator's alarm address what nobody should have to look for: a key id that reappeared
 * with other bytes, a compromised key that is in use, trouble with the notary's own keys. */
#pragma once

struct alarm;
struct notary;

/* What is wrong until it is well again. */
enum alarm_problem {
	ALARM_KEY_FILES, /* they do not load: the old keys go on signing */
	ALARM_OWN_KEYS, /* the published object is not renewed */
	ALARM_PROBLEMS
};

/*
 * url: where to POST {"server_name":…,"conflicts":[…],"compromised":[{"server","key_id","at_ts"}],
 * "problems":[{"what":"key_files","why":…}]}; NULL = nowhere. conflicts are as in inspect.h. What
 * happened before is not told, and each thing only once.
 */
struct alarm *alarm_new(struct notary *notary, const char *url);
void alarm_free(struct alarm *alarm);

/* why: a sentence, or NULL if it is well again. Any thread. */
void alarm_problem(struct alarm *alarm, enum alarm_problem what, const char *why);

/* Looks for news since the last look; what could not be delivered is told again with the next
 * look. From one thread; waits for the address. */
void alarm_look(struct alarm *alarm);
