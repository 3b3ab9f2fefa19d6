/*
 * row.c - see row.h.
 */
#include <string.h>

#include "ctl/output.h"
#include "ctl/row.h"
#include "mail/msgid.h"

/* enum tx_flags, by bit. */
static const char *const flags[] = { "8bit", "add-date", "add-message-id",
	"in-file", "notice", "smtputf8", "utf8-header", "binary", "requiretls",
	"tls-optional", "ret-full", "ret-hdrs", "add-sender", "by-return",
	"by-notify", "by-trace" };

#define FLAGS (sizeof(flags) / sizeof(flags[0]))

static json_t *
flags_json(uint32_t set)
{
	json_t *list = json_array();

	for (size_t i = 0; i < FLAGS; i++)
		if (set & 1u << i)
			json_array_append_new(list, json_string(flags[i]));
	return list;
}

static bool
flags_read(json_t *list, uint32_t *set)
{
	const char *name;
	json_t *value;
	size_t at, k;

	*set = 0;
	if (!json_is_array(list) || json_array_size(list) > FLAGS)
		return false;
	json_array_foreach(list, at, value)
	{
		name = json_string_value(value);
		for (k = 0; k < FLAGS; k++)
			if (name != NULL && strcmp(name, flags[k]) == 0)
				break;
		if (k == FLAGS)
			return false;
		*set |= 1u << k;
	}
	return true;
}

/* What is not UTF-8 is escaped, and then may not fit any more. */
static json_t *
text_json(const char *text, size_t size)
{
	json_t *value = output_string(text), *shorter;
	const char *s = json_string_value(value);
	size_t n = strlen(s);

	if (n < size)
		return value;
	for (n = size - 1; n > 0 && (s[n] & 0xc0) == 0x80; n--)
		;
	shorter = json_stringn(s, n);
	json_decref(value);
	return shorter;
}

static json_t *
member_json(const struct field *f, const void *at)
{
	char id[MSGID_SIZE];
	uint32_t u32;
	uint64_t u64;

	switch (f->kind) {
	case FIELD_U32:
		memcpy(&u32, at, sizeof(u32));
		return strcmp(f->name, "flags") == 0 ? flags_json(u32)
						     : json_integer(u32);
	case FIELD_U64:
		memcpy(&u64, at, sizeof(u64));
		if (strcmp(f->name, "id") != 0)
			return json_integer((json_int_t)u64);
		msgid_format(u64, id);
		return json_string(id);
	case FIELD_STR:
		return text_json(at, f->size);
	default:
		return NULL;
	}
}

json_t *
row_json(const struct msg *m)
{
	size_t size;
	const struct field *f = msg_fields(m->type, &size);
	json_t *object = json_object();

	for (; f->kind != FIELD_END; f++)
		if (f->kind != FIELD_BYTES)
			json_object_set_new(object, f->name,
			    member_json(f, (const char *)&m->u + f->off));
	return object;
}

static bool
member_read(const struct field *f, json_t *value, void *at)
{
	const char *s = json_string_value(value);
	json_int_t n = json_integer_value(value);
	uint32_t u32;
	uint64_t u64;

	switch (f->kind) {
	case FIELD_U32:
		u32 = (uint32_t)n;
		if (strcmp(f->name, "flags") == 0) {
			if (!flags_read(value, &u32))
				return false;
		} else if (!json_is_integer(value) || n < 0 || n > UINT32_MAX) {
			return false;
		}
		memcpy(at, &u32, sizeof(u32));
		return true;
	case FIELD_U64:
		u64 = (uint64_t)n;
		if (strcmp(f->name, "id") == 0) {
			if (s == NULL || !msgid_parse(s, &u64))
				return false;
		} else if (!json_is_integer(value) || n < 0) {
			return false;
		}
		memcpy(at, &u64, sizeof(u64));
		return true;
	case FIELD_STR:
		if (s == NULL || strlen(s) >= f->size ||
		    strlen(s) != json_string_length(value))
			return false;
		strcpy(at, s);
		return true;
	default:
		return false;
	}
}

bool
row_read(struct msg *m, json_t *object, size_t more)
{
	size_t size, n = 0;
	const struct field *f = msg_fields(m->type, &size);
	json_t *value;

	memset(&m->u, 0, size);
	for (; f->kind != FIELD_END; f++) {
		if (f->kind == FIELD_BYTES)
			continue;
		value = json_object_get(object, f->name);
		if (value == NULL ||
		    !member_read(f, value, (char *)&m->u + f->off))
			return false;
		n++;
	}
	return json_object_size(object) == n + more;
}

/* Rows of one kind in a list; how many. */
static bool
read_list(
    json_t *list, enum msg_type type, row_fn *emit, void *arg, unsigned *count)
{
	struct msg m;
	json_t *value;
	size_t at;

	if (!json_is_array(list))
		return false;
	json_array_foreach(list, at, value)
	{
		m.type = type;
		if (!row_read(&m, value, 0) || !emit(arg, &m))
			return false;
		++*count;
	}
	return true;
}

static bool
read_jobs(json_t *list, struct row_message *r, row_fn *emit, void *arg)
{
	unsigned answers = 0;
	struct msg m;
	json_t *job;
	size_t at;

	if (!json_is_array(list) || json_array_size(list) == 0)
		return false;
	json_array_foreach(list, at, job)
	{
		m.type = MSG_SPOOL_JOB;
		if (!row_read(&m, job, 2) || !emit(arg, &m) ||
		    !read_list(json_object_get(job, "answers"),
			MSG_SPOOL_ANSWER, emit, arg, &answers) ||
		    !read_list(json_object_get(job, "rcpts"), MSG_SPOOL_RCPT,
			emit, arg, &r->rcpts))
			return false;
		r->jobs++;
	}
	return r->rcpts > 0;
}

bool
row_message(const char *line, size_t len, struct row_message *r, row_fn *emit,
    void *arg)
{
	json_t *object = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	json_t *added = json_object_get(object, "added");
	struct msg m = { .type = MSG_SPOOL_MESSAGE };
	bool good = false;

	memset(r, 0, sizeof(*r));
	if (!json_is_object(object) || !row_read(&m, object, 2) ||
	    !json_is_integer(added) || json_integer_value(added) < 0 ||
	    json_integer_value(added) > ADDED_MAX)
		goto out;
	r->id = m.u.spool_message.id;
	r->size = m.u.spool_message.size;
	r->added = (uint64_t)json_integer_value(added);
	good = emit(arg, &m) &&
	    read_jobs(json_object_get(object, "jobs"), r, emit, arg);
out:
	json_decref(object);
	return good;
}
