/* Tells the operator's alarm address that a key id reappeared with other bytes. */
#pragma once

struct alarm;
struct notary;

/* url: where to POST {"server_name":…,"conflicts":[…]}; NULL = nowhere. What happened before is
 * not told again. */
struct alarm *alarm_new(struct notary *notary, const char *url);
void alarm_free(struct alarm *alarm);

/* Looks for conflicts since the last look; what could not be delivered is told again with the
 * next look. From one thread; waits for the address. */
void alarm_look(struct alarm *alarm);
