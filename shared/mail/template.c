#include "shared/mail/template.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/map.h"
#include "shared/core/thread.h"
#include "shared/core/vec.h"
#include "shared/mail/template_text.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX (256u * 1024)
#define BRANDS_MAX     64
#define LANGUAGES_MAX  64
#define NAME_MAX_LEN   64
#define ACCEPT_MAX     20 /* entries of an Accept-Language header that are looked at */

/* Never changes once it is read. */
struct contents {
	struct mx_map texts; /* "brand/language/file" → struct template_text; what is built in
				has no brand */
	struct mx_vec(char *) brands, languages;
	char *default_brand, *default_language;
};

struct template_set {
	pthread_rwlock_t lock; /* of the fields below */
	struct contents *contents;
	struct mx_vec(char *) languages; /* all that ever were: callers borrow them */
};

/* ---- names */

/* Letters, digits, '-', '_' and inner dots: never a path. */
static bool is_name(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > NAME_MAX_LEN || name[0] == '.')
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
	       len;
}

static bool is_language(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz");

	return is_name(name) && (len == 2 || len == 3) && (name[len] == '\0' || name[len] == '-');
}

static bool has_name(char *const *names, size_t len, const char *name)
{
	for (size_t i = 0; i < len; i++)
		if (streq(names[i], name))
			return true;
	return false;
}

static void note_language(struct contents *contents, const char *language)
{
	if (!has_name(contents->languages.items, contents->languages.len, language) &&
	    contents->languages.len < LANGUAGES_MAX)
		mx_vec_push(&contents->languages, mx_strdup(language));
}

/* ---- loading */

struct place {
	struct contents *contents;
	const char *brand, *language; /* language "" for every language */
	struct mx_error *err;
};

/* path: for the message. */
static int keep(const struct place *place, const char *path, const char *file, struct mx_slice text)
{
	mx_autofree char *key = mx_strf("%s/%s/%s", place->brand, place->language, file);
	struct template_text *template;
	struct mx_error why = { 0 };
	int rc = template_text_parse(text, template_form_of(file), &template, &why);

	if (rc)
		return mx_fail(place->err, MX_BAD_CONFIG, "%s:%s", path, why.text);
	template_text_free(mx_map_put(&place->contents->texts, mx_slice(key), template));
	return 0;
}

static int keep_file(const struct place *place, const char *path, const char *file)
{
	char *bytes = mx_alloc(FILE_BYTES_MAX + 1);
	FILE *stream = fopen(path, "re");
	size_t len = stream ? fread(bytes, 1, FILE_BYTES_MAX + 1, stream) : 0;
	int rc = 0;

	if (!stream || ferror(stream))
		rc = mx_fail(place->err, MX_BAD_CONFIG, "%s cannot be read: %s", path,
			     strerror(errno));
	else if (len > FILE_BYTES_MAX)
		rc = mx_fail(place->err, MX_BAD_CONFIG, "%s is larger than a template may be",
			     path);
	else
		rc = keep(place, path, file, mx_slice_of(bytes, len));
	if (stream)
		fclose(stream);
	mx_free(bytes);
	return rc;
}

static bool is_directory(const char *path)
{
	struct stat file;

	return stat(path, &file) == 0 && S_ISDIR(file.st_mode);
}

/* Calls `visit` for each entry of the directory that has a proper name. */
static int each_entry(const char *directory, struct mx_error *err,
		      int (*visit)(void *ctx, const char *path, const char *name), void *ctx)
{
	DIR *stream = opendir(directory);
	struct dirent *entry;
	int rc = 0;

	if (!stream)
		return mx_fail(err, MX_BAD_CONFIG, "%s cannot be read: %s", directory,
			       strerror(errno));
	while (rc == 0 && (entry = readdir(stream))) {
		mx_autofree char *path = mx_strf("%s/%s", directory, entry->d_name);

		if (is_name(entry->d_name))
			rc = visit(ctx, path, entry->d_name);
	}
	closedir(stream);
	return rc;
}

static int visit_file(void *ctx, const char *path, const char *name)
{
	return is_directory(path) ? 0 : keep_file(ctx, path, name);
}

