/*
 * fetch.c - see fetch.h.
 *
 * libcurl's multi interface on our loop: it says which descriptors and when
 * (on_socket, on_timer), we say what is ready (act).
 *
 * Who comes when many are under way waits: if slow servers of some domains made
 * the others' fetches fail, their mail would go without their policies.
 */
#include <curl/curl.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

#include "lib/buf.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "sts/fetch.h"

#define CONNECT_S  10L
#define STEPS_MOST 200 /* of a connection's handshake, and behind it */
#define TOTAL_S    30L
#define WAIT_MOST  2000
#define WAIT_MS    50000 /* then deliver waits no more for its end */

struct errand {
	struct msg_fetch what;
	CURL *easy;
	CURLSH *names; /* its one host's addresses: they end with it */
	struct curl_slist *resolve, *headers;
	uint64_t tag, asker;
	fetch_done_fn *done;
	struct buf in;
	int64_t since_ms;
	char error[CURL_ERROR_SIZE];
	TAILQ_ENTRY(errand) link; /* of those who wait */
	uint8_t body[];
};

struct line {
	struct watch watch;
	int fd;
};

static CURLM *multi;
static struct timer timer;
static char *roots;
static size_t roots_len;
static unsigned count; /* under way */
static TAILQ_HEAD(, errand) waiting = TAILQ_HEAD_INITIALIZER(waiting);
static unsigned nwaiting;

static void act(int fd, int events);

static void
on_ready(void *arg, short events)
{
	const struct line *l = arg;

	act(l->fd,
	    (events & LOOP_READ ? CURL_CSELECT_IN : 0) |
		(events & LOOP_WRITE ? CURL_CSELECT_OUT : 0));
}

static void
on_time(void *arg)
{
	(void)arg;
	act(CURL_SOCKET_TIMEOUT, 0);
}

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *mine)
{
	struct line *l = mine;

	(void)easy, (void)arg;
	if (what == CURL_POLL_REMOVE) {
		if (l != NULL)
			watch_set(&l->watch, 0);
		free(l);
		return 0;
	}
	if (l == NULL) {
		l = calloc(1, sizeof(*l));
		if (l == NULL)
			abort();
		l->fd = fd;
		watch_init(&l->watch, fd, on_ready, l);
		curl_multi_assign(multi, fd, l);
	}
	watch_set(&l->watch,
	    (short)((what & CURL_POLL_IN ? LOOP_READ : 0) |
		(what & CURL_POLL_OUT ? LOOP_WRITE : 0)));
	return 0;
}

static int
on_timer(CURLM *m, long in_ms, void *arg)
{
	(void)m, (void)arg;
	if (in_ms < 0)
		timer_clear(&timer);
	else
		timer_set(&timer, in_ms);
	return 0;
}

static size_t
on_data(char *data, size_t size, size_t n, void *arg)
{
	struct errand *e = arg;

	if (size * n > FETCH_MAX - e->in.len)
		return 0; /* an error, and the end */
	buf_add(&e->in, data, size * n);
	return size * n;
}

static bool
is_certificate(CURLcode code)
{
	return code == CURLE_PEER_FAILED_VERIFICATION ||
	    code == CURLE_SSL_ISSUER_ERROR;
}

static void
errand_free(struct errand *e)
{
	if (e->easy != NULL) {
		curl_multi_remove_handle(multi, e->easy);
		curl_easy_cleanup(e->easy);
	}
	curl_share_cleanup(e->names);
	curl_slist_free_all(e->resolve);
	curl_slist_free_all(e->headers);
	buf_release(&e->in);
	free(e);
}

