/*
 * hostname.c - see hostname.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "ctl/hostname.h"
#include "lib/conf.h"
#include "mail/domain.h"

static bool
full(const char *name)
{
	return strchr(name, '.') != NULL && domain_valid(name, strlen(name), 0);
}

/* One line, without its comment: address, name, other names. */
static bool
search_line(char *line, const char *host, char out[256])
{
	char *word, *save = NULL, *name = NULL;
	bool ours = false;

	(void)strtok_r(line, " \t\r", &save);
	while ((word = strtok_r(NULL, " \t\r", &save)) != NULL) {
		if (strcasecmp(word, host) == 0)
			ours = true;
		if (name == NULL && full(word))
			name = word;
	}
	if (!ours || name == NULL)
		return false;
	snprintf(out, 256, "%s", name);
	return true;
}

bool
hostname_find(const char *hosts, size_t len, const char *host, char out[256])
{
	const char *end = hosts + len, *nl;
	char line[1024];
	size_t n;

	for (; hosts < end; hosts = nl + 1) {
		nl = memchr(hosts, '\n', (size_t)(end - hosts));
		if (nl == NULL)
			nl = end;
		n = (size_t)(nl - hosts);
		if (n >= sizeof(line))
			continue;
		memcpy(line, hosts, n);
		line[n] = '\0';
		line[strcspn(line, "#")] = '\0';
		if (search_line(line, host, out))
			return true;
	}
	return false;
}

bool
hostname_guess(char out[256])
{
	char host[256], *text;
	size_t len;
	bool found = false;

	if (gethostname(host, sizeof(host)) == 0) {
		host[sizeof(host) - 1] = '\0';
		if (full(host)) {
			snprintf(out, 256, "%s", host);
			return true;
		}
		if (conf_read("/etc/hosts", &text, &len) == 0) {
			found = hostname_find(text, len, host, out);
			free(text);
		}
	}
	if (!found)
		snprintf(out, 256, "%s", HOSTNAME_UNKNOWN);
	return found;
}