static int visit_in_brand(void *ctx, const char *path, const char *name)
{
	struct place place = *(const struct place *)ctx;

	if (!is_directory(path))
		return keep_file(&place, path, name);
	if (!is_language(name))
		return 0;
	note_language(place.contents, name);
	place.language = name;
	return each_entry(path, place.err, visit_file, &place);
}

static int visit_brand(void *ctx, const char *path, const char *name)
{
	struct place place = *(const struct place *)ctx;

	if (!is_directory(path))
		return 0;
	if (place.contents->brands.len == BRANDS_MAX)
		return mx_fail(place.err, MX_BAD_CONFIG, "There are more than %d brands",
			       BRANDS_MAX);
	mx_vec_push(&place.contents->brands, mx_strdup(name));
	place.brand = name;
	return each_entry(path, place.err, visit_in_brand, &place);
}

/* "en/verify.html", or "verify.css" for every language. */
static int keep_builtin(const struct place *place, const char *name, const char *text)
{
	const char *slash = strchr(name, '/');
	struct place at = *place;
	char language[NAME_MAX_LEN];

	if (!slash)
		return keep(&at, name, name, mx_slice(text));
	snprintf(language, sizeof(language), "%.*s", (int)(slash - name), name);
	note_language(place->contents, language);
	at.language = language;
	return keep(&at, name, slash + 1, mx_slice(text));
}

static void free_text(void *text)
{
	template_text_free(text);
}

static void contents_free(struct contents *contents)
{
	if (!contents)
		return;
	mx_map_done(&contents->texts, free_text);
	for (size_t i = 0; i < contents->brands.len; i++)
		mx_free(contents->brands.items[i]);
	for (size_t i = 0; i < contents->languages.len; i++)
		mx_free(contents->languages.items[i]);
	mx_vec_done(&contents->brands);
	mx_vec_done(&contents->languages);
	mx_free(contents->default_brand);
	mx_free(contents->default_language);
	mx_free(contents);
}

static int contents_load(const struct template_conf *conf, struct contents **ret_contents,
			 struct mx_error *err)
{
	struct contents *contents = mx_calloc(1, sizeof(*contents));
	struct place place = { .contents = contents, .brand = "", .language = "", .err = err };
	int rc = 0;

	contents->default_brand = mx_strdup(conf->default_brand ? conf->default_brand : "");
	contents->default_language = mx_strdup(conf->default_language ? conf->default_language
								      : "en");
	for (size_t i = 0; rc == 0 && conf->builtin && conf->builtin[i][0]; i++)
		rc = keep_builtin(&place, conf->builtin[i][0], conf->builtin[i][1]);
	if (rc == 0 && conf->directory)
		rc = each_entry(conf->directory, err, visit_brand, &place);
	if (rc) {
		contents_free(contents);
		return rc;
	}
	*ret_contents = contents;
	return 0;
}

/* ---- life */

int template_set_load(const struct template_conf *conf, struct template_set **ret_set,
		      struct mx_error *err)
{
	struct contents *contents;
	struct template_set *set;
	int rc = contents_load(conf, &contents, err);

	if (rc)
		return rc;
	set = mx_calloc(1, sizeof(*set));
	mx_rwlock_init(&set->lock);
	set->contents = contents;
	*ret_set = set;
	return 0;
}

int template_set_reload(struct template_set *set, const struct template_conf *conf,
			struct mx_error *err)
{
	struct contents *contents, *before;
	int rc = contents_load(conf, &contents, err);

	if (rc)
		return rc;
	pthread_rwlock_wrlock(&set->lock);
	before = set->contents;
	set->contents = contents;
	pthread_rwlock_unlock(&set->lock);
	contents_free(before);
	return 0;
}

void template_set_free(struct template_set *set)
{
	if (!set)
		return;
	contents_free(set->contents);
	for (size_t i = 0; i < set->languages.len; i++)
		mx_free(set->languages.items[i]);
	mx_vec_done(&set->languages);
	pthread_rwlock_destroy(&set->lock);
	mx_free(set);
}

/* ---- languages: RFC 4647, 3.4 */

