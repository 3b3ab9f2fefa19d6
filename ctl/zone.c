/*
 * zone.c - see zone.h.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/zone.h"

#define STRING_MAX 255

static void
print_string(const char *s, size_t n)
{
	putchar('"');
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < ' ' || c > '~')
			printf("\\%03u", c);
		else
			putchar(c);
	}
	putchar('"');
}

void
zone_print(const char *name, const char *type, const char *value)
{
	size_t n = strlen(value), k;

	printf("%s.\t3600\tIN\t%s\t", name, type);
	if (strcmp(type, "TXT") != 0) {
		printf("%s\n", value);
		return;
	}
	for (size_t at = 0; at < n || at == 0; at += k) {
		k = n - at < STRING_MAX ? n - at : STRING_MAX;
		if (at > 0)
			putchar(' ');
		print_string(value + at, k);
		if (k == 0)
			break;
	}
	putchar('\n');
}
