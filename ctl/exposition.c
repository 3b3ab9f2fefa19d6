/*
 * exposition.c - see exposition.h.
 *
 * What processes say is theirs: a number that the table does not know is left
 * out, and so are labels with octets that no label of ours has.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/daemon.h"
#include "ctl/exposition.h"
#include "lib/code.h"
#include "lib/metric.h"

#define PATIENCE_S 5
#define SAMPLES    4096

struct book {
	struct msg_metric_row samples[SAMPLES];
	size_t n;
};

/* What status says already, as numbers. */
static const struct {
	const char *group, *key; /* of the document; group NULL: its top */
	const char *name, *labels, *type, *help;
} simple[] = {
	/* clang-format off */
	{ "queue", "messages",             "queue_messages",         "{state=\"waiting\"}", "gauge",   "Messages that wait." },
	{ "queue", "recipients_waiting",   "queue_recipients",       "{state=\"waiting\"}", "gauge",   "Recipients that wait." },
	{ "queue", "active",               "queue_deliveries",       "",                    "gauge",   "Deliveries under way." },
	{ "queue", "oldest_seconds",       "queue_oldest_seconds",   "",                    "gauge",   "Age of the oldest message that waits." },
	{ "queue", "destinations_waiting", "queue_destinations",     "",                    "gauge",   "Destinations that mail waits for." },
	{ "queue", "accepting",            "queue_accepting",        "",                    "gauge",   "1 when new mail is taken." },
	{ "queue", "delivered_total",      "recipients_delivered_total", "",                "counter", "Recipients delivered since the queue was started." },
	{ "queue", "bounced_total",        "recipients_bounced_total", "",                  "counter", "Recipients given up since the queue was started." },
	{ "queue", "log_flushes",          "store_flushes_total",    "",                    "counter", "Flushes of the spool's log." },
	{ "queue", "table_bytes",          "store_table_bytes",      "",                    "gauge",   "Size of the spool's tables." },
	{ "queue", "log_bytes",            "store_log_bytes",        "",                    "gauge",   "Size of the spool's log." },
	{ "queue", "accounts_suspended",   "accounts_suspended",     "",                    "gauge",   "Accounts that are suspended." },
	{ "disk",  "free",                 "disk_free_bytes",        "",                    "gauge",   "Free space where the state is." },
	/* clang-format on */
};

static bool
is_label(const char *s)
{
	for (; *s != '\0'; s++)
		if (strchr("abcdefghijklmnopqrstuvwxyz"
			   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_",
			*s) == NULL)
			return false;
	return true;
}

static bool
is_same(const struct msg_metric_row *a, const struct msg_metric_row *b)
{
	if (a->metric != b->metric || a->part != b->part)
		return false;
	for (int i = 0; i < METRIC_LABELS; i++)
		if (strcmp(a->label[i], b->label[i]) != 0)
			return false;
	return true;
}

static void
on_row(void *arg, const struct msg *m)
{
	const struct msg_metric_row *r = &m->u.metric_row;
	struct book *b = arg;

	if (m->type != MSG_METRIC_ROW || r->metric >= METRICS ||
	    r->part > METRIC_SUM)
		return;
	for (int i = 0; i < METRIC_LABELS; i++)
		if (!is_label(r->label[i]))
			return;
	for (size_t i = 0; i < b->n; i++)
		if (is_same(&b->samples[i], r)) {
			b->samples[i].value += r->value;
			return;
		}
	if (b->n < SAMPLES)
		b->samples[b->n++] = *r;
}

static void
ask(struct book *b, const struct settings *s, enum service service,
    unsigned index)
{
	struct msg m = { .type = MSG_METRICS };
	struct msg_cmd_done done;
	struct daemon line;

	if (daemon_open_number(&line, s, service, index) == CODE_OK) {
		daemon_patience(&line, PATIENCE_S);
		(void)daemon_ask(&line, &m, on_row, b, &done);
	}
	daemon_close(&line);
}

static const char *
text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

static void
head(const char *name, const char *type, const char *help)
{
	printf("# HELP postern_%s %s\n# TYPE postern_%s %s\n", name, help, name,
	    type);
}

static void
print_simple(const json_t *status)
{
	for (size_t i = 0; i < sizeof(simple) / sizeof(*simple); i++) {
		const json_t *value = json_object_get(
		    json_object_get(status, simple[i].group), simple[i].key);

		if (!json_is_integer(value))
			continue; /* a queue that restarts */
		head(simple[i].name, simple[i].type, simple[i].help);
		printf("postern_%s%s %" JSON_INTEGER_FORMAT "\n",
		    simple[i].name, simple[i].labels,
		    json_integer_value(value));
	}
}

static void
print_processes(const json_t *list)
{
	const json_t *p;
	size_t i;

	head("process_up", "gauge", "1 when this process runs.");
	json_array_foreach((json_t *)list, i, p)
	    printf("postern_process_up{process=\"%s\"} %d\n",
		text_of(p, "name"), strcmp(text_of(p, "state"), "up") == 0);
	head("process_restarts_total", "counter",
	    "Times that this process was started again.");
	json_array_foreach((json_t *)list, i, p)
	    printf("postern_process_restarts_total{process=\"%s\"} "
		   "%" JSON_INTEGER_FORMAT "\n",
		text_of(p, "name"),
		json_integer_value(json_object_get(p, "restarts")));
}

