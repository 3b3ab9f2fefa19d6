/*
 * conf_key.c - the language of the configuration: a row is a key, where its
 * value goes and how it is read.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/conf_key.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static conf_read_fn read_text, read_path, read_size, read_count, read_duration,
    read_time, read_retries, read_yes_no, read_uncertain, read_server,
    read_hostname, read_domain, read_address, read_place;

#define AT(f) offsetof(struct conf, f), sizeof(((struct conf *)0)->f)

/* clang-format off */
const struct conf_key conf_keys[] = {
/*   section   key               read            where                 default */
   { "",       "hostname",       read_hostname,  AT(hostname),         NULL },
   { "",       "default-domain", read_domain,    AT(default_domain),   "" },
   { "tls",    "certificate",    read_path,      AT(tls[0].certificate), NULL },
   { "tls",    "key",            read_path,      AT(tls[0].key),       NULL },
   { "tls",    "ca-file",        read_path,      AT(ca_file),          "/etc/ssl/certs/ca-certificates.crt" },
   { "limits", "message-size",   read_size,      AT(message_size),     "35M" },
   { "limits", "recipients",     read_count,     AT(recipients),       "100" },
   { "limits", "per-hour",       read_count,     AT(rcpts_hour),       "300" },
   { "limits", "per-day",        read_count,     AT(rcpts_day),        "2000" },
   { "limits", "messages-per-hour", read_count,  AT(messages_hour),    "200" },
   { "limits", "messages-per-day", read_count,   AT(messages_day),     "1000" },
   { "limits", "new-per-day",    read_count,     AT(new_day),          "90" },
   { "limits", "new-account",    read_time,      AT(young_s),          "7d" },
   { "limits", "contact",        read_text,      AT(contact),          "" },
   { "limits", "hold",           read_duration,  AT(hold_s),           "30d" },
   { "limits", "connections",    read_count,     AT(connections),      "50" },
   { "limits", "handshakes-per-minute", read_count, AT(handshakes),    "1000" },
   { "guard",  "freeze",         read_yes_no,    AT(guard_freeze),     "yes" },
   { "guard",  "new-recipients", read_count,     AT(guard_new),        "180" },
   { "guard",  "refused",        read_count,     AT(guard_refused),    "10" },
   { "guard",  "refused-share",  read_count,     AT(guard_share),      "30" },
   { "guard",  "networks",       read_count,     AT(guard_networks),   "5" },
   { "guard",  "rate",           read_count,     AT(guard_rate),       "150" },
   { "guard",  "notify",         read_address,   AT(guard_notify),     "" },
   { "queue",  "give-up",        read_duration,  AT(give_up_s),        "5d" },
   { "queue",  "delay-notice",   read_duration,  AT(delay_notice_s),   "4h" },
   { "queue",  "notices-per-hour", read_count,   AT(notices_hour),     "20" },
   { "queue",  "digest",         read_duration,  AT(digest_s),         "1h" },
   { "queue",  "retry",          read_retries,   AT(retry_s),          "1m, 5m, 10m, 20m, 30m, 1h, 2h, 4h" },
   { "queue",  "per-destination", read_count,    AT(per_destination),  "20" },
   { "queue",  "in-flight",      read_count,     AT(in_flight),        "500" },
   { "queue",  "cache",          read_size,      AT(cache_bytes),      "64M" },
   { "queue",  "journal",        read_duration,  AT(journal_s),        "30d" },
   { "queue",  "uncertain",      read_uncertain, AT(hold_uncertain),   "retry" },
   { "queue",  "tls-reports",    read_yes_no,    AT(tls_reports),      "yes" },
   { "queue",  "tls-contact",    read_address,   AT(tls_contact),      "" },
   { "dns",    "server",         read_server,    AT(dns_server),       "" },
   { "dns",    "trust-anchor",   read_path,      AT(trust_anchor),     "" },
   { "paths",  "state",          read_place,     AT(state),            "/var/lib/postern" },
   { "paths",  "run",            read_place,     AT(run),              "/run/postern" },
   { "users",  "smtpd",          read_text,      AT(user_smtpd),       "_postern" },
   { "users",  "auth",           read_text,      AT(user_auth),        "_posternauth" },
   { "users",  "queue",          read_text,      AT(user_queue),       "_posternq" },
   { "users",  "deliver",        read_text,      AT(user_deliver),     "_posternout" },
   { "users",  "sts",            read_text,      AT(user_sts),         "_posternsts" },
   { "users",  "admin-group",    read_text,      AT(admin_group),      "" },
   { "smtpd",  "workers",        read_count,     AT(workers),          "0" },
   { "log",    "syslog",         read_yes_no,    AT(syslog),           "no" },
};

