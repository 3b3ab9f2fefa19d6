/*
 * secrets.c - see secrets.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/secrets.h"
#include "ipc/child.h"
#include "lib/conf.h"
#include "lib/log.h"

struct secret {
	char route[CONF_ROUTE_NAME];
	char text[256];
};

struct set {
	struct secret secrets[CONF_ROUTES];
	size_t n;
};

static struct set current, next;

/* A line end behind the password is not part of it. */
static size_t
line_length(const char *text, size_t n)
{
	if (n > 0 && text[n - 1] == '\n')
		n--;
	if (n > 0 && text[n - 1] == '\r')
		n--;
	return n;
}

void
secrets_file(const char *route, int fd)
{
	struct secret *s;
	size_t n, len;
	char *text = child_read_file(fd, 4096, &n);

	if (next.n == CONF_ROUTES)
		fatal("more passwords than routes");
	len = text == NULL ? 0 : line_length(text, n);
	if (len == 0 || len >= sizeof(s->text) || strlen(text) != n) {
		log_event("route.secret", "error=%s route=%s",
		    log_quote("the password file must hold one line of 1 to "
			      "255 bytes"),
		    log_quote(route));
	} else {
		s = &next.secrets[next.n++];
		snprintf(s->route, sizeof(s->route), "%s", route);
		memcpy(s->text, text, len);
		s->text[len] = '\0';
	}
	if (text != NULL)
		explicit_bzero(text, n);
	free(text);
}

void
secrets_apply(void)
{
	explicit_bzero(&current, sizeof(current));
	current = next;
	explicit_bzero(&next, sizeof(next));
}

void
secrets_find(
    const struct msg_route_secret *ask, struct msg_route_secret_is *answer)
{
	memset(answer, 0, sizeof(*answer));
	answer->verdict = V_PERM;
	for (size_t i = 0; i < current.n; i++)
		if (strcmp(current.secrets[i].route, ask->route) == 0) {
			answer->verdict = V_OK;
			strcpy(answer->secret, current.secrets[i].text);
		}
}

void
secrets_close(void)
{
	explicit_bzero(&current, sizeof(current));
	explicit_bzero(&next, sizeof(next));
}
