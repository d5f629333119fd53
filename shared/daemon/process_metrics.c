#include "shared/daemon/process_metrics.h"

#include "shared/core/metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

/* Field `index` of /proc/self/statm, in bytes. */
static double memory_bytes(int index)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long pages[2] = { 0 };
	int got;

	if (!file)
		return 0;
	got = fscanf(file, "%lu %lu", &pages[0], &pages[1]);
	fclose(file);
	return got == 2 ? (double)pages[index] * (double)sysconf(_SC_PAGESIZE) : 0;
}

static double resident_bytes(void *ctx)
{
	(void)ctx;
	return memory_bytes(1);
}

static double virtual_bytes(void *ctx)
{
	(void)ctx;
	return memory_bytes(0);
}

static double count_entries(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	double count = 0;

	if (!dir)
		return 0;
	while ((entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

static double open_files(void *ctx)
{
	double count = count_entries("/proc/self/fd");

	(void)ctx;
	return count > 0 ? count - 1 : 0; /* without the one that looks */
}

static double threads(void *ctx)
{
	(void)ctx;
	return count_entries("/proc/self/task");
}

static double files_max(void *ctx)
{
	struct rlimit limit;

	(void)ctx;
	return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? (double)limit.rlim_cur : 0;
}

static double cpu_seconds(void *ctx)
{
	struct rusage usage;

	(void)ctx;
	if (getrusage(RUSAGE_SELF, &usage))
		return 0;
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

void process_metrics_add(struct mx_metrics *metrics, const char *name, int64_t started_ms)
{
	char labels[160];

	snprintf(labels, sizeof(labels), "daemon=\"%s\",version=\"%s\"", name, TRINITY_VERSION);
	mx_metric_set(mx_gauge_new(metrics, "trinity_build_info", "What runs here.", labels), 1);
	mx_metric_set(mx_gauge_new(metrics, "process_start_time_seconds",
				   "Start of the process, since 1970.", ""),
		      started_ms / 1000);
	mx_gauge_fn(metrics, "process_resident_memory_bytes", "Resident memory.", "",
		    resident_bytes, NULL);
	mx_gauge_fn(metrics, "process_virtual_memory_bytes", "Address space.", "", virtual_bytes,
		    NULL);
	mx_gauge_fn(metrics, "process_open_fds", "Open file descriptors.", "", open_files, NULL);
	mx_gauge_fn(metrics, "process_max_fds", "How many file descriptors may be open.", "",
		    files_max, NULL);
	mx_gauge_fn(metrics, "process_threads", "Threads.", "", threads, NULL);
	mx_gauge_fn(metrics, "process_cpu_seconds_total", "CPU time, user and system.", "",
		    cpu_seconds, NULL);
}
