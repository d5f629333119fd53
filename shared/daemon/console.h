/* What subcommands have in common: asking the running daemon, and talking to whoever typed them.
 * `program` is the daemon's name, with which all that is said on standard error begins. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct daemon_conf;
struct mx_error;

/* "--reason TEXT" if there is a value, "--json" if there is a flag. */
struct console_option {
	const char *name;
	const char **value;
	bool *flag;
};

/*
 * Takes the options (ended by { 0 }) out of argv[1] and on, wherever they stand; what is left
 * moves together, *argc counts it. False for an option that is not in the list, without its
 * value or there twice. Behind "--" there are no more options.
 */
bool console_options(int *argc, char **argv, const struct console_option *options);

/* Asks the running daemon over its admin listener; the answer (owned by the caller), or NULL after
 * saying why not. body may be NULL. */
json_t *console_ask(const char *program, const struct daemon_conf *conf, const char *method,
		    const char *path, const json_t *body);

/* How a command is used; the exit status for that. */
int console_usage(const char *program, const char *usage);
/* err's sentence; the exit status of a failure. */
int console_fail(const char *program, const struct mx_error *err);

/* On standard output, for people and programs; success. */
int console_print_json(const json_t *answer);

/* The member, or "": strangers choose many texts, so one that would steer the terminal is not
 * shown. */
const char *console_word(const json_t *object, const char *key);
/* "2026-11-21 18:00:00 UTC", or "never" for 0. */
const char *console_when(int64_t time_ms, char text[32]);
