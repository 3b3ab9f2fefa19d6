/*
 * qr.c - see qr.h.
 */
#include <qrcodegen/qrcodegen.h>

#include "ctl/qr.h"

#define QUIET 4 /* light modules around it, as readers expect */

bool
qr_draw(const char *text, bool color, FILE *f)
{
	/* Whether the upper and the lower module are light. */
	static const char *const half[2][2] = { { " ", "\xe2\x96\x84" },
		{ "\xe2\x96\x80", "\xe2\x96\x88" } };
	uint8_t qr[qrcodegen_BUFFER_LEN_MAX], spare[qrcodegen_BUFFER_LEN_MAX];
	int size;

	if (!qrcodegen_encodeText(text, spare, qr, qrcodegen_Ecc_LOW,
		qrcodegen_VERSION_MIN, qrcodegen_VERSION_MAX,
		qrcodegen_Mask_AUTO, true))
		return false;
	size = qrcodegen_getSize(qr);
	/* Outside of the code all modules are light to the library. */
	for (int y = -QUIET; y < size + QUIET; y += 2) {
		fputs(color ? "\033[97;40m" : "", f);
		for (int x = -QUIET; x < size + QUIET; x++)
			fputs(half[!qrcodegen_getModule(qr, x, y)]
				  [!qrcodegen_getModule(qr, x, y + 1)],
			    f);
		fputs(color ? "\033[0m\n" : "\n", f);
	}
	return true;
}
