/*
 * cmd_config.c - postern config check, postern config show.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/daemon.h"
#include "ctl/ports.h"
#include "ctl/text.h"

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

/* A server starts without it, and trusts nobody. */
static void
check_trust(struct ctl *c, const char *section, const char *key,
    const char *path, const char *hint, struct settings_errors *errors)
{
	char text[CONF_PATH + 128];

	if (*path == '\0' || access(path, R_OK) == 0)
		return;
	snprintf(text, sizeof(text), "%s.%s: %s: %s", section, key, path,
	    strerror(errno));
	settings_keep(
	    errors, settings_line(&c->settings, section, key), text, hint);
}

/* Whoever may write there can put another directory in its place. */
static void
check_place(struct ctl *c, const char *key, const char *path,
    struct settings_errors *errors)
{
	char text[CONF_PATH + 128], hint[CONF_PATH + 32];
	struct stat st;

	if (stat(path, &st) == -1 || (st.st_mode & S_IWOTH) == 0)
		return;
	snprintf(text, sizeof(text),
	    "paths.%s: everyone may write to %s (%04o)", key, path,
	    (unsigned)(st.st_mode & 07777));
	snprintf(hint, sizeof(hint), "chmod o-w %s", path);
	settings_keep(
	    errors, settings_line(&c->settings, "paths", key), text, hint);
}

/* The queue takes new mail while two messages of the largest size fit. */
static void
check_room(struct ctl *c, struct settings_errors *errors)
{
	const struct conf *conf = c->settings.conf;
	char text[CONF_PATH + 128], room[TEXT_SHORT];
	struct statvfs fs;
	uint64_t bytes;

	if (statvfs(conf->state, &fs) == -1)
		return;
	bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (conf->message_size <= bytes / 2)
		return;
	snprintf(text, sizeof(text),
	    "limits.message-size: two such messages do not fit into the %s "
	    "that are free in %s",
	    text_size(room, bytes), conf->state);
	settings_keep(errors,
	    settings_line(&c->settings, "limits", "message-size"), text,
	    "make room, or write a smaller size: no mail is taken so");
}

/* What keeps no server from starting, and is wrong all the same. */
static void
check_more(struct ctl *c, struct settings_errors *errors)
{
	const struct conf *conf = c->settings.conf;

	if (errors->n == 0)
		tls_check(c, settings_keep, errors);
	conf_check_sources(conf, settings_keep, errors);
	check_room(c, errors);
	check_place(c, "state", conf->state, errors);
	check_place(c, "run", conf->run, errors);
	check_trust(c, "tls", "ca-file", conf->ca_file,
	    "no other server can be verified; install the package "
	    "ca-certificates, or name a file that exists",
	    errors);
	check_trust(c, "dns", "trust-anchor", conf->trust_anchor,
	    "there is no DNSSEC and no DANE; install the package "
	    "dns-root-data, or name a file that exists",
	    errors);
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
	if (s->conf != NULL)
		check_more(c, errors);
	if (s->conf != NULL && !daemon_running(s))
		ports_note(s->conf);
	if (errors->n > 0)
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
	const char *lead;
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
	else if ((lead = conf_raised_with(c->settings.conf, section, key)))
		snprintf(source, sizeof(source), "raised with %s", lead);
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