const size_t conf_nkeys = COUNT(conf_keys);
static_assert(COUNT(conf_keys) <= CONF_KEYS, "a line for each key");

/* Of counts that may not be any number. */
static const struct range {
	const char *section, *key;
	uint32_t least, most;
	const char *text;
} ranges[] = {
	{ "limits", "recipients",      1, 10000,      "write 1 to 10000" },
	{ "limits", "connections",     1, UINT32_MAX, "write 1 or more" },
	/* Zero would freeze everybody at the first mail. */
	{ "guard",  "new-recipients",  1, UINT32_MAX, "write 1 or more; `freeze = no` switches the guard off" },
	{ "queue",  "per-destination", 1, UINT32_MAX, "write 1 or more" },
	{ "queue",  "in-flight",       1, UINT32_MAX, "write 1 or more" },
	{ "smtpd",  "workers",         0, CONF_WORKERS, "write 0 to 64; 0 is one for every two processors" },
};

static const struct { const char *unit; uint64_t factor; } size_units[] = {
	{ "", 1 }, { "K", 1024 }, { "M", 1024 * 1024 },
	{ "G", 1024 * 1024 * 1024 },
}, time_units[] = {
	{ "", 1 }, { "s", 1 }, { "m", 60 }, { "h", 3600 }, { "d", 86400 },
	{ "w", 7 * 86400 },
};
/* clang-format on */

/* A number followed by a unit of the table; false when it is neither. */
static bool
read_unit(const char *s, const void *units, size_t nunits, uint64_t *out)
{
	const struct {
		const char *unit;
		uint64_t factor;
	} *u = units;
	char *rest;

	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	*out = strtoull(s, &rest, 10);
	if (errno != 0)
		return false;
	while (*rest == ' ')
		rest++;
	for (size_t i = 0; i < nunits; i++)
		if (strcasecmp(rest, u[i].unit) == 0) {
			if (*out > UINT64_MAX / u[i].factor)
				return false;
			*out *= u[i].factor;
			return true;
		}
	return false;
}

const char *
conf_put_text(char *to, size_t size, const char *value)
{
	size_t n = strlen(value);

	if (n >= size)
		return "the value is too long";
	memcpy(to, value, n + 1);
	return NULL;
}

void
conf_lower(char *s)
{
	for (; *s != '\0'; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s = (char)(*s - 'A' + 'a');
}

static char *
member(struct conf *c, const struct conf_key *k)
{
	return (char *)c + k->off;
}

static const char *
read_text(struct conf *c, const struct conf_key *k, const char *value)
{
	return conf_put_text(member(c, k), k->size, value);
}

static const char *
read_path(struct conf *c, const struct conf_key *k, const char *value)
{
	if (*value != '\0' && *value != '/')
		return "write an absolute path";
	return conf_put_text(member(c, k), k->size, value);
}

/* A directory that is needed. */
static const char *
read_place(struct conf *c, const struct conf_key *k, const char *value)
{
	return read_path(c, k, *value != '\0' ? value : ".");
}

/* Its shape alone: what is wrong in it otherwise, the mail's bounce tells. */
static const char *
read_address(struct conf *c, const struct conf_key *k, const char *value)
{
	const char *at = strrchr(value, '@');

	if (*value != '\0' &&
	    (at == NULL || at == value || at[1] == '\0' ||
		strpbrk(value, " \t<>,;") != NULL))
		return "write an address: postmaster@example.org";
	return read_text(c, k, value);
}

bool
conf_host_name(const char *value)
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyz"
				 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";

	return *value != '\0' && strspn(value, ok) == strlen(value) &&
	    *value != '.' && *value != '-' && strstr(value, "..") == NULL &&
	    value[strlen(value) - 1] != '.';
}

