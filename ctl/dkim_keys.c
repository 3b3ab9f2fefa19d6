/*
 * dkim_keys.c - see dkim_keys.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/accounts.h"
#include "ctl/ctl.h"
#include "ctl/dkim_keys.h"
#include "ctl/zone.h"
#include "mail/ascii.h"

static void
take_row(void *arg, const struct msg *m)
{
	struct dkim_keys *k = arg;

	if (m->type != MSG_DKIM_ROW)
		return;
	k->rows = reallocarray(k->rows, k->n + 1, sizeof(k->rows[0]));
	if (k->rows == NULL)
		abort();
	k->rows[k->n++] = m->u.dkim_row;
}

int
dkim_keys_ask(struct ctl *c, const struct msg_dkim_cmd *cmd,
    struct dkim_keys *keys, struct msg_cmd_done *done)
{
	struct msg m = { .type = MSG_DKIM_CMD };
	struct daemon line;
	int code;

	memset(keys, 0, sizeof(*keys));
	if ((code = accounts_open(&line, c)) != CODE_OK)
		return code;
	m.u.dkim_cmd = *cmd;
	code = daemon_call(&line, &m, take_row, keys, done);
	daemon_close(&line);
	return code;
}

void
dkim_keys_clear(struct dkim_keys *k)
{
	free(k->rows);
	memset(k, 0, sizeof(*k));
}

size_t
dkim_keys_count(const struct dkim_keys *k, enum dkim_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < k->n; i++)
		n += k->rows[i].state == state;
	return n;
}

const char *
dkim_state_name(uint32_t state)
{
	static const char *const names[DKIM_STATES] = {
		[DKIM_PENDING] = "pending",
		[DKIM_ACTIVE] = "active",
		[DKIM_RETIRING] = "retiring",
	};

	return state < DKIM_STATES ? names[state] : "unknown";
}

const char *
dkim_algorithm_name(uint32_t algorithm)
{
	return algorithm == DKIM_RSA ? "rsa" : "ed25519";
}

void
dkim_record(
    const struct msg_dkim_row *r, char name[DKIM_NAME], char value[DKIM_VALUE])
{
	snprintf(name, DKIM_NAME, "%s._domainkey.%s", r->selector, r->domain);
	snprintf(value, DKIM_VALUE, "v=DKIM1; k=%s; p=%s",
	    dkim_algorithm_name(r->algorithm), r->key);
}

/* Is p= of this record the key?  Blanks inside do not count (RFC 6376
 * 3.6.1).  *has: there is a p=. */
static bool
holds_key(const char *text, const char *key, bool *has)
{
	const char *p = text;

	*has = false;
	for (; *p != '\0'; p += strcspn(p, ";"), p += *p == ';') {
		while (ascii_blank(*p))
			p++;
		if (*p == 'p' && p[strspn(p + 1, " \t") + 1] == '=')
			break;
	}
	if (*p == '\0')
		return false;
	*has = true;
	for (p = strchr(p, '=') + 1; *p != '\0' && *p != ';'; p++) {
		if (ascii_blank(*p))
			continue;
		if (*p != *key)
			return false;
		key++;
	}
	return *key == '\0';
}

enum dkim_shown
dkim_compare(const struct msg_dkim_row *r, const struct found *f)
{
	enum dkim_shown shown = DKIM_MISSING;
	bool has;

	if (f->result == DNS_BOGUS || f->result == DNS_FAILED)
		return DKIM_UNKNOWN;
	for (size_t i = 0; i < f->n; i++) {
		if (holds_key(f->texts[i], r->key, &has))
			return DKIM_SHOWN;
		if (has)
			shown = DKIM_DIFFERS;
	}
	return shown;
}

static json_t *
key_object(const struct msg_dkim_row *r)
{
	char name[DKIM_NAME], value[DKIM_VALUE];

	dkim_record(r, name, value);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "selector",
	    r->selector, "algorithm", dkim_algorithm_name(r->algorithm),
	    "state", dkim_state_name(r->state), "name", name, "value", value,
	    "created", output_time(r->created), "changed",
	    output_time(r->changed));
}

void
dkim_keys_print(struct ctl *c, const char *domain, const struct dkim_keys *k,
    unsigned states)
{
	char name[DKIM_NAME], value[DKIM_VALUE];
	json_t *keys;

	if (c->out.mode != OUTPUT_JSON) {
		for (size_t i = 0; i < k->n; i++) {
			if (!(states & 1u << k->rows[i].state))
				continue;
			dkim_record(&k->rows[i], name, value);
			zone_print(name, "TXT", value);
		}
		return;
	}
	keys = json_array();
	for (size_t i = 0; i < k->n; i++)
		json_array_append_new(keys, key_object(&k->rows[i]));
	output_document(
	    json_pack("{s:s, s:o}", "domain", domain, "keys", keys));
}
