/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * As much of UEFI as the probe uses, written from the specification (UEFI 2.10). Services that it
 * does not call are only there as places in their table.
 */
#ifndef EFI_H
#define EFI_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef __UINTPTR_TYPE__ uintn;
typedef uintn efi_status;
typedef void *efi_handle;

#define NULL ((void *)0)
#define ERROR_BIT ((efi_status)1 << (sizeof(efi_status) * 8 - 1))
#define BUFFER_TOO_SMALL (ERROR_BIT | 5)
#define LOADER_DATA 2     /* section 7.2.1, EFI_MEMORY_TYPE */
#define ALLOCATE_ANY 0

enum reset { RESET_COLD, RESET_WARM, RESET_SHUTDOWN }; /* section 8.5.1 */

struct guid {
	u32 a;
	u16 b, c;
	u8 d[8];
};

struct table_header { /* section 4.2.1 */
	u64 signature;
	u32 revision;
	u32 size;
	u32 crc;
	u32 reserved;
};

struct text_output { /* section 12.4.1 */
	void *reset;
	efi_status (*output_string)(struct text_output *self, const u16 *text);
};

struct path_node { /* section 10.3.1 */
	u8 type;
	u8 subtype;
	u8 length[2];
};

struct loaded_image { /* section 9.1.1 */
	u32 revision;
	efi_handle parent;
	void *system_table;
	efi_handle device;
	struct path_node *file_path;
	void *reserved;
	u32 options_size;
	void *options;
};

struct path_to_text { /* section 10.6.2 */
	void *node_to_text;
	u16 *(*path_to_text)(const struct path_node *path, u8 display_only, u8 shortcuts);
};

struct load_file2 { /* section 13.2.1 */
	efi_status (*load_file)(struct load_file2 *self, struct path_node *path, u8 boot_policy,
				uintn *size, void *buffer);
};

struct boot_services { /* section 4.4.1 */
	struct table_header header;
	void *task_priority[2];
	efi_status (*allocate_pages)(u32 how, u32 type, uintn pages, u64 *address);
	efi_status (*free_pages)(u64 address, uintn pages);
	void *memory[3];
	void *events[6];
	void *protocol_handlers[3];
	efi_status (*handle_protocol)(efi_handle handle, const struct guid *protocol, void **found);
	void *reserved;
	void *notify_and_locate[2];
	efi_status (*locate_device_path)(const struct guid *protocol, struct path_node **path,
					 efi_handle *handle);
	void *install_table;
	void *images[5];
	void *count_and_stall[2];
	efi_status (*set_watchdog)(uintn seconds, u64 code, uintn size, const u16 *text);
	void *controllers[2];
	void *open_protocol[3];
	void *handles[2];
	efi_status (*locate_protocol)(const struct guid *protocol, void *registration,
				      void **found);
};

struct runtime_services { /* section 4.5.1 */
	struct table_header header;
	void *time[4];
	void *virtual_memory[2];
	efi_status (*get_variable)(const u16 *name, const struct guid *vendor, u32 *attributes,
				   uintn *size, void *data);
	void *other_variables[3];
	void (*reset_system)(enum reset kind, efi_status status, uintn size, void *data);
};

struct configuration_table { /* section 4.6 */
	struct guid vendor;
	void *table;
};

struct system_table { /* section 4.3.1 */
	struct table_header header;
	const u16 *firmware_vendor;
	u32 firmware_revision;
	efi_handle input_handle;
	void *input;
	efi_handle output_handle;
	struct text_output *output;
	efi_handle error_handle;
	void *error;
	struct runtime_services *runtime;
	struct boot_services *boot;
	uintn tables;
	struct configuration_table *table;
};

#endif