/* The longest beginning of the range that there is: "de-CH-1996", "de-CH", "de". */
static const char *language_of(const struct contents *contents, struct mx_slice range)
{
	char text[NAME_MAX_LEN];
	char *dash;

	if (range.len == 0 || range.len >= sizeof(text))
		return NULL;
	memcpy(text, range.ptr, range.len);
	text[range.len] = '\0';
	do {
		for (size_t i = 0; i < contents->languages.len; i++)
			if (strcasecmp(contents->languages.items[i], text) == 0)
				return contents->languages.items[i];
		dash = strrchr(text, '-');
		if (dash)
			*dash = '\0';
	} while (dash);
	return NULL;
}

/* ";q=0.8" in thousandths; 1000 without. */
static int quality_of(struct mx_slice parameters)
{
	const char *q = memmem(parameters.ptr, parameters.len, "q=", 2);
	char text[8] = { 0 };
	size_t len;

	if (!q)
		return 1000;
	len = parameters.len - (size_t)(q + 2 - parameters.ptr);
	memcpy(text, q + 2, len < sizeof(text) ? len : sizeof(text) - 1);
	return (int)(strtod(text, NULL) * 1000);
}

static const char *best_language(const struct contents *contents, const char *accept_language)
{
	struct mx_slice rest = mx_slice(accept_language ? accept_language : ""), entry, range;
	const char *best = contents->default_language;
	int best_quality = 0;

	for (int i = 0; i < ACCEPT_MAX && mx_split_next(&rest, ',', &entry); i++) {
		struct mx_slice parameters = entry;
		const char *language;
		int quality;

		mx_split_next(&parameters, ';', &range);
		quality = parameters.ptr ? quality_of(parameters) : 1000;
		language = language_of(contents, mx_trim(range));
		if (language && quality > best_quality) {
			best = language;
			best_quality = quality;
		}
	}
	return best;
}

/* Of the set's own list: the contents may go away while the caller has it. */
static const char *kept_language(struct template_set *set, const char *language)
{
	for (size_t i = 0; i < set->languages.len; i++)
		if (streq(set->languages.items[i], language))
			return set->languages.items[i];
	mx_vec_push(&set->languages, mx_strdup(language));
	return set->languages.items[set->languages.len - 1];
}

const char *template_language(struct template_set *set, const char *accept_language)
{
	const char *language;

	pthread_rwlock_wrlock(&set->lock);
	language = kept_language(set, best_language(set->contents, accept_language));
	pthread_rwlock_unlock(&set->lock);
	return language;
}

/* ---- filling in */

static bool has_brand(const struct contents *contents, const char *brand)
{
	return brand && has_name(contents->brands.items, contents->brands.len, brand);
}

bool template_has_brand(struct template_set *set, const char *brand)
{
	bool found;

	pthread_rwlock_rdlock(&set->lock);
	found = has_brand(set->contents, brand);
	pthread_rwlock_unlock(&set->lock);
	return found;
}

static const struct template_text *find_of_brand(const struct contents *contents, const char *brand,
						 const char *language, const char *file)
{
	const char *const languages[] = { language ? language : "", contents->default_language,
					  "" };

	for (size_t i = 0; i < 3; i++) {
		mx_autofree char *key = mx_strf("%s/%s/%s", brand, languages[i], file);
		const struct template_text *text = mx_map_find(&contents->texts, mx_slice(key));

		if (text)
			return text;
	}
	return NULL;
}

static const struct template_text *find(const struct contents *contents, const char *brand,
					const char *language, const char *file)
{
	const char *const brands[] = { has_brand(contents, brand) ? brand : contents->default_brand,
				       contents->default_brand, "" };
	const struct template_text *text = NULL;

	for (size_t i = 0; i < 3 && !text; i++)
		text = find_of_brand(contents, brands[i], language, file);
	return text;
}

int template_render(struct template_set *set, const char *brand, const char *language,
		    const char *file, const struct template_values *values, struct mx_str *out,
		    struct mx_error *err)
{
	const struct template_text *text;
	int rc;

	pthread_rwlock_rdlock(&set->lock);
	text = find(set->contents, brand, language, file);
	rc = text ? template_text_fill(text, values, out, err)
		  : mx_fail(err, MX_NOT_FOUND, "There is no template %s", file);
	pthread_rwlock_unlock(&set->lock);
	return rc;
}
