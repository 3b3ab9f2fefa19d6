/*
 * cmd_config.c - postern config check, postern config show.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/commands.h"
#include "ctl/ctl.h"

static void
print_check(const char *file, const struct settings_errors *e)
{
	json_t *list = json_array(), *one;

	for (size_t i = 0; i < e->n && i < SETTINGS_ERRORS; i++) {
		one = json_pack("{s:i, s:o, s:o}", "line", e->list[i].line,
		    "text", output_string(e->list[i].text), "hint",
		    output_string(e->list[i].hint));
		json_array_append_new(list, one);
	}
	output_document(json_pack("{s:o, s:b, s:o}", "file",
	    output_string(file), "ok", e->n == 0, "errors", list));
}

int
cmd_config_check(struct ctl *c)
{
	struct settings_errors *errors = malloc(sizeof(*errors));
	struct settings *s = &c->settings;
	int code;

	if (errors == NULL)
		abort();
	code = settings_try(s, c->file, true, errors);
	if (s->conf != NULL &&
	    conf_check_sources(s->conf, settings_keep, errors) > 0)
		code = CODE_CONF;
	if (code == CODE_CONF && errors->n > 0)
		settings_tell(s->file, errors);
	if (code == CODE_OK || errors->n > 0) {
		if (c->out.mode == OUTPUT_JSON)
			print_check(s->file, errors);
		else if (code == CODE_OK)
			printf("%sok%s  %s\n", output_on(&c->out, TONE_GOOD),
			    output_off(&c->out), s->file);
	}
	free(errors);
	return code;
}

/* clang-format off */
static const struct column columns[] = {
	{ "key",    "key",   CELL_TEXT },
	{ "value",  "value", CELL_TEXT },
	{ "line",   NULL,    CELL_NUMBER },
	{ "source", "from",  CELL_TEXT },
};
/* clang-format on */

static void
show_key(void *arg, const char *section, const char *key, const char *value)
{
	struct ctl *c = arg;
	int line = settings_line(&c->settings, section, key);
	char name[400], source[CONF_PATH + 16];
	struct cell cells[] = {
		{ .text = name },
		{ .text = value },
		{ .n = (uint64_t)line },
		{ .text = source },
	};

	if (strchr(section, ' ') != NULL)
		snprintf(name, sizeof(name), "[%s] %s", section, key);
	else
		snprintf(name, sizeof(name), "%s%s%s", section,
		    *section != '\0' ? "." : "", key);
	if (line > 0)
		snprintf(
		    source, sizeof(source), "%s:%d", c->settings.file, line);
	else
		snprintf(source, sizeof(source), "default");
	output_row(&c->out, cells);
}

int
cmd_config_show(struct ctl *c)
{
	int code = settings_load(&c->settings, c->file);

	if (code != CODE_OK)
		return code;
	output_begin(&c->out, columns, sizeof(columns) / sizeof(columns[0]));
	conf_each(c->settings.conf, show_key, c);
	output_end(&c->out, NULL);
	return CODE_OK;
}