/* A name in the configuration may have anything in it. */
static void
print_escaped(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s == '"' || *s == '\\')
			printf("\\%c", *s);
		else if (*s == '\n')
			printf("\\n");
		else
			putchar(*s);
}

static void
print_certificates(const json_t *list)
{
	const json_t *c;
	size_t i;

	head("certificate_expiry_days", "gauge",
	    "Days until the certificate of a [tls] section ends.");
	json_array_foreach((json_t *)list, i, c)
	{
		const json_t *days = json_object_get(c, "days_left");

		if (!json_is_integer(days))
			continue;
		printf("postern_certificate_expiry_days{section=\"");
		print_escaped(text_of(c, "section"));
		printf(
		    "\"} %" JSON_INTEGER_FORMAT "\n", json_integer_value(days));
	}
}

/* {a="x",b="y"}, and le behind them when there is one. */
static void
print_labels(
    const struct metric_row *m, const struct msg_metric_row *r, const char *le)
{
	const char *before = "{";

	for (int i = 0; i < METRIC_LABELS && m->labels[i] != NULL; i++) {
		printf("%s%s=\"%s\"", before, m->labels[i], r->label[i]);
		before = ",";
	}
	if (le != NULL) {
		printf("%sle=\"%s\"", before, le);
		before = ",";
	}
	if (*before == ',')
		putchar('}');
}

static const struct msg_metric_row *
find(const struct book *b, unsigned metric, unsigned part)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->samples[i].metric == metric &&
		    b->samples[i].part == part)
			return &b->samples[i];
	return NULL;
}

static uint64_t
value_of(const struct book *b, unsigned metric, unsigned part)
{
	const struct msg_metric_row *r = find(b, metric, part);

	return r != NULL ? r->value : 0;
}

static void
print_histogram(const struct book *b, unsigned metric)
{
	const struct metric_row *m = &metric_rows[metric];
	static const struct msg_metric_row none;
	uint64_t sum = 0;
	char le[32];

	for (unsigned i = 0; i < METRIC_STEPS && m->steps[i] != 0; i++) {
		sum += value_of(b, metric, i);
		snprintf(le, sizeof(le), "%g", (double)m->steps[i] / m->scale);
		printf("postern_%s_bucket", m->name);
		print_labels(m, &none, le);
		printf(" %" PRIu64 "\n", sum);
	}
	sum += value_of(b, metric, METRIC_REST);
	printf("postern_%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", m->name, sum);
	printf("postern_%s_sum %.3f\n", m->name,
	    (double)value_of(b, metric, METRIC_SUM) / m->scale);
	printf("postern_%s_count %" PRIu64 "\n", m->name, sum);
}

static void
print_metric(const struct book *b, unsigned metric)
{
	static const char *const types[] = { [METRIC_COUNTER] = "counter",
		[METRIC_GAUGE] = "gauge",
		[METRIC_HISTOGRAM] = "histogram" };
	const struct metric_row *m = &metric_rows[metric];
	bool any = false;

	head(m->name, types[m->kind], m->help);
	if (m->kind == METRIC_HISTOGRAM) {
		print_histogram(b, metric);
		return;
	}
	for (size_t i = 0; i < b->n; i++) {
		if (b->samples[i].metric != metric)
			continue;
		any = true;
		printf("postern_%s", m->name);
		print_labels(m, &b->samples[i], NULL);
		printf(" %" PRIu64 "\n", b->samples[i].value);
	}
	if (!any && m->labels[0] == NULL)
		printf("postern_%s 0\n", m->name);
}

static void
ask_all(struct book *b, const struct settings *s, const json_t *processes)
{
	const json_t *p;
	unsigned smtpd = 0;
	size_t i;

	json_array_foreach((json_t *)processes, i, p)
	{
		bool is_smtpd = strncmp(text_of(p, "name"), "smtpd", 5) == 0;

		if (is_smtpd && strcmp(text_of(p, "state"), "up") == 0)
			ask(b, s, SERVICE_SMTPD, smtpd);
		smtpd += is_smtpd;
	}
	ask(b, s, SERVICE_AUTH, 0);
	ask(b, s, SERVICE_QUEUE, 0);
	ask(b, s, SERVICE_DELIVER, 0);
}

int
exposition_print(const struct settings *s, const json_t *status)
{
	struct book *b = calloc(1, sizeof(*b));

	if (b == NULL)
		abort();
	ask_all(b, s, json_object_get(status, "processes"));
	head("build_info", "gauge", "The version that runs.");
	printf("postern_build_info{version=\"%s\"} 1\n",
	    text_of(status, "version"));
	head("up", "gauge", "1 when the server runs.");
	printf("postern_up 1\n");
	print_processes(json_object_get(status, "processes"));
	print_certificates(json_object_get(status, "certificates"));
	print_simple(status);
	for (unsigned m = 0; m < METRICS; m++)
		print_metric(b, m);
	free(b);
	return CODE_OK;
}

void
exposition_print_down(void)
{
	head("up", "gauge", "1 when the server runs.");
	printf("postern_up 0\n");
}
