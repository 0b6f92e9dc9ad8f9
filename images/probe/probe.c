// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The boot probe: says in one line how it was booted, then ends as it was told.
 *
 * A fact that the firmware does not have is left out.
 */

#include "line.h"
#include "orders.h"

#define VALUE_ROOM 1024
#define PATH_ROOM 4096
#define OPTIONS_ROOM 4096
#define TABLES_ROOM 64
#define PAGE 4096

#if defined(__aarch64__)
#define ARCH "aa64"
#elif defined(__x86_64__)
#define ARCH "x64"
#elif defined(__arm__)
#define ARCH "arm"
#endif

static const struct guid global_variable = {
	0x8be4df61, 0x93ca, 0x11d2, { 0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c }
};
static const struct guid loaded_image_protocol = {
	0x5b1b31a1, 0x9562, 0x11d2, { 0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b }
};
static const struct guid loaded_image_path_protocol = {
	0xbc62157e, 0x3e33, 0x4fec, { 0x99, 0x20, 0x2d, 0x3b, 0x36, 0xd7, 0x50, 0xdf }
};
static const struct guid device_path_protocol = {
	0x09576e91, 0x6d3f, 0x11d2, { 0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b }
};
static const struct guid path_to_text_protocol = {
	0x8b843e20, 0x8132, 0x4852, { 0x90, 0xcc, 0x55, 0x1a, 0x4e, 0x4a, 0x7f, 0x1c }
};
static const struct guid load_file2_protocol = {
	0x4006c0c1, 0xfcb3, 0x403e, { 0x99, 0x6d, 0x4a, 0x6c, 0x87, 0x24, 0xe0, 0x6d }
};

/* Where Linux looks for its initrd: a vendor's media node of this GUID, and the end */
static struct {
	struct path_node vendor;
	struct guid guid;
	struct path_node end;
} initrd_path = {
	{ 4, 3, { 20, 0 } },
	{ 0x5568e427, 0x68fc, 0x4f3d, { 0xac, 0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68 } },
	{ 0x7f, 0xff, { 4, 0 } },
};

static struct boot_services *boot;

static void *protocol(efi_handle handle, const struct guid *which)
{
	void *found;

	return handle && !boot->handle_protocol(handle, which, &found) ? found : NULL;
}

/* With the end node; a path that never ends is cut */
static uintn path_size(const struct path_node *path)
{
	const u8 *at = (const u8 *)path;
	uintn size = 0, length;

	while (size < PATH_ROOM) {
		path = (const struct path_node *)(at + size);
		length = path->length[0] | path->length[1] << 8;
		if (length < sizeof(*path))
			break;
		size += length;
		if (path->type == 0x7f && path->subtype == 0xff)
			break;
	}
	return size;
}

static void say_path(const char *name, const struct path_node *path)
{
	if (!path)
		return;
	line_name(name);
	line_bytes(path, path_size(path));
}

static void say_path_text(const char *name, const struct path_node *path)
{
	struct path_to_text *converter;
	u16 *text;

	if (!path || boot->locate_protocol(&path_to_text_protocol, NULL, (void **)&converter))
		return;
	text = converter->path_to_text(path, 0, 0);
	if (!text)
		return;
	line_name(name);
	line_text(text);
}

static void say_variable(struct runtime_services *runtime, const char *name)
{
	u16 wide[32];
	u8 value[VALUE_ROOM];
	uintn size = sizeof(value), n;
	u32 attributes;

	for (n = 0; name[n] && n < 31; n++)
		wide[n] = name[n];
	wide[n] = 0;
	if (runtime->get_variable(wide, &global_variable, &attributes, &size, value))
		return;
	line_name(name);
	line_bytes(value, size);
}

static void say_variables(struct runtime_services *runtime)
{
	static const char *const names[] = {
		"BootCurrent", "BootOrder", "BootNext", "SecureBoot", "SetupMode",
		"AuditMode", "DeployedMode", "VendorKeys", "OsIndicationsSupported",
	};
	uintn n;

	for (n = 0; n < sizeof(names) / sizeof(*names); n++)
		say_variable(runtime, names[n]);
}

static void say_tables(const struct system_table *system)
{
	uintn n;

	line_name("tables");
	for (n = 0; n < system->tables && n < TABLES_ROOM; n++) {
		if (n)
			line_word(",");
		line_bytes(&system->table[n].vendor, sizeof(struct guid));
	}
}

static void say_image(efi_handle image, const struct loaded_image *loaded)
{
	const struct path_node *whole = protocol(image, &loaded_image_path_protocol);
	uintn size = loaded->options ? loaded->options_size : 0;

	say_path("device", protocol(loaded->device, &device_path_protocol));
	say_path("file", loaded->file_path);
	say_path("path", whole);
	say_path_text("text", whole);
	line_name("options");
	line_bytes(loaded->options, size < OPTIONS_ROOM ? size : OPTIONS_ROOM);
	line_name("options-size");
	line_number(size);
}

/* As Linux does: ask for the size, then for the content */
static void say_initrd(void)
{
	struct path_node *path = &initrd_path.vendor;
	struct load_file2 *loader;
	efi_handle handle;
	efi_status status;
	uintn size = 0;
	u64 address;

	if (boot->locate_device_path(&load_file2_protocol, &path, &handle))
		return;
	loader = protocol(handle, &load_file2_protocol);
	if (!loader)
		return;
	status = loader->load_file(loader, path, 0, &size, NULL);
	if (status == BUFFER_TOO_SMALL &&
	    !boot->allocate_pages(ALLOCATE_ANY, LOADER_DATA, (size + PAGE - 1) / PAGE, &address)) {
		void *buffer = (void *)(uintn)address;

		status = loader->load_file(loader, path, 0, &size, buffer);
		if (!status) {
			line_name("initrd");
			line_number(size);
			line_word(":");
			line_number(crc32(0, buffer, size));
		}
		boot->free_pages(address, (size + PAGE - 1) / PAGE);
	}
	if (status) {
		line_name("initrd-error");
		line_number(status);
	}
}

static void say_ending(const struct orders *orders)
{
	static const char *const resets[] = { "cold", "warm", "shutdown" };

	line_name("ending");
	if (orders->ending == RETURN) {
		line_word("exit:");
		line_number(orders->exit);
	} else if (orders->ending == RESET) {
		line_word("reset:");
		line_word(resets[orders->reset]);
	} else {
		line_word("hang");
	}
}

efi_status efi_main(efi_handle image, struct system_table *system)
{
	const struct loaded_image *loaded;
	struct orders orders = { 0 };

	boot = system->boot;
	loaded = protocol(image, &loaded_image_protocol);
	orders_of_slot(&orders);
	if (loaded && loaded->options)
		orders_of_options(&orders, loaded->options, loaded->options_size);

	line_name("version");
	line_word("1");
	line_name("arch");
	line_word(ARCH);
	line_name("nonce");
	line_letters(orders.nonce);
	if (loaded)
		say_image(image, loaded);
	say_variables(system->runtime);
	say_tables(system);
	say_initrd();
	line_name("vendor");
	line_text(system->firmware_vendor);
	line_name("vendor-revision");
	line_number(system->firmware_revision);
	line_name("uefi-revision");
	line_number(system->header.revision);
	say_ending(&orders);
	line_print(system->output);

	if (orders.ending == RESET)
		system->runtime->reset_system(orders.reset, orders.exit, 0, NULL);
	if (orders.ending == HANG)
		boot->set_watchdog(0, 0, 0, NULL);
	while (orders.ending != RETURN)
		;
	return orders.exit;
}
