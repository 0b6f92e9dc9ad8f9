"""Debian's Xen for arm64 and what its first domain, dom0, needs beside the kernel."""

from pathlib import Path

from ubtest.errors import CaseError
from ubtest.kernel import rootfs
from ubtest.kernel.bundle import KernelBundle
from ubtest.kernel.module_table import WANTED
from ubtest.kernel.modules import ModuleTree, entries
from ubtest.kernel.overlay import with_files

ROOT = "xen"  # of `ubtest kernel rootfs`: xl, and the hypervisor beside it
EFI = "xen-4.17-arm64.efi"
XL = "/usr/lib/xen-4.17/bin/xl"
# /proc/xen with the name of the domain, the calls that xl makes, events for xl
MODULES = ("xenfs", "xen-privcmd", "xen-evtchn")


def hypervisor() -> Path:
    """Xen as an EFI application.

    :raises HostError: it is not in the cache; names the command that fetches it.
    """
    return rootfs.find(ROOT).kept(EFI)


def dom0(kernel: KernelBundle, path: Path) -> KernelBundle:
    """The same kernel with Xen's modules in its initramfs.

    :param path: where the longer initramfs goes.
    :raises CaseError: the kernel cannot be dom0.
    """
    tree = ModuleTree(kernel.modules)
    if kernel.config.get("XEN") != "y" or tree.absent(MODULES):
        raise CaseError(
            f"Linux {kernel.release} is built without Xen",
            next_step="take Debian's, or set CONFIG_XEN, CONFIG_XENFS and CONFIG_XEN_PRIVCMD",
        )
    there = [each.name for each in WANTED]
    packed = {f"lib/modules/{tree.release}/{each.path}" for each in tree.closure(there)}
    # modprobe's lists replace those of the initramfs, so they name all modules
    both = entries(tree, tree.closure([*there, *MODULES]))
    return with_files(kernel, (each for each in both if each.path not in packed), path)


def configuration(options: str, kernel: str, arguments: str, ramdisk: str) -> str:
    """A xen.cfg (Xen's docs/misc/efi.pandoc).

    :param options: the hypervisor's own, such as ``dom0_mem=512M``.
    :param kernel: dom0's, as a file beside Xen's.
    :param arguments: the kernel's.
    """
    lines = (
        "[global]",
        "default=xen",
        "[xen]",
        f"options={options}",
        f"kernel={kernel} {arguments}",
        f"ramdisk={ramdisk}",
    )
    return "".join(f"{line}\n" for line in lines)