static const char *
read_hostname(struct conf *c, const struct conf_key *k, const char *value)
{
	if (!conf_host_name(value))
		return "write a host name as in DNS: mail.example.org";
	return conf_put_text(member(c, k), k->size, value);
}

static const char *
read_domain(struct conf *c, const struct conf_key *k, const char *value)
{
	if (*value != '\0' && read_hostname(c, k, value) != NULL)
		return "write a domain: example.org";
	return conf_put_text(member(c, k), k->size, value);
}

static const char *
read_size(struct conf *c, const struct conf_key *k, const char *value)
{
	uint64_t v;

	if (!read_unit(value, size_units, COUNT(size_units), &v) || v == 0)
		return "not a size: write a number with K, M or G, like 35M";
	/* Sums of several are reckoned with. */
	if (v > (uint64_t)1 << 50)
		return "1048576G at most";
	memcpy(member(c, k), &v, sizeof(v));
	return NULL;
}

static const char *
check_range(const struct conf_key *k, unsigned long v)
{
	for (const struct range *r = ranges; r < ranges + COUNT(ranges); r++)
		if (strcmp(r->section, k->section) == 0 &&
		    strcmp(r->key, k->name) == 0)
			return v < r->least || v > r->most ? r->text : NULL;
	return NULL;
}

static const char *
read_count(struct conf *c, const struct conf_key *k, const char *value)
{
	const char *per, *why;
	uint32_t count;
	char *rest;
	unsigned long v;

	errno = 0;
	v = strtoul(value, &rest, 10);
	/* "300/hour" says the unit that the key already has. */
	per = strstr(k->name, "per-");
	if (*rest == '/' && per != NULL && strcmp(rest + 1, per + 4) == 0)
		rest += strlen(rest);
	if (*value < '0' || *value > '9' || *rest != '\0' || errno != 0 ||
	    v > UINT32_MAX)
		return "write a whole number, 4294967295 at most";
	if ((why = check_range(k, v)) != NULL)
		return why;
	count = (uint32_t)v;
	memcpy(member(c, k), &count, sizeof(count));
	return NULL;
}

#define NOT_A_TIME "not a time: write a number with s, m, h, d or w, like 5d"

static const char *
read_time(struct conf *c, const struct conf_key *k, const char *value)
{
	int64_t seconds;
	uint64_t v;

	if (!read_unit(value, time_units, COUNT(time_units), &v))
		return NOT_A_TIME;
	if (v > (uint64_t)CONF_TIME_MOST)
		return "ten years (3660d) at most";
	seconds = (int64_t)v;
	memcpy(member(c, k), &seconds, sizeof(seconds));
	return NULL;
}

static const char *
read_duration(struct conf *c, const struct conf_key *k, const char *value)
{
	const char *why = read_time(c, k, value);
	int64_t seconds = 0;

	if (why == NULL)
		memcpy(&seconds, member(c, k), sizeof(seconds));
	return why != NULL || seconds > 0 ? why : "write 1s or more";
}

