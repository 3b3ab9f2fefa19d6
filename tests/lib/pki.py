"""Certificates for tests: an authority, and what it and others signed."""

import hashlib
import os
import subprocess


def openssl(*words, data=None):
    return subprocess.run(["openssl", *words], input=data or b"", check=True,
                          stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout


class Pki:
    """
    An authority in a directory; `roots` is its certificate as PEM.

    issue(name) makes a PEM file with key, certificate and the authority's own
    certificate (which a DANE-TA(2) server must send).
    """

    def __init__(self, folder):
        self.dir = folder
        os.makedirs(os.path.join(folder, "new"), exist_ok=True)
        self.roots = self.path("ca.pem")
        self.key = self.path("ca.key")
        self.write("index", "")
        self.write("serial", "1000\n")
        self.write("conf", "[ca]\ndefault_ca=d\n[d]\n"
                   f"database={self.path('index')}\n"
                   f"serial={self.path('serial')}\n"
                   f"new_certs_dir={self.path('new')}\n"
                   f"certificate={self.roots}\nprivate_key={self.key}\n"
                   "default_md=sha256\npolicy=p\nunique_subject=no\n"
                   "copy_extensions=copy\n[p]\ncommonName=supplied\n"
                   "[req]\ndistinguished_name=n\n[n]\n")
        self.make(self.key, self.roots, "Test authority", "-x509", "-days",
                  "30", "-addext", "basicConstraints=critical,CA:true")

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text):
        with open(self.path(name), "w") as f:
            f.write(text)

    @staticmethod
    def make(key, out, name, *more):
        openssl("req", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                f"/CN={name}", "-keyout", key, "-out", out, *more)

    def issue(self, name, expired=False, own=False, names=()):
        """own: signed by itself, not by the authority; names: all of them."""
        base = self.path(f"{name.replace('*', '_')}"
                         f"{'-old' * expired}{'-own' * own}")
        pem = base + ".pem"
        if os.path.exists(pem):
            return pem
        san = ["-addext", "subjectAltName="
               + ",".join(f"DNS:{n}" for n in names or [name])]
        if own:
            self.make(base + ".key", base + ".crt", name[:60], "-x509",
                      "-days", "30", *san)
        else:
            self.make(base + ".key", base + ".csr", name[:60], *san)
            dates = ["-startdate", "20200101000000Z", "-enddate",
                     "20210101000000Z"] if expired else ["-days", "30"]
            openssl("ca", "-batch", "-config", self.path("conf"), "-notext",
                    "-in", base + ".csr", "-out", base + ".crt", *dates)
        with open(pem, "w") as out:
            for part in (base + ".key", base + ".crt",
                         *([] if own else [self.roots])):
                with open(part) as f:
                    out.write(f.read())
        return pem


def der(pem):
    """The first certificate of a PEM file."""
    return openssl("x509", "-in", pem, "-outform", "der")


def spki(pem):
    key = openssl("x509", "-in", pem, "-pubkey", "-noout")
    return openssl("pkey", "-pubin", "-outform", "der", data=key)


def tlsa(usage, selector, matching, pem):
    """The data of a TLSA record for the first certificate of a PEM file."""
    data = spki(pem) if selector else der(pem)
    if matching:
        data = (hashlib.sha512 if matching == 2 else hashlib.sha256)(
            data).digest()
    return f"{usage} {selector} {matching} {data.hex()}"
