/*
 * cmd_serve.c - postern serve: check the configuration, become the parent.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/sibling.h"

int
cmd_serve(struct ctl *c)
{
	struct settings_errors *errors = malloc(sizeof(*errors));
	struct settings *s = &c->settings;
	char program[CONF_PATH];
	int code;

	if (errors == NULL)
		abort();
	code = settings_try(s, c->file, true, errors);
	if (code == CODE_CONF && errors->n > 0)
		settings_tell(s->file, errors);
	free(errors);
	if (code != CODE_OK)
		return code;
	if (!sibling_path("parent", program, sizeof(program)))
		return CODE_TEMP;
	execl(program, program, "-c", s->file, (char *)NULL);
	return output_fail(CODE_TEMP, "%s: %s", program, strerror(errno));
}
