"""What is in the memory of another process; for root."""


def mappings(pid):
    """(start, end, permissions, flags) of each; flags as smaps has them."""
    found = []
    with open(f"/proc/{pid}/smaps") as smaps:
        for line in smaps:
            words = line.split()
            if words[0] == "VmFlags:":
                found[-1][3].update(words[1:])
            elif "-" in words[0] and not words[0].endswith(":"):
                start, end = (int(x, 16) for x in words[0].split("-"))
                found.append((start, end, words[1], set()))
    return found


def find(pid, needle):
    """The flags of each writable mapping that holds these octets, as they
    are or in the order of a little-endian number."""
    found = []
    with open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for start, end, permissions, flags in mappings(pid):
            # Over that it is a sanitizer's own.
            if not permissions.startswith("rw") or end - start > 1 << 30:
                continue
            try:
                mem.seek(start)
                data = mem.read(end - start)
            except (OSError, ValueError, OverflowError):
                continue
            if needle in data or needle[::-1] in data:
                found.append(flags)
    return found
