/*
 * item.c - see item.h.
 *
 * One table says which member is which key of which object.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ctl/item.h"
#include "ctl/output.h"

enum value { TEXT, TIME, STATE, KIND, TRUTH, COUNT };

#define A     (1u << ITEM_ACCOUNT)
#define C     (1u << ITEM_CREDENTIAL)
#define G     (1u << ITEM_GRANT)
#define AT(f) offsetof(struct msg_item, f), sizeof(((struct msg_item *)0)->f)

/* clang-format off */
static const struct member {
	const char *key;
	unsigned of; /* set of items */
	enum value value;
	size_t off, size;
} members[] = {
	{ "account",  A,         TEXT,   AT(account) },
	{ "state",    A,         STATE,  AT(state) },
	{ "reason",   A,         TEXT,   AT(reason) },
	{ "since",    A,         TIME,   AT(since) },
	{ "legacy",   A,         TRUTH,  AT(legacy) },
	{ "grown",    A,         TRUTH,  AT(grown) },
	{ "limit_recipients", A | C, COUNT, AT(limit[LIMIT_RECIPIENTS]) },
	{ "limit_size", A | C, COUNT, AT(limit[LIMIT_SIZE]) },
	{ "limit_per_hour", A | C, COUNT, AT(limit[LIMIT_HOUR]) },
	{ "limit_per_day", A, COUNT, AT(limit[LIMIT_DAY]) },
	{ "limit_messages_per_hour", A | C, COUNT, AT(limit[LIMIT_MESSAGES_HOUR]) },
	{ "limit_messages_per_day", A | C, COUNT, AT(limit[LIMIT_MESSAGES_DAY]) },
	{ "limit_new_per_day", A | C, COUNT, AT(limit[LIMIT_NEW]) },
	{ "label",    C,         TEXT,   AT(name) },
	{ "kind",     C,         KIND,   AT(kind) },
	{ "hash",     C,         TEXT,   AT(hash) },
	{ "scram",    C,         TEXT,   AT(scram) },
	{ "networks", C,         TEXT,   AT(networks) },
	{ "senders",  C,         TEXT,   AT(senders) },
	{ "per_day",  C,         COUNT,  AT(limit[LIMIT_DAY]) },
	{ "expires",  C,         TIME,   AT(expires) },
	{ "last_use", C,         TIME,   AT(last_use) },
	{ "last_ip",  C,         TEXT,   AT(last_ip) },
	{ "address",  G,         TEXT,   AT(name) },
	{ "by",       A | C | G, TEXT,   AT(by) },
	{ "created",  A | C | G, TIME,   AT(created) },
};
/* clang-format on */

#define MEMBERS (sizeof(members) / sizeof(members[0]))

static const char *const states[ACC_STATES] = { "active", "suspended",
	"removed" };
static const char *const kinds[CREDENTIAL_KINDS] = { "password", "app-password",
	"certificate" };

static json_t *
to_json(const struct member *m, const struct msg_item *i)
{
	const char *at = (const char *)i + m->off;
	uint32_t u32 = 0;
	uint64_t u64 = 0;

	if (m->size == sizeof(u32))
		memcpy(&u32, at, sizeof(u32));
	if (m->value == TIME || m->value == COUNT)
		memcpy(&u64, at, sizeof(u64));
	switch (m->value) {
	case TEXT:
		return output_string(at);
	case TIME:
		return output_time(u64);
	case TRUTH:
		return json_boolean(u32 != 0);
	case COUNT:
		return json_integer((json_int_t)u64);
	case STATE:
		return json_string(u32 < ACC_STATES ? states[u32] : "unknown");
	case KIND:
		return json_string(
		    u32 < CREDENTIAL_KINDS ? kinds[u32] : "unknown");
	}
	return NULL;
}

