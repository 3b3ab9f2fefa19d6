/*
 * replay.c - main() for a fuzz target without libFuzzer: feeds it every file
 * of its corpus folder, and each one cut short, and prints TAP.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Feed one file; every prefix too, when it is short. */
static int
replay(const char *path)
{
	FILE *f = fopen(path, "rb");
	static uint8_t buf[1 << 20];
	uint8_t *exact;
	size_t n;

	if (f == NULL)
		return -1;
	n = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	/* Memory of the exact size, so that a sanitizer sees one byte over. */
	exact = malloc(n + 1);
	if (exact == NULL)
		abort();
	for (size_t cut = n < 512 ? 0 : n; cut <= n; cut++) {
		memcpy(exact, buf, cut);
		LLVMFuzzerTestOneInput(exact, cut);
	}
	free(exact);
	return 0;
}

int
main(int argc, char **argv)
{
	char path[4096];
	const char *slash = strrchr(argv[0], '/');
	const char *name = slash != NULL ? slash + 1 : argv[0];
	struct dirent *e;
	int n = 0, failed = 0;
	DIR *dir;

	if (strncmp(name, "fuzz_", 5) == 0)
		name += 5;
	snprintf(path, sizeof(path), "%s/%s",
	    argc > 1 ? argv[1] : "tests/fuzz/corpus", name);
	dir = opendir(path);
	if (dir == NULL) {
		printf("not ok 1 - no corpus at %s\n1..1\n", path);
		return 1;
	}
	while ((e = readdir(dir)) != NULL) {
		char file[8192];

		if (e->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
		failed |= replay(file);
		n++;
	}
	closedir(dir);
	printf("%s 1 - replay %s: %d inputs\n1..1\n",
	    failed || n == 0 ? "not ok" : "ok", name, n);
	return failed || n == 0;
}
