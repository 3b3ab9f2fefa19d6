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

/* What is sealed begins with this, so that neither is taken for the other. */
enum kind { KIND_LOGIN = 1, KIND_PERMIT };

#define NUMBERS   7
#define TEXT_SIZE (NUMBERS * 8 + 2 * ADDR_SIZE + CREDENTIAL_LABEL)

static size_t
add_login(uint8_t *to, const struct token_claim *c)
{
	size_t n = add(to, c->account, ADDR_SIZE);

	return n + add(to + n, c->credential, CREDENTIAL_LABEL);
}

static void
seal(const struct token_claim *c, uint64_t when, uint64_t mac[2])
{
	uint64_t head[] = { KIND_LOGIN, c->smtpd, c->session, when };
	uint8_t text[TEXT_SIZE];
	size_t n = sizeof(head);

	memcpy(text, head, sizeof(head));
	n += add_login(text + n, c);
	siphash(key.key, text, n, mac);
}

static void
seal_permit(
    const struct permit *p, const struct permit_claim *c, uint64_t mac[2])
{
	uint64_t head[NUMBERS] = { KIND_PERMIT, c->login.smtpd,
		c->login.session, p->when, p->serial, p->size, p->rcpts };
	uint8_t text[TEXT_SIZE];
	size_t n = sizeof(head);

	memcpy(text, head, sizeof(head));
	n += add_login(text + n, &c->login);
	n += add(text + n, c->sender, ADDR_SIZE);
	siphash(key.key, text, n, mac);
}

static enum token_fault
judge(
    uint64_t when, const uint64_t shown[2], const uint64_t mac[2], int64_t now)
{
	int64_t age = now - (int64_t)when;

	if (when == 0 && shown[0] == 0 && shown[1] == 0)
		return TOKEN_ABSENT;
	/* Both words in any case: time tells nothing about the first. */
	if (((mac[0] ^ shown[0]) | (mac[1] ^ shown[1])) != 0 || !have_key)
		return TOKEN_FALSE;
	return age > TOKEN_LIFE_MS || age < -TOKEN_AHEAD_MS ? TOKEN_OLD
							    : TOKEN_FINE;
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
	uint64_t mac[2];

	seal(c, t->when, mac);
	return judge(t->when, t->mac, mac, now);
}

void
permit_seal(struct permit *p, const struct permit_claim *c, int64_t now)
{
	p->when = (uint64_t)now;
	seal_permit(p, c, p->mac);
}

enum token_fault
permit_verify(const struct permit *p, const struct permit_claim *c, int64_t now)
{
	uint64_t mac[2];

	seal_permit(p, c, mac);
	return judge(p->when, p->mac, mac, now);
}

const char *
token_fault_name(enum token_fault f)
{
	static const char *const names[] = {
		[TOKEN_FINE] = "fine",
		[TOKEN_ABSENT] = "absent",
		[TOKEN_FALSE] = "false",
		[TOKEN_OLD] = "old",
		[TOKEN_SPENT] = "spent",
		[TOKEN_TOO_LOW] = "too-low",
	};

	return names[f];
}
