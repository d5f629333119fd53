/* For the operator: one message now, and how far it came. */
#pragma once

#include "shared/outbox/outbox.h"

#include <jansson.h>
#include <stdbool.h>

struct letterhead;
struct mail_address;
struct mailer;
struct mx_error;
struct req;

#define TRIAL_LETTER "test" /* the name of its templates */

/* How a row of the route table waits for the other side. */
#define TRIAL_ROW .lane = LANE_NET, .deadline_ms = 3 * MX_MINUTE_MS

/* An element of the steps. */
json_t *trial_step(const char *name, bool ok, const char *words);
/* {"result", "why", "steps"}: one that failed is an answer as good as any other. Takes the steps.
 */
void trial_reply(struct req *r, enum outbox_result result, json_t *steps,
		 const struct mx_error *why);

struct mail_trial {
	struct mailer *mailer; /* may be NULL: no mail is sent */
	const struct letterhead *head;
	/* Adds its step; NULL: every address may be written to. */
	bool (*may_write)(void *ctx, const struct mail_address *to, json_t *steps);
	void *ctx;
};

/* Handles POST /admin/v1/mail/test, body "admin/mail_test": in the default brand and language,
 * without the outbox. */
int mail_trial(struct req *r, const struct mail_trial *trial);

/* What is typed: `mail test [--json] ADDRESS`. */
struct trial_command {
	const char *program, *usage, *path;
	const char *member; /* of the body, for the last argument */
};
int trial_command_run(const struct trial_command *command, const void *conf, int argc, char **argv);

#define TRIAL_OF_MAIL(of_program)                                             \
	{                                                                     \
		.program = of_program, .usage = "mail test [--json] ADDRESS", \
		.path = "/admin/v1/mail/test", .member = "address"            \
	}
