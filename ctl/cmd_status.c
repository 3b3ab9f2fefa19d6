/*
 * cmd_status.c - postern status: one screen, from the parent, the queue, and
 * what can be seen from outside.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/daemon.h"
#include "ctl/exposition.h"
#include "ctl/text.h"
#include "ctl/tlsfile.h"

/* A certificate is somebody's business when it ends this soon. */
#define SOON_DAYS 14

/* For each process that is asked: one that hangs is told of, not waited for. */
#define PATIENCE_S 5

/*
 * The rows as one document: "pid" stays a key; "listen.NAME" and
 * "process.NAME" become lists, because a name may be there twice.
 */
struct status {
	json_t *top, *listen, *processes, *queue;
	uint64_t since; /* unix seconds */
};

static json_t *
value_of(const struct msg_status_row *r)
{
	return r->numeric ? json_integer(strtoll(r->value, NULL, 10))
			  : output_string(r->value);
}

static void
add_listener(struct status *s, const char *name, const char *value)
{
	char address[64] = "", tls[32] = "";

	sscanf(value, "%63s %31s", address, tls);
	json_array_append_new(s->listen,
	    json_pack("{s:o, s:o, s:o}", "name", output_string(name), "address",
		output_string(address), "tls", output_string(tls)));
}

static void
add_process(struct status *s, const char *name, const char *value)
{
	char state[32] = "";
	int pid = 0;
	unsigned restarts = 0;

	sscanf(value, "pid %d, %31[a-z], %u restarts", &pid, state, &restarts);
	json_array_append_new(s->processes,
	    json_pack("{s:o, s:o, s:i, s:i}", "name", output_string(name),
		"state", output_string(state), "pid", pid, "restarts",
		(int)restarts));
}

static void
on_row(void *arg, const struct msg *m)
{
	const struct msg_status_row *r = &m->u.status_row;
	struct status *s = arg;

	if (m->type != MSG_STATUS_ROW)
		return;
	if (strncmp(r->key, "listen.", 7) == 0)
		add_listener(s, r->key + 7, r->value);
	else if (strncmp(r->key, "process.", 8) == 0)
		add_process(s, r->key + 8, r->value);
	else if (strcmp(r->key, "started") == 0)
		s->since = strtoull(r->value, NULL, 10);
	else
		json_object_set_new(s->top, r->key, value_of(r));
}

static void
on_queue_row(void *arg, const struct msg *m)
{
	const struct msg_status_row *r = &m->u.status_row;
	struct status *s = arg;
	const char *key = r->key;

	if (m->type != MSG_STATUS_ROW)
		return;
	if (strncmp(key, "queue.", 6) == 0)
		key += 6;
	json_object_set_new(s->queue, key, value_of(r));
}

static int
ask(struct ctl *c, enum service service, struct msg *m, daemon_row_fn *row,
    struct status *s)
{
	struct daemon line;
	int code = daemon_open(&line, &c->settings, service);

	if (code == CODE_OK) {
		daemon_patience(&line, PATIENCE_S);
		code = daemon_call(&line, m, row, s, NULL);
	}
	daemon_close(&line);
	return code;
}

static json_t *
describe_certificate(const struct conf_tls *t)
{
	static struct tlsfile f;
	json_t *j = json_pack("{s:o, s:o}", "section", output_string(t->name),
	    "file", output_string(t->certificate));
	int64_t days;

	tlsfile_read(&f, t, NULL);
	if (*f.error != '\0') {
		json_object_set_new(j, "error", output_string(f.error));
		return j;
	}
	days = ((int64_t)f.expires - (int64_t)time(NULL)) / 86400;
	json_object_set_new(j, "name", output_string(f.names[0]));
	json_object_set_new(j, "expires", output_time(f.expires));
	json_object_set_new(j, "days_left", json_integer(days));
	json_object_set_new(j, "self_signed", json_boolean(f.self_signed));
	return j;
}

/* That of [tls] apart, for it is always there, and then all of them. */
static void
add_certificates(struct ctl *c, struct status *s)
{
	const struct conf *conf = c->settings.conf;
	json_t *list = json_array();

	for (size_t i = 0; i < conf->ntls; i++)
		json_array_append_new(
		    list, describe_certificate(&conf->tls[i]));
	json_object_set(s->top, "certificate", json_array_get(list, 0));
	json_object_set_new(s->top, "certificates", list);
}

static void
add_space(struct ctl *c, struct status *s)
{
	const char *state = c->settings.conf->state;
	struct statvfs fs;

	if (statvfs(state, &fs) == -1)
		return;
	json_object_set_new(s->top, "disk",
	    json_pack("{s:o, s:I, s:I}", "path", output_string(state), "free",
		(json_int_t)(fs.f_bavail * fs.f_frsize), "size",
		(json_int_t)(fs.f_blocks * fs.f_frsize)));
}

static const char *
text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

static uint64_t
number_of(const json_t *o, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(o, key));
}

