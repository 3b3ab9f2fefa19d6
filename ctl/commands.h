/*
 * commands.h - every command there is.  This one table is dispatch, help,
 * completion, and the synopsis and the command list of postern(1).
 */
#ifndef CTL_COMMANDS_H
#define CTL_COMMANDS_H

#include "ctl/args.h"
#include "lib/conf.h"

/* Ends with a NULL noun; rows of one noun stand together. */
extern const struct command commands[];

/* Flags that every command has. */
extern const struct flag common_flags[];

/* Read the command line and run it; the exit status of the program. */
int commands_run(int argc, char **argv);

/* The handlers, each in its cmd_*.c. */
int cmd_init(struct ctl *);
int cmd_serve(struct ctl *);
int cmd_status(struct ctl *);
int cmd_relay_test(struct ctl *);
/* relay-test --abuse: the forms of check relay against the TARGET. */
int cmd_relay_abuse(struct ctl *);
int cmd_check_client(struct ctl *);
int cmd_check_relay(struct ctl *);
int cmd_check_sandbox(struct ctl *);
int cmd_check_store(struct ctl *);
int cmd_config_check(struct ctl *);
int cmd_config_show(struct ctl *);
int cmd_account_add(struct ctl *);
int cmd_account_list(struct ctl *);
int cmd_account_show(struct ctl *);
int cmd_account_passwd(struct ctl *);
int cmd_account_suspend(struct ctl *);
int cmd_account_resume(struct ctl *);
int cmd_account_remove(struct ctl *);
int cmd_account_test(struct ctl *);
int cmd_account_import(struct ctl *);
int cmd_account_export(struct ctl *);
int cmd_account_legacy(struct ctl *);
int cmd_account_logins(struct ctl *);
int cmd_certificate_add(struct ctl *);
int cmd_certificate_issue(struct ctl *);
int cmd_certificate_list(struct ctl *);
int cmd_certificate_revoke(struct ctl *);
int cmd_account_limits(struct ctl *);
int cmd_guard_explain(struct ctl *);
int cmd_app_password_add(struct ctl *);
int cmd_app_password_list(struct ctl *);
int cmd_app_password_revoke(struct ctl *);
int cmd_grant_add(struct ctl *);
int cmd_grant_list(struct ctl *);
int cmd_grant_remove(struct ctl *);
int cmd_grant_import(struct ctl *);
int cmd_dns(struct ctl *);
int cmd_dkim_add(struct ctl *);
int cmd_dkim_list(struct ctl *);
int cmd_dkim_rotate(struct ctl *);
int cmd_dkim_retire(struct ctl *);
int cmd_queue_list(struct ctl *);
int cmd_queue_show(struct ctl *);
int cmd_queue_shape(struct ctl *);
int cmd_queue_retry(struct ctl *);
int cmd_queue_hold(struct ctl *);
int cmd_queue_release(struct ctl *);
int cmd_queue_remove(struct ctl *);
int cmd_backup_create(struct ctl *);
int cmd_backup_verify(struct ctl *);
int cmd_backup_list(struct ctl *);
int cmd_restore(struct ctl *);
/* What is wrong with certificates and their keys, as the files are now, for the
 * errors of a configuration; returns how many. */
int tls_check(struct ctl *, conf_error_fn *, void *arg);
int cmd_tls_show(struct ctl *);
int cmd_tls_reload(struct ctl *);
int cmd_client_settings(struct ctl *);
int cmd_completion(struct ctl *);
int cmd_help(struct ctl *);
int cmd_log(struct ctl *);
int cmd_trace(struct ctl *);
int cmd_version(struct ctl *);

#endif
