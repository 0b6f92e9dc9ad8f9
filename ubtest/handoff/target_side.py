"""What the kernel shows of what it was handed, as the files of a survey."""

import io
import tarfile

from ubtest.errors import CaseError
from ubtest.handoff.survey import Shell, Survey

# Folders that are copied whole, and files out of folders
FOLDERS = ("/sys/firmware/dmi/tables", "/sys/firmware/efi/efivars", "/sys/firmware/efi/esrt")
FILES = (
    "/proc/iomem",
    "/proc/sys/net/core/bpf_jit_enable",
    "/sys/firmware/efi/fw_platform_size",
)
IN_EACH = (
    ("/sys/bus/pci/devices", "config resource"),
    ("/sys/class/rtc", "name"),
)
RT_PROPERTIES = "efi/rt-properties"  # the table's eight bytes, as a number
PLATFORM = "efi/platform"  # devices that the kernel made for the firmware's services
CARDS = "net/modules"  # network cards of PCI, each with the module that would drive it

# Files of sysfs lie about their size, so they are copied before they are packed
_SCRIPT = "; ".join(
    [
        # A root file system may be read-only, and /tmp on it
        "for t in /tmp /run /dev/shm; do D=$t/ubtest-handed; rm -rf $D; mkdir $D && break; done",
        "mkdir -p $D/efi $D/net"
        + "".join(f" $D{path.rpartition('/')[0]}" for path in (*FOLDERS, *FILES)),
        *(f"cp -r {path} $D{path}" for path in FOLDERS),
        *(f"cp {path} $D{path}" for path in FILES),
        *(
            f"for d in {home}/*; do mkdir -p $D$d && cd $d && cp {names} $D$d; done"
            for home, names in IN_EACH
        ),
        "A=$(dmesg | sed -n 's/.* RTPROP=\\(0x[0-9a-f]*\\).*/\\1/p')",
        f'[ "$A" ] && devmem $A 64 > $D/{RT_PROPERTIES}',
        f"ls -d /sys/devices/platform/*efi* > $D/{PLATFORM}",
        "for d in /sys/bus/pci/devices/*; do case $(cat $d/class) in 0x02*) "
        f"echo ${{d##*/}} $(modprobe -D $(cat $d/modalias) | tail -n 1) >> $D/{CARDS};; esac; done",
        "cd $D && tar c . | gzip -c",
        "rm -rf $D",
    ]
)


def gather(shell: Shell) -> Survey:
    """All of it by its path without the first slash, and what :meth:`Survey.gather` takes.

    :raises CaseError: the target's shell gave something else.
    """
    survey = Survey.gather(shell)
    said = shell.run(f"{{ {_SCRIPT}; }} 2>/dev/null", 60).output
    try:
        with tarfile.open(fileobj=io.BytesIO(said), mode="r:gz") as archive:
            files = {each.name: archive.extractfile(each) for each in archive if each.isfile()}
            found = {name.removeprefix("./"): file.read() for name, file in files.items() if file}
    except (tarfile.TarError, OSError, EOFError) as error:
        raise CaseError(
            f"the target's shell gave no files: {said[:80]!r}",
            next_step="it needs a root shell with cp, gzip, mkdir, tar, and room in /tmp or /run",
        ) from error
    return Survey({**survey.files, **found})
