/*
 * cmd_client_certificate.c - postern account certificate ...
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/accounts.h"
#include "ctl/commands.h"
#include "ctl/credential.h"
#include "ctl/ctl.h"
#include "lib/tls.h"

/* SHA-256 of the key in a PEM file: of a certificate, or the key alone. */
static int
read_key(const char *path, char out[SHA256_HEX])
{
	FILE *f = fopen(path, "r");
	EVP_PKEY *key = NULL;
	X509 *cert = NULL;
	bool ok;

	if (f == NULL)
		return output_fail(errno == ENOENT ? CODE_MISSING : CODE_DENIED,
		    "%s: %s", path, strerror(errno));
	if ((cert = PEM_read_X509(f, NULL, NULL, NULL)) != NULL) {
		key = X509_get_pubkey(cert);
	} else {
		rewind(f);
		key = PEM_read_PUBKEY(f, NULL, NULL, NULL);
	}
	ERR_clear_error();
	fclose(f);
	ok = key != NULL && tls_key_name(key, out);
	X509_free(cert);
	EVP_PKEY_free(key);
	if (ok)
		return CODE_OK;
	return output_fail(CODE_USAGE,
	    "%s: no certificate and no public key in PEM form", path);
}

int
cmd_certificate_add(struct ctl *c)
{
	struct msg m = accounts_ask(CERTIFICATE_ADD);
	struct daemon line;
	char key[SHA256_HEX];
	int code = credential_ask(c, &m);

	if (code == CODE_OK)
		code = read_key(c->args.words[2], key);
	if (code != CODE_OK || (code = accounts_open(&line, c)) != CODE_OK)
		return code;
	strcpy(m.u.account_cmd.arg, key);
	return accounts_change(&line, &m);
}

struct issued {
	char secret[256];
	uint8_t *file;
	size_t n;
};

static void
take(void *arg, const struct msg *m)
{
	struct issued *i = arg;

	if (m->type != MSG_ISSUED || i->file != NULL)
		return;
	strcpy(i->secret, m->u.issued.secret);
	i->n = m->u.issued.file.len;
	i->file = malloc(i->n + 1);
	if (i->file == NULL)
		abort();
	memcpy(i->file, m->u.issued.file.data, i->n);
}

static int
cannot_make(int error)
{
	return error == EEXIST ? CODE_EXISTS
	    : error == ENOENT  ? CODE_MISSING
	    : error == EACCES  ? CODE_DENIED
			       : CODE_TEMP;
}

/* A new file, for its owner only; made before there is anything to put in. */
static int
make_file(const char *path, int *fd)
{
	*fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return *fd != -1
	    ? CODE_OK
	    : output_fail(cannot_make(errno), "%s: %s", path, strerror(errno));
}

static int
finish(const struct ctl *c, const struct msg_account_cmd *cmd, int fd,
    const char *path, struct issued *i)
{
	if (write(fd, i->file, i->n) != (ssize_t)i->n || fsync(fd) == -1)
		return output_fail(CODE_TEMP,
		    "%s: not written; revoke the certificate and make another",
		    path);
	if (c->out.mode == OUTPUT_JSON)
		output_document(json_pack("{s:s, s:o, s:s, s:s}", "account",
		    cmd->account, "label", output_string(cmd->label), "file",
		    path, "password", i->secret));
	else
		printf("%s\n", i->secret);
	return CODE_OK;
}

int
cmd_certificate_issue(struct ctl *c)
{
	struct msg m = accounts_ask(CERTIFICATE_ISSUE);
	const char *path = args_flag(&c->args, "out");
	struct issued issued = { .n = 0 };
	struct msg_cmd_done done;
	struct daemon line;
	char name[400];
	int fd = -1, code = credential_ask(c, &m);

	if (code != CODE_OK)
		return code;
	if (path == NULL) {
		snprintf(name, sizeof(name), "%s.p12", m.u.account_cmd.account);
		path = name;
	}
	if ((code = accounts_open(&line, c)) != CODE_OK)
		return code;
	if ((code = make_file(path, &fd)) != CODE_OK) {
		daemon_close(&line);
		return code;
	}
	code = daemon_call(&line, &m, take, &issued, &done);
	daemon_close(&line);
	if (code == CODE_OK) {
		output_note("%s; the file is %s", done.text, path);
		code = finish(c, &m.u.account_cmd, fd, path, &issued);
	}
	if (code != CODE_OK)
		unlink(path);
	close(fd);
	if (issued.file != NULL)
		explicit_bzero(issued.file, issued.n);
	free(issued.file);
	explicit_bzero(&issued, sizeof(issued));
	return code;
}

int
cmd_certificate_list(struct ctl *c)
{
	return credential_list(c, CERTIFICATE_LIST, "no certificates");
}

int
cmd_certificate_revoke(struct ctl *c)
{
	return credential_revoke(c, CERTIFICATE_REVOKE);
}
