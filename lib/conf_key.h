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

/* conf_listen.c: one key of a [listen], but for its address; NULL or what is
 * wrong; *known tells whether there is such a key. */
const char *conf_listen_key(
    struct conf_listen *, const char *name, const char *value, bool *known);
void conf_listen_print(const struct conf_listen *,
    void (*cb)(
	void *arg, const char *section, const char *key, const char *value),
    void *arg);

/* conf_tls.c: the same for a [tls NAME]. */
const char *conf_tls_key(
    struct conf_tls *, const char *name, const char *value, bool *known);
/* Whether a [tls NAME] may be called so; makes it lower case. */
bool conf_tls_name(char *);
void conf_tls_print(const struct conf_tls *,
    void (*cb)(
	void *arg, const char *section, const char *key, const char *value),
    void *arg);

/* conf_screen.c: a `rule` of [screen], all zero but for its line; NULL or what
 * is wrong. */
const char *conf_screen_rule(struct screen_rule *, const char *value);
/* The rule before the nth because of which that one never matches, or NULL. */
const struct screen_rule *conf_screen_shadow(const struct conf *, size_t n);

/* A host name as in DNS, without a dot at its end. */
bool conf_host_name(const char *);

/* conf_route.c: one key of a [route]; NULL or what is wrong; *known tells
 * whether there is such a key. */
const char *conf_route_key(
    struct conf_route *, const char *name, const char *value, bool *known);
/* Call a route so; NULL or what is wrong with the name. */
const char *conf_route_name(struct conf_route *, const char *name);
void conf_route_print(const struct conf_route *,
    void (*cb)(
	void *arg, const char *section, const char *key, const char *value),
    void *arg);

#endif
