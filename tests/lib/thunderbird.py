"""
Thunderbird without a screen, over its Marionette port: its own modules write
and send the letter, its own dialogs are read and answered.
"""

import json
import os
import re
import socket
import subprocess
import time

START_S, SEND_S = 120, 300

# Nothing of this is about mail: no first-run pages, and no way to any host
# but this one.
PREFS = {
    "marionette.port": 0,
    "mail.provider.suppress_dialog_on_startup": True,
    "mail.spotlight.firstRunDone": True,
    "mail.winsearch.firstRunDone": True,
    "mail.shell.checkDefaultClient": False,
    "mail.rights.version": 1,
    "mailnews.start_page.enabled": False,
    "mailnews.start_page_override.mstone": "ignore",
    "datareporting.policy.dataSubmissionEnabled": False,
    "datareporting.healthreport.uploadEnabled": False,
    "toolkit.telemetry.server": "",
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
    "network.proxy.socks": "127.0.0.1",
    "network.proxy.socks_port": 9,
}

SCRIPT = r"""
const [box, letter] = arguments;
const said = [];
const { MailServices } =
    ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");

// What is asked twice is meant; a login that failed stays so.
function seen(dialog) {
    const { button0, button1, button2 } = dialog.Dialog.ui;
    const buttons = [button0, button2, button1].filter(b => b && !b.hidden);
    said.push(dialog.Dialog.args.text
        + buttons.map(b => " [" + b.label + "]").join(""));
    buttons[buttons.length == 3 ? 2 : 0].click();
}

async function trust(pem) {
    Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB)
        .addCertFromBase64(pem.replace(/-----[A-Z ]+-----|\s/g, ""), "C,,");
}

async function setUp() {
    const server = MailServices.outgoingServer.createServer("smtp")
        .QueryInterface(Ci.nsISmtpServer);
    server.hostname = box.host;
    server.port = box.port;
    server.username = box.user;
    server.authMethod = Ci.nsMsgAuthMethod.passwordCleartext;
    server.socketType = box.implicit ? Ci.nsMsgSocketType.SSL
        : Ci.nsMsgSocketType.alwaysSTARTTLS;
    const login = Cc["@mozilla.org/login-manager/loginInfo;1"]
        .createInstance(Ci.nsILoginInfo);
    const url = "smtp://" + box.host;
    login.init(url, null, url, box.user, box.password, "", "");
    await Services.logins.addLoginAsync(login);
    const identity = MailServices.accounts.createIdentity();
    identity.email = letter.sender;
    identity.smtpServerKey = server.key;
    identity.doFcc = false;
    const account = MailServices.accounts.createLocalMailAccount();
    account.addIdentity(identity);
    return [account, identity];
}

function attach(fields, path) {
    const file = Cc["@mozilla.org/file/local;1"].createInstance(Ci.nsIFile);
    file.initWithPath(path);
    const part = Cc["@mozilla.org/messengercompose/attachment;1"]
        .createInstance(Ci.nsIMsgAttachment);
    part.url = Services.io.newFileURI(file).spec;
    part.name = file.leafName;
    part.size = file.fileSize;
    fields.addAttachment(part);
}

async function send() {
    await trust(box.ca);
    const [account, identity] = await setUp();
    const fields = Cc["@mozilla.org/messengercompose/composefields;1"]
        .createInstance(Ci.nsIMsgCompFields);
    fields.from = letter.sender;
    fields.to = letter.to;
    fields.subject = letter.subject;
    fields.DSN = letter.dsn;
    if (letter.attachment)
        attach(fields, letter.attachment);
    await new Promise((resolve, reject) => {
        const listener = {
            QueryInterface: ChromeUtils.generateQI(["nsIMsgSendListener"]),
            onStartSending() {}, onProgress() {}, onStatus() {},
            onGetDraftFolderURI() {}, onSendNotPerformed() {},
            onTransportSecurityError(id, status, info) {
                said.push("certificate: " + info.errorCodeString);
            },
            onStopSending(id, status) {
                if (Components.isSuccessCode(status))
                    resolve();
                else
                    reject(new Error("status " + status.toString(16)));
            },
        };
        Cc["@mozilla.org/messengercompose/send;1"]
            .createInstance(Ci.nsIMsgSend).createAndSendMessage(
                null, identity, account.key, fields, false, false,
                Ci.nsIMsgSend.nsMsgDeliverNow, null, "text/plain",
                letter.text, null, null, listener, "", "",
                Ci.nsIMsgCompType.New).catch(reject);
    });
}

Services.obs.addObserver(seen, "common-dialog-loaded");
globalThis.result = null;
send().then(() => globalThis.result = { ok: true, said },
    error => globalThis.result = { ok: false, said, why: String(error) });
"""

