// SPDX-License-Identifier: GPL-2.0-or-later
/* Collects the facts, then prints them in one go, so that no message gets in between. */

#include "line.h"

#define ROOM 32768
#define CHUNK 128

static const char digits[] = "0123456789abcdef";
static char line[ROOM];
static uintn used;

/* The loops below are memcpy() and memset() to a compiler, which calls them even freestanding */
void *memcpy(void *to, const void *from, uintn size)
{
	u8 *out = to;
	const u8 *in = from;

	while (size--)
		*(volatile u8 *)out++ = *in++;
	return to;
}

void *memset(void *to, int value, uintn size)
{
	u8 *out = to;

	while (size--)
		*(volatile u8 *)out++ = value;
	return to;
}

/* CRC-32 of zlib, four bits at a time: an initrd has many megabytes, and QEMU is slow */
u32 crc32(u32 crc, const void *data, uintn size)
{
	static u32 table[16];
	const u8 *in = data;
	u32 n, bit;

	if (!table[1])
		for (n = 0; n < 16; n++) {
			table[n] = n;
			for (bit = 0; bit < 4; bit++)
				table[n] = table[n] >> 1 ^ (table[n] & 1 ? 0xedb88320 : 0);
		}
	crc = ~crc;
	while (size--) {
		crc ^= *in++;
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

/* A line that does not fit stays without its last characters, and its length tells */
static void put(char letter)
{
	if (used < ROOM)
		line[used] = letter;
	used++;
}

static void put_hex(u64 value, int width)
{
	while (width--)
		put(digits[value >> 4 * width & 15]);
}

void line_name(const char *name)
{
	if (used)
		put(';');
	line_word(name);
	put('=');
}

void line_word(const char *text)
{
	while (*text)
		put(*text++);
}

static int is_plain(u16 letter)
{
	return letter > ' ' && letter < 0x7f && letter != ';' && letter != '%' && letter != '{' &&
	       letter != '}' && letter != '[' && letter != ']';
}

void line_letters(const char *text)
{
	for (; *text; text++)
		put(is_plain(*text) ? *text : '?');
}

void line_text(const u16 *text)
{
	for (; *text; text++) {
		if (is_plain(*text)) {
			put(*text);
			continue;
		}
		put('%');
		put_hex(*text, 4);
	}
}

void line_number(u64 value)
{
	int width = 1;

	while (width < 16 && value >> 4 * width)
		width++;
	put_hex(value, width);
}

void line_bytes(const void *data, uintn size)
{
	const u8 *in = data;

	while (size--)
		put_hex(*in++, 2);
}

static void print(struct text_output *output, const char *text, uintn size)
{
	u16 wide[CHUNK + 1];
	uintn n;

	while (size) {
		for (n = 0; n < CHUNK && n < size; n++)
			wide[n] = text[n];
		wide[n] = 0;
		output->output_string(output, wide);
		text += n;
		size -= n;
	}
}

void line_print(struct text_output *output)
{
	uintn stored = used < ROOM ? used : ROOM, total = used;
	u32 crc = crc32(0, line, stored);

	print(output, "\r\n[UBTEST{", 10);
	print(output, line, stored);
	used = 0;
	put('}');
	line_number(total);
	put(':');
	put_hex(crc, 8);
	line_word("]\r\n");
	print(output, line, used);
	used = 0;
}