static void
finish(struct errand *e, CURLcode code)
{
	struct msg m = { .type = MSG_FETCHED, .tag = e->tag };
	struct msg_fetched *f = &m.u.fetched;
	const char *type = NULL;
	long http = 0;

	if (e->easy != NULL) {
		curl_easy_getinfo(e->easy, CURLINFO_RESPONSE_CODE, &http);
		curl_easy_getinfo(e->easy, CURLINFO_CONTENT_TYPE, &type);
	}
	f->code = (uint32_t)http;
	f->verdict =
	    code == CURLE_OK && http >= 200 && http <= 299 ? V_OK : V_TEMP;
	f->certificate = is_certificate(code);
	if (type != NULL)
		snprintf(f->type, sizeof(f->type), "%s", type);
	if (code == CURLE_WRITE_ERROR)
		snprintf(
		    f->text, sizeof(f->text), "more than %d bytes", FETCH_MAX);
	else if (code != CURLE_OK)
		snprintf(f->text, sizeof(f->text), "%.190s",
		    *e->error ? e->error : curl_easy_strerror(code));
	else if (f->verdict != V_OK)
		snprintf(f->text, sizeof(f->text), "HTTP status %ld", http);
	else
		f->body = (struct bytes){ (const uint8_t *)buf_data(&e->in),
			e->in.len };
	e->done(&e->asker, &m);
	errand_free(e);
	count--;
}

static void begin_next(void);

static void
act(int fd, int events)
{
	struct errand *e;
	CURLMsg *m;
	int n;

	curl_multi_socket_action(multi, fd, events, &n);
	while ((m = curl_multi_info_read(multi, &n)) != NULL) {
		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &e);
		finish(e, m->data.result);
	}
	begin_next();
}

void
fetch_init(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		fatal("libcurl cannot be used");
}

void
fetch_trust(char *pem, size_t n)
{
	free(roots);
	roots = pem;
	roots_len = n;
}

/* Nothing from the environment, a file or the net but this server. */
/*
 * A server that changes keys without end would have the library at work within
 * one read, and all other fetches wait: from here on nothing it says is heard.
 */
static void
on_step(const SSL *ssl, int where, int ret)
{
	static int index = -1;
	SSL *to = (SSL *)(uintptr_t)ssl;
	uintptr_t steps;

	(void)where, (void)ret;
	if (index == -1)
		index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	steps = (uintptr_t)SSL_get_ex_data(ssl, index) + 1;
	SSL_set_ex_data(to, index, (void *)steps);
	if (steps > STEPS_MOST)
		SSL_set_shutdown(
		    to, SSL_get_shutdown(ssl) | SSL_RECEIVED_SHUTDOWN);
}

static CURLcode
on_context(CURL *easy, void *ctx, void *unused)
{
	(void)easy, (void)unused;
	SSL_CTX_set_info_callback(ctx, on_step);
	return CURLE_OK;
}

