"""Words that tell a command from prose, and where it can only have been typed."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


UBOOT_COMMANDS = _words(
    """
    ? ELF acpi avb base bdi bdinfo blkcache blocklist bmp bootefi bootelf bootflow booti bootm
    bootmenu bootmeth bootp bootvx bootz bubt cat clk clocks cls cmp coninfo cp cpu crc32
    cyclic dcache dfu dhcp dm echo editenv eficonfig efidebug env erase exit ext2load ext2ls
    ext4load ext4ls ext4size ext4write false fastboot fatinfo fatload fatls fatmkdir fatrm
    fatsize fatwrite fdt flinfo for fstype fuse go gpio gpt gunzip gzwrite hab_status hash
    help hw_info i2c icache if iminfo imls imxtract itest lcputs led ln load loadb loads loadx
    loady log loop ls lzmadec md mdio memtester mii mm mmc mtd mtdparts mtest mvebu mw nand
    net nfs nm nvme panic part pci ping poweroff printenv protect pxe random read regulator
    reset rng run sata save saveenv sb scsi setenv setexpr sf showvar size sleep smbios source
    spi sysboot sysinfo test tftp tftpboot tftpput tlv_eeprom tpm tpm2 true ubi ubifsls
    ubifsmount ums unzip usb usbboot ut vbe version virtio wdt wget while write zip
    """
)

HOST_PROGRAMS = _words(
    """
    apt apt-get bitbake bmaptool cert-to-efi-sig-list curl docker dpkg-deb dtc efisiglist
    export git imx_uart kpartx losetup make mcopy meson mformat minicom mkeficapsule mkfs.ext4
    mkfs.fat mkfs.vfat mkimage mmd ninja openocd openssl parted picocom pip pytest python3
    qemu-img sbsign screen sfdisk sgdisk sign-efi-sig-list tio ts uuu wget
    """
)
"""What people run where they build; `dd`, `mount` and the like are found on targets as well."""

LINUX_PROGRAMS = _words(
    """
    acpidump awk bash busybox cat cd chmod chown cp dd devmem devmem2 dmesg dmidecode echo
    efibootmgr efivar env ethtool fdisk find flashcp for fw_printenv fw_setenv grep gzip head
    hexdump ifconfig insmod ip iperf iperf3 journalctl kexec kill ldd ls lsblk lshw lsmod
    lspci lsusb mkdir mmc modprobe mount mtd_debug mv od ping poweroff ps readlink reboot rm
    rmmod sed sh sort strings su sudo sync sysctl systemctl tail tar tee test time ulimit
    umount uname wc while xxd zcat
    """
)
