// SPDX-License-Identifier: GPL-2.0-or-later
/* Resets a virtio-mmio device for vfio-platform: a zero into its status (virtio 1.1, 4.2.2). */

#include <linux/io.h>
#include <linux/module.h>

#include "../vfio_platform_private.h"

#define STATUS 0x70

static int reset_virtio_mmio(struct vfio_platform_device *vdev)
{
	struct vfio_platform_region *registers = &vdev->regions[0];

	if (!registers->ioaddr)
		registers->ioaddr = ioremap(registers->addr, registers->size);
	if (!registers->ioaddr)
		return -ENOMEM;
	writel(0, registers->ioaddr + STATUS);
	return 0;
}

module_vfio_reset_handler("virtio,mmio", reset_virtio_mmio);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Reset of virtio-mmio for vfio-platform");
