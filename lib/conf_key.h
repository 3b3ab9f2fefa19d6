/*
 * conf_key.h - the keys of the configuration as a table; inside lib/ only.
 */
#ifndef LIB_CONF_KEY_H
#define LIB_CONF_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/conf.h"

struct conf_key;

/* Read a value into its member.  NULL, or what is wrong with it. */
typedef const char *
conf_read_fn(struct conf *, const struct conf_key *, const char *value);

struct conf_key {
	const char *section, *name; /* section "": the top of the file */
	conf_read_fn *read;
	size_t off, size; /* of the member of struct conf */
	const char *by_default;
};

extern const struct conf_key conf_keys[];
extern const size_t conf_nkeys;

/* The value of a key as the file would write it. */
void conf_key_print(
    const struct conf *, const struct conf_key *, char *out, size_t size);

/* Copy a bounded value.  NULL, or what is wrong. */
const char *conf_put_text(char *to, size_t size, const char *value);

/* Make ASCII letters lower case. */
void conf_lower(char *);

/* A host name as in DNS, without a dot at its end. */
bool conf_host_name(const char *);
/* Of a route's name, what says of which domain or account. */
const char *conf_route_pattern(const struct conf_route *);

/* A section with a name of its own, as conf_each() tells it. */
void conf_listen_print(const struct conf_listen *, conf_value_fn *, void *arg);
void conf_tls_print(const struct conf_tls *, conf_value_fn *, void *arg);
void conf_route_print(const struct conf_route *, conf_value_fn *, void *arg);

#endif