# The last of its dialogs; it comes behind the news that there will be one.
FAILED = "Sending of the message failed."


class Thunderbird:
    """
    A Thunderbird with a new profile in home.  Marionette's protocol: octets, a
    colon, JSON [0, id, name, parameters].
    """

    def __init__(self, home):
        self.profile = os.path.join(home, "profile")
        self.output = os.path.join(home, "output")
        self.home, self.buffer, self.count = home, b"", 0

    def __enter__(self):
        os.mkdir(self.profile)
        with open(os.path.join(self.profile, "user.js"), "w") as f:
            f.writelines(f"user_pref({json.dumps(k)}, {json.dumps(v)});\n"
                         for k, v in PREFS.items())
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen(
                ["thunderbird", "--headless", "--marionette",
                 "--remote-allow-system-access", "--no-remote", "--profile",
                 self.profile], stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, env={
                    "PATH": os.environ["PATH"], "HOME": self.home,
                    "LANG": "C.UTF-8", "MOZ_CRASHREPORTER_DISABLE": "1"})
        try:
            self.sock = socket.create_connection(
                ("127.0.0.1", self.port()), SEND_S)
            self.packet()
            self.call("WebDriver:NewSession",
                      unhandledPromptBehavior="ignore")
            self.call("Marionette:SetContext", value="chrome")
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_):
        self.sock.close()
        self.end()

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def port(self):
        until = time.monotonic() + START_S
        path = os.path.join(self.profile, "MarionetteActivePort")
        while time.monotonic() < until and self.process.poll() is None:
            try:
                with open(path) as f:
                    return int(f.read())
            except (OSError, ValueError):
                time.sleep(0.05)
        with open(self.output, errors="replace") as f:
            raise RuntimeError(f"Thunderbird does not start: {f.read()}")

    def packet(self):
        while not (found := re.match(rb"(\d+):", self.buffer)) or \
                len(self.buffer) < found.end() + int(found.group(1)):
            more = self.sock.recv(65536)
            if not more:
                raise RuntimeError("Thunderbird hung up")
            self.buffer += more
        end = found.end() + int(found.group(1))
        packet, self.buffer = self.buffer[found.end():end], self.buffer[end:]
        return json.loads(packet)

    def call(self, name, **parameters):
        self.count += 1
        text = json.dumps([0, self.count, name, parameters]).encode()
        self.sock.sendall(b"%d:%s" % (len(text), text))
        _, _, error, result = self.packet()
        if error and error["error"] != "unexpected alert open":
            raise RuntimeError(f"{name}: {error['message']}")
        return result

    def script(self, text, *args):
        """Run it where those before ran; None also while a dialog is open,
        which ends a script, but not what it began."""
        result = self.call("WebDriver:ExecuteScript", script=text, args=args,
                           sandbox="system", newSandbox=False)
        return result and result["value"]


def outcome(t):
    until, result = time.monotonic() + SEND_S, None
    while time.monotonic() < until:
        result = t.script("return globalThis.result;") or result
        if result and (result["ok"] or any(
                text.startswith(FAILED) for text in result["said"])):
            return result
        time.sleep(0.1)
    raise RuntimeError(f"Thunderbird does not come to an end: {result}")


def send(box, letter, home):
    """Whether it went, and what the dialogs said, one a line."""
    with open(box.ca) as f:
        ca = f.read()
    with Thunderbird(home) as t:
        t.script(SCRIPT, dict(vars(box), implicit=box.implicit, ca=ca),
                 vars(letter))
        result = outcome(t)
    return result["ok"], "\n".join(result["said"])
