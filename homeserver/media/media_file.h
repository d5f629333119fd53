/*
 * The bytes of media, once each, in the data directory: media/AB/CDEF…, named by their SHA-256 and
 * by nothing that anybody chose. A file is there before the row that counts it, and goes after it:
 * what no row counts is removed. Locks: its own, held while a file is removed.
 */
#pragma once

#include "shared/crypto/sha256.h"

#include <stddef.h>
#include <stdint.h>

struct hs_call;
struct media_files;
struct mx_error;
struct spool;
struct store;

/* Makes the directory if need be. */
int media_files_new(const char *data_directory, struct store *store, struct media_files **ret_files,
		    struct mx_error *err);
void media_files_free(struct media_files *files);

/* The spool's file becomes that of these bytes; it stays at least until media_file_settle(), which
 * follows in every case when the row that counts it is committed, or is not. */
int media_file_keep(struct media_files *files, struct spool *spool,
		    const uint8_t sha256[MX_SHA256_LEN], struct mx_error *err);
void media_file_settle(struct media_files *files, const uint8_t sha256[MX_SHA256_LEN]);

/* A descriptor to read from, the caller's. -MX_NOT_FOUND, -MX_STORE. */
int media_file_open(const struct media_files *files, const uint8_t sha256[MX_SHA256_LEN],
		    int *ret_fd, struct mx_error *err);

/* Removes the file if no row counts it and nobody is about to. */
void media_file_drop(struct media_files *files, const uint8_t sha256[MX_SHA256_LEN]);
/* The same of all files. How many went. */
size_t media_files_sweep(struct media_files *files);

/* Until it is released, nothing is removed: for a copy of rows and then of files. */
void media_files_hold(struct media_files *files);
void media_files_release(struct media_files *files);
