// SPDX-License-Identifier: GPL-2.0-or-later

#include "orders.h"

#define WORDS_ROOM 256

/* volatile: the compiler must not know what stands there, ubtest overwrites it */
static volatile struct {
	char mark[16];
	char words[WORDS_ROOM];
} slot = { { 'U', 'B', 'T', 'E', 'S', 'T', ' ', 'O', 'R', 'D', 'E', 'R', 'S', ':', ' ', ' ' }, "" };

/* The value of a word that starts so, or nothing */
static const char *after(const char *word, const char *start)
{
	while (*start)
		if (*word++ != *start++)
			return NULL;
	return word;
}

static u64 number(const char *text)
{
	u64 value = 0;

	for (; *text; text++) {
		if (*text >= '0' && *text <= '9')
			value = value << 4 | (*text - '0');
		else if (*text >= 'a' && *text <= 'f')
			value = value << 4 | (*text - 'a' + 10);
	}
	return value;
}

/* Statuses are written as 64-bit firmware has them; the bit for errors is always the highest one */
static efi_status status(u64 value)
{
	return (efi_status)(value & ~(1ull << 63)) | (value >> 63 ? ERROR_BIT : 0);
}

static void obey(struct orders *orders, const char *word)
{
	const char *value;
	int n;

	if ((value = after(word, "nonce="))) {
		for (n = 0; n < NONCE_ROOM - 1 && value[n]; n++)
			orders->nonce[n] = value[n];
		orders->nonce[n] = 0;
	} else if ((value = after(word, "exit="))) {
		orders->exit = status(number(value));
		orders->ending = RETURN;
	} else if ((value = after(word, "reset="))) {
		orders->ending = RESET;
		orders->reset = *value == 'c' ? RESET_COLD :
				*value == 'w' ? RESET_WARM : RESET_SHUTDOWN;
	} else if (after(word, "hang=")) {
		orders->ending = HANG;
	}
}

static int is_letter(char letter)
{
	return letter > ' ' && letter < 0x7f;
}

static void obey_all(struct orders *orders, char *words)
{
	char *end;
	int more;

	for (; *words; words = end + more) {
		for (end = words; is_letter(*end); end++)
			;
		more = *end != 0;
		*end = 0;
		obey(orders, words);
	}
}

void orders_of_slot(struct orders *orders)
{
	char words[WORDS_ROOM];
	int n;

	for (n = 0; n < WORDS_ROOM - 1; n++)
		words[n] = slot.words[n];
	words[n] = 0;
	obey_all(orders, words);
}

void orders_of_options(struct orders *orders, const void *options, uintn size)
{
	char words[WORDS_ROOM];
	const u8 *in = options;
	int wide = size > 1 && !in[1], n = 0;
	uintn at;

	for (at = 0; at < size && n < WORDS_ROOM - 1; at += wide ? 2 : 1)
		words[n++] = in[at] ? in[at] : ' ';
	words[n] = 0;
	obey_all(orders, words);
}
