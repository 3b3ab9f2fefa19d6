/*
 * lookup.c - see lookup.h.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/lookup.h"
#include "lib/code.h"

#define PATIENCE_S 60 /* for a zone whose servers do not answer */

int
lookup_open(struct lookup *l, struct ctl *c)
{
	int code = daemon_find(&c->settings, c->file);

	memset(l, 0, sizeof(*l));
	if (code != CODE_OK)
		return code;
	code = daemon_open(&l->line, &c->settings, SERVICE_DELIVER);
	if (code != CODE_OK)
		return code;
	daemon_patience(&l->line, PATIENCE_S);
	l->open = true;
	return CODE_OK;
}

void
lookup_close(struct lookup *l)
{
	if (l->open)
		daemon_close(&l->line);
	l->open = false;
}

static void
take_answer(void *arg, const struct msg *m)
{
	const struct msg_dns_answer *a = &m->u.dns_answer;
	struct bytes rest = a->records, item;
	struct found *f = arg;

	if (m->type != MSG_DNS_ANSWER)
		return;
	f->result =
	    a->result <= DNS_FAILED ? (enum dns_result)a->result : DNS_FAILED;
	f->secure = a->secure != 0;
	while (f->n < FOUND_MAX && list_next(&rest, &item)) {
		char *text = malloc(item.len + 1);

		if (text == NULL)
			abort();
		memcpy(text, item.data, item.len);
		text[item.len] = '\0';
		f->texts[f->n++] = text;
	}
}

int
lookup_ask(
    struct lookup *l, const char *name, unsigned type, struct found *found)
{
	struct msg m = { .type = MSG_DNS_QUERY };
	struct msg_cmd_done done;

	memset(found, 0, sizeof(*found));
	found->result = DNS_FAILED;
	snprintf(m.u.dns_query.name, sizeof(m.u.dns_query.name), "%s", name);
	m.u.dns_query.type = type;
	return daemon_ask(&l->line, &m, take_answer, found, &done);
}

void
found_clear(struct found *f)
{
	while (f->n > 0)
		free(f->texts[--f->n]);
}

bool
lookup_reverse(const char *address, const char *suffix4, const char *suffix6,
    char out[256])
{
	unsigned char b[16];
	size_t n = 0;

	if (inet_pton(AF_INET, address, b) == 1) {
		snprintf(out, 256, "%u.%u.%u.%u.%s", b[3], b[2], b[1], b[0],
		    suffix4);
		return true;
	}
	if (inet_pton(AF_INET6, address, b) != 1)
		return false;
	for (int i = 15; i >= 0; i--)
		n += (size_t)snprintf(
		    out + n, 256 - n, "%x.%x.", b[i] & 15, b[i] >> 4);
	snprintf(out + n, 256 - n, "%s", suffix6);
	return true;
}
