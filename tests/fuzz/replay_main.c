/* Runs a fuzz target over every file in the files and folders given. */
#include "tests/fuzz/fuzz.h"

#include "shared/core/alloc.h"
#include "shared/core/str.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

static bool file_replay(const char *path)
{
	mx_str_auto text = { 0 };
	FILE *file = fopen(path, "rb");
	char bytes[4096];
	uint8_t *exact;
	size_t len;

	if (!file) {
		perror(path);
		return false;
	}
	while ((len = fread(bytes, 1, sizeof(bytes), file)) > 0)
		mx_str_add(&text, bytes, len);
	fclose(file);
	/* A block of exactly this size, so that a sanitizer sees reads behind the end. */
	exact = mx_memdup(text.len ? text.ptr : "", text.len);
	LLVMFuzzerTestOneInput(exact, text.len);
	mx_free(exact);
	return true;
}

static unsigned folder_replay(const char *path)
{
	DIR *folder = opendir(path);
	unsigned count = 0;

	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		mx_autofree char *file = mx_strf("%s/%s", path, entry->d_name);

		if (entry->d_name[0] != '.')
			count += file_replay(file);
	}
	if (folder)
		closedir(folder);
	return count;
}

int main(int argc, char **argv)
{
	unsigned count = 0;

	for (int i = 1; i < argc; i++) {
		struct stat status;

		if (stat(argv[i], &status) == 0 && S_ISDIR(status.st_mode))
			count += folder_replay(argv[i]);
		else
			count += file_replay(argv[i]);
	}
	printf("%u inputs replayed\n", count);
	return count ? 0 : 1;
}
