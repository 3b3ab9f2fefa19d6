"""
Postfix as a submission server: tuned for rate, and durable, which it is by
default.  Passwords by Dovecot (SHA512-crypt, as Debian hashes them) or, faster
than one should, in plain text by Cyrus SASL's sasldb.
"""

import os
import shutil
import subprocess

from postern import PASSWORD, TOP
from tap import wait

from peer import Peer

MAIN = """\
compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {dir}/log
maillog_file_prefixes = {dir}
import_environment = MAIL_CONFIG MAIL_LOGTAG TZ LANG=C {environment}
myhostname = mail.example.org
mydestination =
mynetworks = 127.0.0.1/32
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
relayhost = [127.0.0.1]:{relay}
smtp_tls_security_level = none
smtpd_tls_chain_files = {dir}/key.pem, {dir}/cert.pem
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
{sasl}
smtpd_recipient_restrictions = permit_sasl_authenticated, reject
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_peername_lookup = no
message_size_limit = 115343360
mailbox_size_limit = 0
in_flow_delay = 0
default_process_limit = 100
qmgr_message_active_limit = 50000
qmgr_message_recipient_limit = 60000
default_destination_concurrency_limit = 50
initial_destination_concurrency = 20
default_destination_recipient_limit = 1000
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_hard_error_limit = 1000
minimal_backoff_time = 300s
"""

MASTER = """\
127.0.0.1:{port587} inet n - n - 2500 smtpd -o smtpd_tls_security_level=encrypt
127.0.0.1:{port465} inet n - n - 2500 smtpd -o smtpd_tls_wrappermode=yes
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

DOVECOT = """\
protocols =
base_dir = {dir}/dovecot
state_dir = {dir}/dovecot
log_path = {dir}/dovecot.log
auth_mechanisms = plain login
ssl = no
service auth {{
  client_limit = 6000
  unix_listener {dir}/queue/private/auth {{
    mode = 0666
  }}
}}
service anvil {{
  client_limit = 6000
}}
passdb {{
  driver = passwd-file
  args = scheme=SHA512-CRYPT username_format=%u {dir}/users
}}
userdb {{
  driver = static
  args = uid=65534 gid=65534 home=/nonexistent
}}
"""


class Postfix(Peer):
    """What both have in common."""

    program = "/usr/sbin/postfix"

    def set_up(self):
        for name in ("conf", "conf/sasl", "queue", "data"):
            os.mkdir(self.path(name))
        shutil.chown(self.path("data"), "postfix")
        values = dict(vars(self), sasl=self.sasl(), environment=" ".join(
            f"{k}={v}" for k, v in self.environment().items()))
        self.write("conf/main.cf", MAIN.format(**values))
        self.write("conf/master.cf", MASTER.format(**values))
        self.postfix("check")
        self.passwords()

    def postfix(self, verb):
        subprocess.run([self.program, "-c", self.path("conf"), verb],
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=60)

    def start(self):
        pid = self.path("queue", "pid", "master.pid")
        if os.path.exists(pid):
            os.unlink(pid)
        super().start()

    def command(self):
        return [self.program, "-c", self.path("conf"), "start"]

    def flush(self):
        subprocess.run(["/usr/sbin/postqueue", "-c", self.path("conf"), "-f"],
                       stdin=subprocess.DEVNULL)

    def queued(self):
        return sum(len(files) for name in ("incoming", "active", "deferred")
                   for _, _, files in os.walk(self.path("queue", name)))


class PostfixSasldb(Postfix):
    name = "postfix-sasldb"

    @classmethod
    def installed(cls):
        return super().installed() and \
            os.path.exists("/usr/sbin/saslpasswd2")

    def sasl(self):
        return ("smtpd_sasl_type = cyrus\nsmtpd_sasl_path = smtpd\n"
                "smtpd_sasl_local_domain = bench.example")

    def passwords(self):
        users = self.path("conf/sasl/users")
        self.write("conf/sasl/smtpd.conf",
                   "pwcheck_method: auxprop\nauxprop_plugin: sasldb\n"
                   f"mech_list: PLAIN LOGIN\nsasldb_path: {users}\n")
        for account in self.accounts:
            name, _, realm = account.partition("@")
            subprocess.run(["/usr/sbin/saslpasswd2", "-p", "-c", "-u", realm,
                            "-f", users, name],
                           input=PASSWORD.encode() + b"\n", check=True)
        shutil.chown(users, "postfix")


class PostfixDovecot(Postfix):
    name = "postfix-dovecot"
    dovecot = "/usr/sbin/dovecot"

    @classmethod
    def installed(cls):
        return super().installed() and os.path.exists(cls.dovecot)

    def sasl(self):
        return "smtpd_sasl_type = dovecot\nsmtpd_sasl_path = private/auth"

    def passwords(self):
        word = self.hashed()
        self.write("users", "".join(f"{account}:{word}\n"
                                    for account in self.accounts),
                   0o640, "dovecot")
        self.write("dovecot.conf", DOVECOT.format(**vars(self)))

    def command(self):
        return ["/bin/sh", "-c", 'exec 3>&-; "$1" -c "$2" && exec "$3" -c "$4" '
                "start", "sh", self.dovecot, self.path("dovecot.conf"),
                self.program, self.path("conf")]

    def start(self):
        super().start()
        wait(lambda: os.path.exists(self.path("queue/private/auth")), 10,
             "dovecot answers")
