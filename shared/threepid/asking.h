/* What both requestToken endpoints have in common: parameters, and the wait for the relay. */
#pragma once

struct next_link_rules;
struct phone;
struct req;
struct validation_request;
struct validator;

/* client_secret, send_attempt, next_link, and who asks. -MX_INVALID_PARAM. */
int asking_read(struct req *r, const struct next_link_rules *rules,
		struct validation_request *ret_request);

/* How it is answered. */
struct asking {
	const struct validator *validator;
	const struct phone *phone; /* NULL: a mail */
	const char *submit_url; /* NULL: none is told */
};

/* Begins the validation and waits for the first attempt to send, if anything is to be sent. May
 * park. Then the session's id is the answer, or the failure of the channel. */
int asking_begin(struct req *r, const struct asking *asking,
		 const struct validation_request *request);
/* A later run, which has r->kept. */
int asking_await(struct req *r, const struct asking *asking);
/* The answer of a session whose message is sent by somebody else. */
void asking_reply(struct req *r, const struct asking *asking, const char *sid);

/* The number of "phone_number" and "country" in the body. -MX_INVALID_PARAM, -MX_INVALID_ADDRESS.
 */
int asking_phone(struct req *r, struct phone *ret_phone);
