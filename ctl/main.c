/*
 * main.c - postern, what people type.
 */
#include <locale.h>

#include "ctl/commands.h"

int
main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "");
	return commands_run(argc, argv);
}
