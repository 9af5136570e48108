# SPDX-License-Identifier: LGPL-2.1-or-later
"""An authority that certifies a signer and stamps time, in a folder: as the ones that releases need."""

import http.server
import subprocess
import threading

from packages import output

PASSWORD = "Pass wort 'ß"
EXTENSIONS = """\
[signer]
extendedKeyUsage=codeSigning
[clock]
extendedKeyUsage=critical,timeStamping
"""
CLOCK = """\
[tsa]
default_tsa=clock
[clock]
serial={folder}/serial
signer_cert={folder}/clock.pem
certs={folder}/root.pem
signer_key={folder}/clock.key
default_policy=1.2.3.4
digests=sha256
signer_digest=sha256
ess_cert_id_alg=sha256
"""


class Authority:
    """
    root.pem; signer.pem and signer.key, which has a password; signer.p12 with both; password, the file with it; wrong,
    a file with another one.
    """

    def __init__(self, folder):
        self.folder = folder
        for name in ("password", "same"):  # openssl takes the second line of a file that it is given twice
            (folder / name).write_text(PASSWORD + "\n", encoding="utf-8")
        (folder / "wrong").write_text("Losung\n")
        (folder / "extensions").write_text(EXTENSIONS)
        (folder / "clock.conf").write_text(CLOCK.format(folder=folder))
        (folder / "serial").write_text("01\n")
        self._openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "root.key", "-out", "root.pem",
                      "-subj", "/CN=authority", "-days", 30)
        self._certify("clock", "-nodes")
        self._certify("signer", "-passout", "file:password")
        self._openssl("pkcs12", "-export", "-in", "signer.pem", "-inkey", "signer.key", "-passin",
                      "file:password", "-passout", "file:same", "-out", "signer.p12")

    def __truediv__(self, name):
        return self.folder / name

    def _openssl(self, *words):
        return output("env", "-C", self.folder, "openssl", *words)

    def _certify(self, name, *protection):
        self._openssl("req", "-newkey", "rsa:2048", *protection, "-keyout", f"{name}.key", "-subj", f"/CN={name}",
                      "-out", f"{name}.csr")
        self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial",
                      "-days", 30, "-extfile", "extensions", "-extensions", name, "-out", f"{name}.pem")

    def stamp(self, query):
        """The answer to a request of RFC 3161."""
        (self / "query").write_bytes(query)
        self._openssl("ts", "-reply", "-config", "clock.conf", "-queryfile", "query", "-out", "reply")
        return (self / "reply").read_bytes()


class Clock:
    """The authority's server of time stamps; `url` for as long as the `with` lasts."""

    def __init__(self, authority):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                answer = authority.stamp(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def signature_of(path, root):
    """What osslsigncode says of a signature that is valid under the root."""
    command = ["osslsigncode", "verify", "-CAfile", root, "-TSA-CAfile", root, "-in", path]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
