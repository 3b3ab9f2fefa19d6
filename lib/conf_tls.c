/*
 * conf_tls.c - [tls NAME]: a certificate for clients that ask for a name.
 */
#include <stdio.h>
#include <string.h>

#include "lib/conf_key.h"

static const char *
read_file(char to[CONF_PATH], const char *value)
{
	if (*value != '/')
		return "write an absolute path";
	return conf_put_text(to, CONF_PATH, value);
}

const char *
conf_tls_key(
    struct conf_tls *t, const char *name, const char *value, bool *known)
{
	*known = true;
	if (strcmp(name, "certificate") == 0)
		return read_file(t->certificate, value);
	if (strcmp(name, "key") == 0)
		return read_file(t->key, value);
	*known = false;
	return NULL;
}

bool
conf_tls_name(char *name)
{
	for (char *c = name; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return conf_host_name(strncmp(name, "*.", 2) == 0 ? name + 2 : name);
}

void
conf_tls_print(const struct conf_tls *t,
    void (*cb)(
	void *arg, const char *section, const char *key, const char *value),
    void *arg)
{
	char section[sizeof(t->name) + 8];

	snprintf(section, sizeof(section), "tls %s", t->name);
	cb(arg, section, "certificate", t->certificate);
	cb(arg, section, "key", t->key);
}
