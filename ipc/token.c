/*
 * token.c - see token.h.
 */
#include <string.h>

#include "ipc/token.h"
#include "lib/siphash.h"

static struct msg_token_key key;
static bool have_key;

void
token_set_key(const struct msg_token_key *k)
{
	key = *k;
	have_key = true;
}

static size_t
add(uint8_t *to, const char *text, size_t size)
{
	size_t n = strnlen(text, size - 1);

	memcpy(to, text, n);
	to[n] = '\0';
	return n + 1;
}

static void
seal(const struct token_claim *c, uint64_t when, uint64_t mac[2])
{
	uint64_t head[3] = { c->smtpd, c->session, when };
	uint8_t text[sizeof(head) + ADDR_SIZE + CREDENTIAL_LABEL];
	size_t n = sizeof(head);

	memcpy(text, head, sizeof(head));
	n += add(text + n, c->account, ADDR_SIZE);
	n += add(text + n, c->credential, CREDENTIAL_LABEL);
	siphash(key.key, text, n, mac);
}

void
token_make(struct token *t, const struct token_claim *c, int64_t now)
{
	t->when = (uint64_t)now;
	seal(c, t->when, t->mac);
}

enum token_fault
token_check(const struct token *t, const struct token_claim *c, int64_t now)
{
	int64_t age = now - (int64_t)t->when;
	uint64_t mac[2];

	if (t->when == 0 && t->mac[0] == 0 && t->mac[1] == 0)
		return TOKEN_ABSENT;
	seal(c, t->when, mac);
	/* Both words in any case: time tells nothing about the first. */
	if (((mac[0] ^ t->mac[0]) | (mac[1] ^ t->mac[1])) != 0 || !have_key)
		return TOKEN_FALSE;
	return age > TOKEN_LIFE_MS || age < -TOKEN_AHEAD_MS ? TOKEN_OLD
							    : TOKEN_FINE;
}

const char *
token_fault_name(enum token_fault f)
{
	static const char *const names[] = {
		[TOKEN_FINE] = "fine",
		[TOKEN_ABSENT] = "absent",
		[TOKEN_FALSE] = "false",
		[TOKEN_OLD] = "old",
	};

	return names[f];
}
