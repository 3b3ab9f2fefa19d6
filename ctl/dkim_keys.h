/*
 * dkim_keys.h - the keys of DKIM as auth tells them, and the TXT records that
 * publish them.
 */
#ifndef CTL_DKIM_KEYS_H
#define CTL_DKIM_KEYS_H

#include <jansson.h>

#include "ctl/lookup.h"
#include "ipc/messages.h"

struct ctl;

struct dkim_keys {
	struct msg_dkim_row *rows;
	size_t n;
};

#define DKIM_NAME  400 /* room for the name of a record */
#define DKIM_VALUE 700 /* and for its text */

/*
 * Have auth do something with the keys of a domain.
 * CODE_OK with the keys as they are afterwards and what auth says in *done
 * (NULL: not wanted); otherwise the reason is on stderr.
 */
int dkim_keys_ask(struct ctl *, const struct msg_dkim_cmd *, struct dkim_keys *,
    struct msg_cmd_done *done);
void dkim_keys_clear(struct dkim_keys *);

size_t dkim_keys_count(const struct dkim_keys *, enum dkim_state);

const char *dkim_state_name(uint32_t state);
const char *dkim_algorithm_name(uint32_t algorithm);

/* "p2611e._domainkey.example.org", and what is to be there. */
void dkim_record(
    const struct msg_dkim_row *, char name[DKIM_NAME], char value[DKIM_VALUE]);

enum dkim_shown {
	DKIM_SHOWN,
	DKIM_MISSING, /* no TXT record that is a key */
	DKIM_DIFFERS, /* there is another key */
	DKIM_UNKNOWN, /* DNS gave no answer */
};

/* Does DNS show this key? */
enum dkim_shown dkim_compare(const struct msg_dkim_row *, const struct found *);

/* The keys in one of `states` (a set of 1 << enum dkim_state) as the lines of
 * a zone on stdout, or with --json as one document of all keys. */
void dkim_keys_print(struct ctl *, const char *domain, const struct dkim_keys *,
    unsigned states);

#endif
