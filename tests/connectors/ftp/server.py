"""An FTP server for tests: `server.py ROOT PORT [CERTIFICATE]`; with a certificate it demands TLS."""

from __future__ import annotations

import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
from pyftpdlib.servers import ThreadedFTPServer

root, port, *certificate = sys.argv[1:]
accounts = DummyAuthorizer()
accounts.add_user("can-bo", "mật-khẩu", root, perm="elr")
handler = TLS_FTPHandler if certificate else FTPHandler
handler.authorizer = accounts
handler.auth_failed_timeout = 0
if certificate:
    handler.certfile = certificate[0]
    handler.tls_control_required = handler.tls_data_required = True
ThreadedFTPServer(("127.0.0.1", int(port)), handler).serve_forever()
