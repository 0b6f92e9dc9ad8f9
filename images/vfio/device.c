// SPDX-License-Identifier: GPL-2.0-or-later
/* The device behind its file: what it has, what it is, its interrupts, its DMA. */

#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "step.h"

/* Of a PCI device: its identity from config space, decoding switched on, a word of each BAR */
static uint32_t identify(int fd, uint64_t config, struct registers *bar, unsigned int bars)
{
	struct registers space = { fd, config };
	uint32_t id = get(&space, PCI_VENDOR_ID);
	uint16_t command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	unsigned int n;

	step("read config space", id == 0xffffffff ? -1 : 0, ",\"id\":\"%04x:%04x\"", id & 0xffff,
	     id >> 16);
	if (pwrite(fd, &command, 2, config + PCI_COMMAND) != 2)
		step("enable device", -1, NULL);
	for (n = 0; n < bars; n++)
		if (bar[n].fd >= 0) {
			uint32_t word;
			int rc = pread(fd, &word, 4, bar[n].offset) == 4 ? 0 : -1;

			step("read BAR", rc, ",\"bar\":%u,\"word\":\"0x%08x\"", n, rc ? 0 : word);
		}
	return id;
}

void use(int fd, uint8_t *out, uint8_t *in)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	struct registers bar[6], first = { -1, 0 };
	uint64_t config = 0;
	uint32_t id = 0;
	unsigned int n, pci, virtio;

	if (step("VFIO_DEVICE_GET_INFO", ioctl(fd, VFIO_DEVICE_GET_INFO, &info),
		 ",\"flags\":%u,\"regions\":%u,\"irqs\":%u", info.flags, info.num_regions,
		 info.num_irqs) < 0)
		return;
	pci = info.flags & VFIO_DEVICE_FLAGS_PCI;
	memset(bar, -1, sizeof(bar));
	for (n = 0; n < info.num_regions; n++) {
		struct vfio_region_info region = { .argsz = sizeof(region), .index = n };
		int rc = ioctl(fd, VFIO_DEVICE_GET_REGION_INFO, &region);

		if (rc && errno == EINVAL && pci && n > VFIO_PCI_CONFIG_REGION_INDEX)
			continue;       /* VGA, which hardly any device has */
		step("VFIO_DEVICE_GET_REGION_INFO", rc, ",\"index\":%u,\"size\":%llu,\"flags\":%u", n,
		     rc ? 0 : (unsigned long long)region.size, rc ? 0 : region.flags);
		if (!rc && pci && n == VFIO_PCI_CONFIG_REGION_INDEX)
			config = region.offset;
		if (!rc && pci && n < 6 && region.size && region.flags & VFIO_REGION_INFO_FLAG_MMAP)
			bar[n] = (struct registers){ fd, region.offset };
		if (!rc && !pci && !n && region.size)
			first = (struct registers){ fd, region.offset };
	}
	if (info.flags & VFIO_DEVICE_FLAGS_RESET)
		step("VFIO_DEVICE_RESET", ioctl(fd, VFIO_DEVICE_RESET), NULL);
	if (config)
		id = identify(fd, config, bar, 6);
	virtio = first.fd >= 0 && is_virtio_mmio(&first);
	if (virtio && info.flags & VFIO_DEVICE_FLAGS_RESET)
		virtio_mmio_reset(&first);
	irqs(fd, info.num_irqs, pci, id == EDU ? &bar[0] : NULL,
	     virtio && virtio_mmio_patience() ? &first : NULL);
	if (id != EDU)
		not_proven("dma", "only QEMU's edu moves data when asked");
	else if (!out || !in)
		not_proven("dma", "no memory is mapped");
	else
		edu_dma(&bar[0], out, in);
}
