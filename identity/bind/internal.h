/*
 * Binding and unbinding by a program of the operator's: without a session, by a token of a file.
 * Off unless there is a file. Sydent has the same endpoints without any token, on a port of its
 * own.
 */
#pragma once

struct internal;
struct mx_error;
struct req;

/* A token that nobody guesses. */
#define INTERNAL_TOKEN_MIN 32

/* *ret_internal NULL, and 0, without a file. -MX_BAD_CONFIG for one that cannot be read, or whose
 * token is too short. */
int internal_new(const char *token_file, struct internal **ret_internal, struct mx_error *err);
/* The token may have changed; what fails keeps the old one. */
int internal_reload(struct internal *internal, const char *token_file, struct mx_error *err);
void internal_free(struct internal *internal);

/* The request bears the token, and its budget lasts. -MX_UNAUTHORIZED, -MX_LIMIT_EXCEEDED. */
int internal_check(struct req *r);
