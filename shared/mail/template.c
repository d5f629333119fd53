#include "shared/mail/template.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/map.h"
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

struct template_set {
	struct mx_map texts; /* "brand/language/file" → struct template_text; what is built in
				has no brand */
	struct mx_vec(char *) brands, languages;
	char *default_brand, *default_language;
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

static void note_language(struct template_set *set, const char *language)
{
	if (!has_name(set->languages.items, set->languages.len, language) &&
	    set->languages.len < LANGUAGES_MAX)
		mx_vec_push(&set->languages, mx_strdup(language));
}

/* ---- loading */

struct place {
	struct template_set *set;
	const char *brand, *language; /* language "" for every language */
	struct mx_error *err;
};

static int keep(const struct place *place, const char *file, struct mx_slice text)
{
	mx_autofree char *key = mx_strf("%s/%s/%s", place->brand, place->language, file);
	struct template_text *template;
	struct mx_error why = { 0 };
	int rc = template_text_parse(text, template_form_of(file), &template, &why);

	if (rc)
		return mx_fail(place->err, MX_BAD_CONFIG, "%s:%s", key, why.text);
	template_text_free(mx_map_put(&place->set->texts, mx_slice(key), template));
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
		rc = keep(place, file, mx_slice_of(bytes, len));
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
	note_language(place.set, name);
	place.language = name;
	return each_entry(path, place.err, visit_file, &place);
}

static int visit_brand(void *ctx, const char *path, const char *name)
{
	struct place place = *(const struct place *)ctx;

	if (!is_directory(path))
		return 0;
	if (place.set->brands.len == BRANDS_MAX)
		return mx_fail(place.err, MX_BAD_CONFIG, "There are more than %d brands",
			       BRANDS_MAX);
	mx_vec_push(&place.set->brands, mx_strdup(name));
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
		return keep(&at, name, mx_slice(text));
	snprintf(language, sizeof(language), "%.*s", (int)(slash - name), name);
	note_language(place->set, language);
	at.language = language;
	return keep(&at, slash + 1, mx_slice(text));
}

int template_set_load(const struct template_conf *conf, struct template_set **ret_set,
		      struct mx_error *err)
{
	struct template_set *set = mx_calloc(1, sizeof(*set));
	struct place place = { .set = set, .brand = "", .language = "", .err = err };
	int rc = 0;

	set->default_brand = mx_strdup(conf->default_brand ? conf->default_brand : "");
	set->default_language = mx_strdup(conf->default_language ? conf->default_language : "en");
	for (size_t i = 0; rc == 0 && conf->builtin && conf->builtin[i][0]; i++)
		rc = keep_builtin(&place, conf->builtin[i][0], conf->builtin[i][1]);
	if (rc == 0 && conf->directory)
		rc = each_entry(conf->directory, err, visit_brand, &place);
	if (rc) {
		template_set_free(set);
		return rc;
	}
	*ret_set = set;
	return 0;
}

static void free_text(void *text)
{
	template_text_free(text);
}

void template_set_free(struct template_set *set)
{
	if (!set)
		return;
	mx_map_done(&set->texts, free_text);
	for (size_t i = 0; i < set->brands.len; i++)
		mx_free(set->brands.items[i]);
	for (size_t i = 0; i < set->languages.len; i++)
		mx_free(set->languages.items[i]);
	mx_vec_done(&set->brands);
	mx_vec_done(&set->languages);
	mx_free(set->default_brand);
	mx_free(set->default_language);
	mx_free(set);
}

/* ---- languages: RFC 4647, 3.4 */

/* The longest beginning of the range that there is: "de-CH-1996", "de-CH", "de". */
static const char *language_of(const struct template_set *set, struct mx_slice range)
{
	char text[NAME_MAX_LEN];
	char *dash;

	if (range.len == 0 || range.len >= sizeof(text))
		return NULL;
	memcpy(text, range.ptr, range.len);
	text[range.len] = '\0';
	do {
		for (size_t i = 0; i < set->languages.len; i++)
			if (strcasecmp(set->languages.items[i], text) == 0)
				return set->languages.items[i];
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

const char *template_language(const struct template_set *set, const char *accept_language)
{
	struct mx_slice rest = mx_slice(accept_language ? accept_language : ""), entry, range;
	const char *best = set->default_language;
	int best_quality = 0;

	for (int i = 0; i < ACCEPT_MAX && mx_split_next(&rest, ',', &entry); i++) {
		struct mx_slice parameters = entry;
		const char *language;
		int quality;

		mx_split_next(&parameters, ';', &range);
		quality = parameters.ptr ? quality_of(parameters) : 1000;
		language = language_of(set, mx_trim(range));
		if (language && quality > best_quality) {
			best = language;
			best_quality = quality;
		}
	}
	return best;
}

/* ---- filling in */

bool template_has_brand(const struct template_set *set, const char *brand)
{
	return has_name(set->brands.items, set->brands.len, brand);
}

static const struct template_text *find(const struct template_set *set, const char *brand,
					const char *language, const char *file)
{
	const char *const languages[] = { language ? language : "", set->default_language, "" };

	for (size_t i = 0; i < 3; i++) {
		mx_autofree char *key = mx_strf("%s/%s/%s", brand, languages[i], file);
		const struct template_text *text = mx_map_find(&set->texts, mx_slice(key));

		if (text)
			return text;
	}
	return NULL;
}

int template_render(const struct template_set *set, const char *brand, const char *language,
		    const char *file, const struct template_values *values, struct mx_str *out,
		    struct mx_error *err)
{
	const char *const brands[] = { template_has_brand(set, brand) ? brand : set->default_brand,
				       set->default_brand, "" };

	for (size_t i = 0; i < 3; i++) {
		const struct template_text *text = find(set, brands[i], language, file);

		if (text)
			return template_text_fill(text, values, out, err);
	}
	return mx_fail(err, MX_NOT_FOUND, "There is no template %s", file);
}
