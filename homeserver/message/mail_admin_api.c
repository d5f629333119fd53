/* The admin listener: one mail now, and how far it came. */
#include "homeserver/hs.h"
#include "homeserver/message/messages.h"
#include "homeserver/routes.h"
#include "shared/core/time.h"
#include "shared/daemon/admin_page.h"
#include "shared/http/request.h"
#include "shared/mail/trial.h"

static int post_mail_test(struct req *r)
{
	const struct hs *hs = r->app;
	const struct letterhead head = messages_letterhead(hs);

	return mail_trial(r, &(struct mail_trial){ .mailer = hs->mailer, .head = &head });
}

const struct route mail_admin_routes[] = {
	{ POST, ADMIN_V1 "/mail/test", post_mail_test, TRIAL_ROW, .body = "admin/mail_test" },
	{ 0 },
};