static bool
restrict_to(struct errand *e)
{
	const struct msg_fetch *f = &e->what;
	struct curl_blob ca = { roots, roots_len, CURL_BLOB_COPY };
	char entry[700];

	snprintf(
	    entry, sizeof(entry), "%s:%u:%s", f->host, f->port, f->addresses);
	e->resolve = curl_slist_append(NULL, entry);
	/* The multi handle would remember each domain for the process's life,
	 * and an entry that ages could be looked up. */
	e->names = curl_share_init();
	return e->resolve != NULL && roots != NULL && e->names != NULL &&
	    curl_share_setopt(e->names, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS) ==
	    CURLSHE_OK &&
	    curl_easy_setopt(e->easy, CURLOPT_SHARE, e->names) == CURLE_OK &&
	    curl_easy_setopt(e->easy, CURLOPT_RESOLVE, e->resolve) ==
	    CURLE_OK &&
	    curl_easy_setopt(e->easy, CURLOPT_PROTOCOLS_STR, "https") ==
	    CURLE_OK &&
	    curl_easy_setopt(e->easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	    curl_easy_setopt(e->easy, CURLOPT_PROXY, "") == CURLE_OK &&
	    curl_easy_setopt(e->easy, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
	    curl_easy_setopt(e->easy, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
	    curl_easy_setopt(e->easy, CURLOPT_CAINFO, NULL) == CURLE_OK &&
	    curl_easy_setopt(e->easy, CURLOPT_CAPATH, NULL) == CURLE_OK &&
	    curl_easy_setopt(e->easy, CURLOPT_CAINFO_BLOB, &ca) == CURLE_OK &&
	    curl_easy_setopt(e->easy, CURLOPT_SSL_CTX_FUNCTION, on_context) ==
	    CURLE_OK &&
	    curl_easy_setopt(e->easy, CURLOPT_SSLVERSION,
		(long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK;
}

static bool
set_body(struct errand *e)
{
	const struct msg_fetch *f = &e->what;
	char type[100];

	if (f->body.len == 0)
		return true;
	snprintf(type, sizeof(type), "Content-Type: %s", f->type);
	e->headers = curl_slist_append(NULL, type);
	return e->headers != NULL &&
	    curl_easy_setopt(e->easy, CURLOPT_HTTPHEADER, e->headers) ==
	    CURLE_OK &&
	    curl_easy_setopt(e->easy, CURLOPT_POSTFIELDSIZE,
		(long)f->body.len) == CURLE_OK &&
	    curl_easy_setopt(
		e->easy, CURLOPT_POSTFIELDS, (const char *)e->body) == CURLE_OK;
}

static bool
set_up(struct errand *e)
{
	CURL *c = e->easy;

	curl_easy_setopt(c, CURLOPT_PRIVATE, e);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, e->error);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, TOTAL_S);
	curl_easy_setopt(c, CURLOPT_MAXFILESIZE, (long)FETCH_MAX);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, e);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "postern/" VERSION);
	return curl_easy_setopt(c, CURLOPT_URL, e->what.url) == CURLE_OK &&
	    restrict_to(e) && set_body(e);
}

static void
begin(struct errand *e)
{
	count++;
	if (loop_now_ms() - e->since_ms <= WAIT_MS)
		e->easy = curl_easy_init();
	if (e->easy == NULL)
		finish(e, CURLE_AGAIN);
	else if (!set_up(e))
		finish(e, CURLE_SSL_CACERT_BADFILE);
	else if (curl_multi_add_handle(multi, e->easy) != CURLM_OK)
		finish(e, CURLE_FAILED_INIT);
}

static void
begin_next(void)
{
	struct errand *e;

	while (count < FETCH_MANY && (e = TAILQ_FIRST(&waiting)) != NULL) {
		TAILQ_REMOVE(&waiting, e, link);
		nwaiting--;
		begin(e);
	}
}

void
fetch(const struct msg_fetch *f, uint64_t tag, uint64_t asker,
    fetch_done_fn *done)
{
	struct errand *e = calloc(1, sizeof(*e) + f->body.len);

	if (e == NULL)
		abort();
	if (multi == NULL) {
		multi = curl_multi_init();
		if (multi == NULL)
			fatal("libcurl cannot be used");
		timer_init(&timer, on_time, NULL);
		curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
		curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
	}
	e->what = *f;
	e->what.body.data = e->body;
	if (f->body.len > 0)
		memcpy(e->body, f->body.data, f->body.len);
	e->tag = tag;
	e->asker = asker;
	e->done = done;
	e->since_ms = loop_now_ms();
	if (nwaiting >= WAIT_MOST) {
		count++;
		finish(e, CURLE_AGAIN);
		return;
	}
	TAILQ_INSERT_TAIL(&waiting, e, link);
	nwaiting++;
	begin_next();
}

void
fetch_forget(uint64_t asker)
{
	struct errand *e, *next;

	for (e = TAILQ_FIRST(&waiting); e != NULL; e = next) {
		next = TAILQ_NEXT(e, link);
		if (e->asker != asker)
			continue;
		TAILQ_REMOVE(&waiting, e, link);
		nwaiting--;
		errand_free(e);
	}
}
