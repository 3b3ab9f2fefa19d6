/*
 * cargo.c - see cargo.h.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ipc/part.h"
#include "queue/bodyfile.h"
#include "queue/cargo.h"
#include "queue/marks.h"
#include "queue/t_body.h"

static struct {
	struct job *jobs[JOB_RCPTS];
	unsigned njobs, nrcpts;
	size_t rcpts_len, parts_len;
	uint8_t rcpts[RCPTS_MAX], parts[PARTS_MAX];
} cargo;

void
cargo_clear(void)
{
	cargo.njobs = cargo.nrcpts = 0;
	cargo.rcpts_len = cargo.parts_len = 0;
}

/* Those who wait behind what is packed already; false when they do not fit. */
static bool
pack_waiting(const struct job *j)
{
	uint8_t item[RCPT_ITEM_MAX];
	size_t len = cargo.rcpts_len, n;

	for (const struct rcpt *r = j->rcpts; r < j->rcpts + j->nrcpts; r++) {
		if (r->state != RCPT_WAITING)
			continue;
		n = rcpt_write(r->address, r->notify, r->orcpt, item);
		len = list_add(cargo.rcpts, sizeof(cargo.rcpts), len, item, n);
		if (len == 0)
			return false;
	}
	cargo.rcpts_len = len;
	return true;
}

static bool
pack_part(const struct job *j, unsigned nrcpts, uint64_t tag)
{
	struct part_item p = { .tag = tag,
		.n = (uint32_t)j->key.n,
		.seal = marks_seal(j->key.id, (uint32_t)j->key.n),
		.attempt = j->attempts + 1,
		.nrcpts = nrcpts };
	uint8_t item[PART_ITEM_MAX];
	size_t len;

	snprintf(p.domain, sizeof(p.domain), "%s", j->domain);
	len = list_add(cargo.parts, sizeof(cargo.parts), cargo.parts_len, item,
	    part_pack(&p, item));
	if (len == 0)
		return false;
	cargo.parts_len = len;
	return true;
}

bool
cargo_add(struct job *j, uint64_t tag)
{
	unsigned n = job_waiting(j);
	size_t parts = cargo.parts_len;

	if (cargo.nrcpts + n > JOB_RCPTS ||
	    (cargo.njobs > 0 && !pack_part(j, n, tag)) || !pack_waiting(j)) {
		cargo.parts_len = parts;
		return false;
	}
	cargo.jobs[cargo.njobs++] = j;
	cargo.nrcpts += n;
	return true;
}

struct job *
cargo_job(unsigned i)
{
	return i < cargo.njobs ? cargo.jobs[i] : NULL;
}

/* The bytes as a file that nobody can change. */
static int
as_file(const uint8_t *data, size_t len)
{
	int fd = memfd_create("body", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd == -1)
		return -1;
	for (size_t at = 0; at < len;) {
		ssize_t n = pwrite(fd, data + at, len - at, (off_t)at);

		if (n <= 0) {
			close(fd);
			return -1;
		}
		at += (size_t)n;
	}
	if (fcntl(fd, F_ADD_SEALS,
		F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) ==
	    -1) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The body, inline or as *fd; false when it cannot be had. */
static bool
attach_body(const struct letter *l, struct msg_job *m, int *fd)
{
	static uint8_t store[BODY_ROWS_MAX];
	const uint8_t *data = store;

	m->size = l->size;
	if (l->at.kind == BODY_FILE) {
		m->flags |= TX_IN_FILE;
		*fd = bodyfile_read(l->id);
		return *fd != -1;
	}
	if (l->body != NULL)
		data = l->body->data;
	else if (!t_body_get(l->at, l->id, store, l->size))
		return false;
	if (l->size <= BODY_INLINE) {
		m->body = (struct bytes){ data, l->size };
		return true;
	}
	m->flags |= TX_IN_FILE;
	*fd = as_file(data, l->size);
	return *fd != -1;
}

bool
cargo_pack(struct msg_job *m, int *fd)
{
	m->rcpts = (struct bytes){ cargo.rcpts, cargo.rcpts_len };
	m->parts = (struct bytes){ cargo.parts, cargo.parts_len };
	return attach_body(cargo.jobs[0]->letter, m, fd);
}
