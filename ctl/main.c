/*
 * main.c - postern, what people type.
 */
#include <locale.h>
#include <sys/resource.h>

#include "ctl/commands.h"
#include "ctl/wipe.h"

int
main(int argc, char **argv)
{
	/* Passwords are typed here. */
	wipe_json();
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	setlocale(LC_CTYPE, "");
	return commands_run(argc, argv);
}
