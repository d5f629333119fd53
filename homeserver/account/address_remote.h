/* Claims to phone numbers: an identity server sends the message and knows its token, this
 * homeserver notes what came of it. Its client knows our session only. */
#pragma once

struct claim;
struct hs_call;
struct id_server_conf;
struct mx_error;
struct phone;
struct req;
struct validation_request;

struct address_remote {
	const struct id_server_conf *server;
	const char *token; /* of the client's account there */
};

/* Asks the server to send the message, then opens the claim; both durable when it returns.
 * *ret_sid in call->mem. Waits for the network: call has neither txn nor view. */
int address_remote_begin(const struct hs_call *call, const struct address_remote *remote,
			 const struct validation_request *request, struct req *r,
			 const char **ret_sid);

/* Gives the token to the server that knows it; the claim is validated if it says so. */
int address_remote_submit(const struct hs_call *call, const struct claim *claim, const char *token,
			  struct mx_error *err);
