/*
 * import_json.c - what "account export" wrote: one object a line.
 */
#include <jansson.h>
#include <string.h>

#include "ctl/import.h"
#include "ctl/item.h"

static bool
take_grants(struct import *im, json_t *object, const char *login)
{
	struct msg_item i;
	json_t *grant;
	size_t n;

	json_array_foreach(json_object_get(object, "grants"), n, grant)
	{
		if (!item_grant(&i, grant))
			return import_fail(im, "a grant of %s", login);
		i.line = im->line;
		strcpy(i.account, login);
		im->item(im->arg, &i);
	}
	return true;
}

static bool
take_credentials(struct import *im, json_t *object, const char *login)
{
	struct msg_item i;
	json_t *credential;
	size_t n;

	json_array_foreach(
	    json_object_get(object, "credentials"), n, credential)
	{
		if (!item_credential(&i, credential))
			return import_fail(im, "a credential of %s", login);
		i.line = im->line;
		strcpy(i.account, login);
		im->item(im->arg, &i);
		explicit_bzero(&i, sizeof(i));
	}
	return true;
}

bool
import_json(struct import *im, char *line, size_t n)
{
	json_error_t error;
	json_t *object = json_loadb(line, n, JSON_REJECT_DUPLICATES, &error);
	char login[ADDR_SIZE];
	struct msg_item i;
	bool ok;

	if (object == NULL)
		return import_fail(im, "not JSON: %s", error.text);
	ok = item_account(&i, object);
	if (!ok) {
		import_fail(im, "the object is not an account");
		goto out;
	}
	ok = import_login(im, i.account, login);
	if (!ok)
		goto out;
	strcpy(i.account, login);
	i.line = im->line;
	im->accounts++;
	im->item(im->arg, &i);
	ok = take_credentials(im, object, login) &&
	    take_grants(im, object, login);
out:
	json_decref(object);
	return ok;
}
