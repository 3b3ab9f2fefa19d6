"""
Exim as a submission server that queues first (its fastest way to a 250, and a
durable one) and delivers by a queue runner every two seconds.
"""

import os
import shutil
import subprocess

from peer import Peer

PROGRAMS = ("/usr/sbin/exim4", "/usr/local/lib/postern-tests/exim4")

CONF = """\
exim_path = {program}
exim_user = nobody
exim_group = nogroup
never_users =
deliver_drop_privilege = true
spool_directory = {dir}/spool
log_file_path = {dir}/log/%slog
pid_file_path = {dir}/pid
primary_hostname = mail.example.org
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port587} : {port465}
tls_on_connect_ports = {port465}
tls_advertise_hosts = *
tls_certificate = {dir}/cert.pem
tls_privatekey = {dir}/key.pem
keep_environment = LD_PRELOAD : SLOW_SYNC_US
acl_smtp_rcpt = rcpt
host_lookup =
rfc1413_hosts =
smtp_accept_max = 2500
smtp_accept_max_per_host = 0
smtp_accept_queue_per_connection = 0
smtp_accept_max_nonmail = 100000
smtp_connect_backlog = 4096
message_size_limit = 110M
recipients_max = 50000
remote_max_parallel = 20
queue_run_max = 10
split_spool_directory = true
queue_only = true
log_selector = -queue_run
begin acl
rcpt:
  accept authenticated = *
  deny message = authentication required
begin routers
relay:
  driver = manualroute
  route_list = * 127.0.0.1
  self = send
  transport = relay
  no_more
begin transports
relay:
  driver = smtp
  port = {relay}
  hosts_avoid_tls = *
  max_rcpt = 1000
  connection_max_messages = 500
begin retry
* * F,2h,15m
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${{if crypteq{{$auth3}}{{${{lookup{{$auth2}}lsearch{{{dir}/users}}{{$value}}{{*}}}}}}}}
  server_set_id = $auth2
  server_prompts = :
  server_advertise_condition = ${{if def:tls_in_cipher}}
"""


class Exim(Peer):
    name = "exim-queue"
    program = next(filter(os.path.exists, PROGRAMS), None)

    def set_up(self):
        for name in ("spool", "log"):
            os.mkdir(self.path(name))
            shutil.chown(self.path(name), "nobody")
        shutil.chown(self.path("key.pem"), "nobody")
        word = self.hashed()
        self.write("users", "".join(f"{account}: {word}\n"
                                    for account in self.accounts),
                   0o600, "nobody")
        self.write("conf", CONF.format(program=self.program, **{
            k: v for k, v in vars(self).items() if k != "program"}))

    def command(self):
        return [self.program, "-C", self.path("conf"), "-bd", "-q2s"]

    def flush(self):
        subprocess.Popen([self.program, "-C", self.path("conf"), "-qff"],
                         stdin=subprocess.DEVNULL).wait()

    def queued(self):
        return sum(name.endswith("-H") for _, _, files in
                   os.walk(self.path("spool", "input")) for name in files)