/* An object of any item, without what it holds of other items. */
static json_t *
make_object(const struct msg_item *i)
{
	json_t *object = json_object();

	for (size_t k = 0; k < MEMBERS; k++)
		if (members[k].of & 1u << i->item)
			json_object_set_new(
			    object, members[k].key, to_json(&members[k], i));
	return object;
}

json_t *
item_gather(json_t **account, const struct msg_item *i)
{
	const char *list = i->item == ITEM_GRANT ? "grants" : "credentials";
	json_t *whole = NULL;

	if (i->item == ITEM_ACCOUNT) {
		whole = *account;
		*account = make_object(i);
		json_object_set_new(*account, "credentials", json_array());
		json_object_set_new(*account, "grants", json_array());
	} else if (*account != NULL) {
		json_array_append_new(
		    json_object_get(*account, list), make_object(i));
	}
	return whole;
}

static bool
read_name(json_t *value, const char *const *names, size_t n, uint32_t *out)
{
	const char *name = json_string_value(value);

	for (*out = 0; *out < n; ++*out)
		if (name != NULL && strcmp(name, names[*out]) == 0)
			return true;
	return false;
}

static bool
read_time(json_t *value, uint64_t *out)
{
	const char *text = json_string_value(value), *rest;
	struct tm tm = { 0 };
	time_t t;

	*out = 0;
	if (json_is_null(value))
		return true;
	if (text == NULL ||
	    (rest = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm)) == NULL ||
	    *rest != '\0' || (t = timegm(&tm)) < 0)
		return false;
	*out = (uint64_t)t;
	return true;
}

static bool
from_json(const struct member *m, json_t *value, struct msg_item *i)
{
	char *at = (char *)i + m->off;
	uint32_t u32 = 0;
	uint64_t u64;
	const char *s;

	switch (m->value) {
	case TEXT:
		s = json_string_value(value);
		if (s == NULL || strlen(s) >= m->size ||
		    strlen(s) != json_string_length(value))
			return false;
		strcpy(at, s);
		return true;
	case STATE:
		if (!read_name(value, states, ACC_STATES, &u32))
			return false;
		break;
	case KIND:
		if (!read_name(value, kinds, CREDENTIAL_KINDS, &u32))
			return false;
		break;
	case TRUTH:
		if (!json_is_boolean(value))
			return false;
		u32 = json_is_true(value);
		break;
	case COUNT:
		if (!json_is_integer(value) || json_integer_value(value) < 0)
			return false;
		u64 = (uint64_t)json_integer_value(value);
		memcpy(at, &u64, sizeof(u64));
		return true;
	case TIME:
		if (!read_time(value, &u64))
			return false;
		memcpy(at, &u64, sizeof(u64));
		return true;
	}
	memcpy(at, &u32, sizeof(u32));
	return true;
}

static bool
read_object(struct msg_item *i, enum item_kind kind, json_t *object)
{
	json_t *value;

	memset(i, 0, sizeof(*i));
	i->item = kind;
	if (!json_is_object(object))
		return false;
	for (size_t k = 0; k < MEMBERS; k++) {
		value = json_object_get(object, members[k].key);
		if (value != NULL && members[k].of & 1u << kind &&
		    !from_json(&members[k], value, i))
			return false;
	}
	return true;
}

bool
item_account(struct msg_item *i, json_t *object)
{
	return read_object(i, ITEM_ACCOUNT, object) && i->account[0] != '\0';
}

bool
item_credential(struct msg_item *i, json_t *object)
{
	return read_object(i, ITEM_CREDENTIAL, object) && i->name[0] != '\0';
}

bool
item_grant(struct msg_item *i, json_t *value)
{
	const char *s = json_string_value(value);

	if (s == NULL)
		return read_object(i, ITEM_GRANT, value) && i->name[0] != '\0';
	memset(i, 0, sizeof(*i));
	i->item = ITEM_GRANT;
	return snprintf(i->name, sizeof(i->name), "%s", s) <
	    (int)sizeof(i->name);
}