static const char *
read_retries(struct conf *c, const struct conf_key *k, const char *value)
{
	char copy[512], *item, *save = NULL;
	uint64_t v;

	(void)k;
	if (strlen(value) >= sizeof(copy))
		return "the value is too long";
	memcpy(copy, value, strlen(value) + 1);
	c->nretries = 0;
	for (item = strtok_r(copy, ", ", &save); item != NULL;
	     item = strtok_r(NULL, ", ", &save)) {
		if (c->nretries == CONF_RETRIES)
			return "16 times at most";
		if (!read_unit(item, time_units, COUNT(time_units), &v))
			return "not a list of times: write 1m, 5m, 1h";
		if (v == 0 || v > 30 * 86400)
			return "write times from 1s to 30d";
		c->retry_s[c->nretries++] = (int64_t)v;
	}
	return c->nretries > 0 ? NULL : "write one time at least";
}

static const char *
read_yes_no(struct conf *c, const struct conf_key *k, const char *value)
{
	bool yes = strcasecmp(value, "yes") == 0;

	if (!yes && strcasecmp(value, "no") != 0)
		return "write yes or no";
	memcpy(member(c, k), &yes, sizeof(yes));
	return NULL;
}

static const char *
read_uncertain(struct conf *c, const struct conf_key *k, const char *value)
{
	bool hold = strcasecmp(value, "hold") == 0;

	if (!hold && strcasecmp(value, "retry") != 0)
		return "write retry or hold";
	memcpy(member(c, k), &hold, sizeof(hold));
	return NULL;
}

/* ADDRESS or ADDRESS@PORT, as unbound writes it. */
static const char *
read_server(struct conf *c, const struct conf_key *k, const char *value)
{
	struct net_address a;
	const char *at = strchr(value, '@');
	size_t n = at != NULL ? (size_t)(at - value) : strlen(value);
	char *rest;
	unsigned long port = 53;

	if (*value == '\0')
		return conf_put_text(member(c, k), k->size, value);
	if (at != NULL) {
		port = strtoul(at + 1, &rest, 10);
		if (at[1] < '0' || at[1] > '9' || *rest != '\0')
			port = 0;
	}
	if (!net_parse(&a, value, n, 53) || port == 0 || port > 65535)
		return "write an address like 127.0.0.1 or 127.0.0.1@5353";
	return conf_put_text(member(c, k), k->size, value);
}

/* In the largest unit that divides it. */
static size_t
print_time(int64_t s, char *out, size_t size)
{
	size_t i = COUNT(time_units);

	while (--i > 0 && s % (int64_t)time_units[i].factor != 0)
		;
	if (i == 0)
		i = 1;
	return (size_t)snprintf(out, size, "%" PRId64 "%s",
	    s / (int64_t)time_units[i].factor, time_units[i].unit);
}

void
conf_key_print(
    const struct conf *c, const struct conf_key *k, char *out, size_t size)
{
	const char *at = (const char *)c + k->off;
	uint64_t u64;
	uint32_t u32;
	int64_t s;
	bool yes;
	size_t n = 0;

	out[0] = '\0';
	if (k->read == read_size) {
		memcpy(&u64, at, sizeof(u64));
		if (u64 % (1024 * 1024) == 0)
			snprintf(out, size, "%" PRIu64 "M", u64 >> 20);
		else
			snprintf(out, size, "%" PRIu64, u64);
	} else if (k->read == read_count) {
		memcpy(&u32, at, sizeof(u32));
		snprintf(out, size, "%" PRIu32, u32);
	} else if (k->read == read_duration || k->read == read_time) {
		memcpy(&s, at, sizeof(s));
		print_time(s, out, size);
	} else if (k->read == read_yes_no) {
		memcpy(&yes, at, sizeof(yes));
		snprintf(out, size, "%s", yes ? "yes" : "no");
	} else if (k->read == read_uncertain) {
		memcpy(&yes, at, sizeof(yes));
		snprintf(out, size, "%s", yes ? "hold" : "retry");
	} else if (k->read == read_retries) {
		for (size_t i = 0; i < c->nretries; i++) {
			n += (size_t)snprintf(
			    out + n, size - n, "%s", i > 0 ? ", " : "");
			n += print_time(c->retry_s[i], out + n, size - n);
		}
	} else {
		snprintf(out, size, "%s", at);
	}
}
