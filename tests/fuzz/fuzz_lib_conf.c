/* Any text parses, or every complaint has a text; a route always exists. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "lib/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
on_error(void *arg, int line, const char *text, const char *hint)
{
	assert(line >= 0 && *text != '\0' && hint != NULL);
	++*(int *)arg;
}

static void
on_value(void *arg, const char *section, const char *key, const char *value)
{
	(void)arg;
	assert(section != NULL && *key != '\0' && value != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	int errors = 0;
	struct conf *c =
	    conf_parse("fuzz", (const char *)in, len, on_error, &errors);

	assert((c == NULL) == (errors > 0));
	if (c == NULL)
		return 0;
	assert(conf_route(c,
		   &(struct conf_mail){ "a.example.net", "b@example.org",
		       "c@example.org" }) != NULL);
	conf_each(c, on_value, NULL);
	conf_free(c);
	return 0;
}