static void
print_processes(const struct output *o, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *p = json_array_get(list, i);
		bool up = strcmp(text_of(p, "state"), "up") == 0;
		uint64_t restarts = number_of(p, "restarts");
		char pid[32] = "", again[64] = "";

		if (number_of(p, "pid") != 0)
			snprintf(pid, sizeof(pid), ", pid %" PRIu64,
			    number_of(p, "pid"));
		if (restarts > 0)
			snprintf(again, sizeof(again),
			    ", restarted %" PRIu64 " time%s", restarts,
			    restarts == 1 ? "" : "s");
		output_field(o, i == 0 ? "processes" : "", "%-10s %s%s%s%s%s",
		    text_of(p, "name"), output_on(o, up ? TONE_GOOD : TONE_BAD),
		    text_of(p, "state"), output_off(o), pid, again);
	}
}

static void
print_listeners(const struct output *o, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *l = json_array_get(list, i);

		output_field(o, i == 0 ? "listens" : "", "%-24s %s (%s)",
		    text_of(l, "address"), text_of(l, "tls"),
		    text_of(l, "name"));
	}
}

static void
print_queue(const struct output *o, const json_t *queue)
{
	char oldest[TEXT_SHORT];

	if (json_object_size(queue) == 0)
		return; /* it restarts, as its process tells */
	text_span(oldest, number_of(queue, "oldest_seconds"));
	output_field(o, "queue",
	    "%" PRIu64 " waiting for %" PRIu64 " recipients%s%s, "
	    "%" PRIu64 " deliveries under way",
	    number_of(queue, "messages"),
	    number_of(queue, "recipients_waiting"),
	    number_of(queue, "messages") > 0 ? ", the oldest for " : "",
	    number_of(queue, "messages") > 0 ? oldest : "",
	    number_of(queue, "active"));
	output_field(o, "",
	    "%" PRIu64 " accepted, %" PRIu64 " recipients "
	    "delivered, %" PRIu64 " bounced so far",
	    number_of(queue, "accepted_total"),
	    number_of(queue, "delivered_total"),
	    number_of(queue, "bounced_total"));
	if (number_of(queue, "accepting") == 0)
		output_field(o, "",
		    "%sno new mail is taken: too little of the disk is "
		    "free for mail of [limits] message-size%s",
		    output_on(o, TONE_BAD), output_off(o));
}

static void
print_certificates(const struct output *o, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *cert = json_array_get(list, i);
		const char *key = i == 0 ? "certificate" : "";
		const char *error = text_of(cert, "error");
		int64_t days =
		    json_integer_value(json_object_get(cert, "days_left"));

		if (*error != '\0')
			output_field(o, key, "%s%s%s", output_on(o, TONE_BAD),
			    error, output_off(o));
		else
			output_field(o, key, "%s%s, %s%" PRId64 " days left%s",
			    text_of(cert, "name"),
			    json_is_true(json_object_get(cert, "self_signed"))
				? ", self-signed"
				: "",
			    output_on(
				o, days < SOON_DAYS ? TONE_BAD : TONE_GOOD),
			    days, output_off(o));
	}
}

static void
print_page(const struct output *o, const struct status *s)
{
	const json_t *disk = json_object_get(s->top, "disk");
	char span[TEXT_SHORT], when[TEXT_SHORT], room[TEXT_SHORT];
	char size[TEXT_SHORT];
	uint64_t now = (uint64_t)time(NULL);

	output_field(o, "postern", "%s on %s, pid %" PRIu64,
	    text_of(s->top, "version"), text_of(s->top, "hostname"),
	    number_of(s->top, "pid"));
	output_field(o, "up", "%s, since %s",
	    text_span(span, now > s->since ? now - s->since : 0),
	    text_time(when, s->since));
	output_field(o, "config", "%s", text_of(s->top, "config"));
	print_listeners(o, s->listen);
	print_processes(o, s->processes);
	print_queue(o, s->queue);
	print_certificates(o, json_object_get(s->top, "certificates"));
	if (disk != NULL)
		output_field(o, "disk", "%s of %s free in %s",
		    text_size(room, number_of(disk, "free")),
		    text_size(size, number_of(disk, "size")),
		    text_of(disk, "path"));
}

int
cmd_status(struct ctl *c)
{
	struct msg queue = { .type = MSG_QUEUE_CMD };
	struct msg parent = { .type = MSG_STATUS };
	struct status s = { json_object(), json_array(), json_array(),
		json_object(), 0 };
	int code;

	queue.u.queue_cmd.verb = QUEUE_STATUS;
	code = daemon_find(&c->settings, c->file);
	if (code == CODE_OK)
		code = ask(c, SERVICE_PARENT, &parent, on_row, &s);
	if (code == CODE_DOWN && args_flag(&c->args, "prometheus") != NULL)
		exposition_print_down();
	if (code != CODE_OK)
		goto out;
	/* A queue that restarts is told below, by its process. */
	(void)ask(c, SERVICE_QUEUE, &queue, on_queue_row, &s);
	add_certificates(c, &s);
	add_space(c, &s);
	json_object_set_new(s.top, "started", output_time(s.since));
	json_object_set(s.top, "listen", s.listen);
	json_object_set(s.top, "processes", s.processes);
	json_object_set(s.top, "queue", s.queue);
	if (args_flag(&c->args, "prometheus") != NULL)
		code = exposition_print(&c->settings, s.top);
	else if (c->out.mode == OUTPUT_JSON)
		output_document(json_incref(s.top));
	else
		print_page(&c->out, &s);
out:
	json_decref(s.top);
	json_decref(s.listen);
	json_decref(s.processes);
	json_decref(s.queue);
	return code;
}
