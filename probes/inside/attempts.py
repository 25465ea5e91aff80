# The Python client of `anchorhold prove`: see native/probe.c for the lines it reads and writes.
import sys

listing, nonce = sys.argv[1:3]
try:
    import errno, os, socket, threading, urllib.parse
except ImportError:  # an image may have a part of Python only
    print(nonce, "-", "0", "python", "lacking", "", sep="\t")
    sys.exit(0)
PATIENCE = 3


def decode(text):
    return text.encode("latin1", "backslashreplace").decode("unicode_escape").encode("latin1")


def talk(made, target, text):
    with made:
        made.settimeout(PATIENCE)
        made.connect(target)
        made.sendall(decode(text))
        try:
            came = made.recv(1500)
        except socket.timeout:
            return b""
        if not came:
            raise OSError(errno.ECONNRESET, "closed")
        return came


def tcp(host, port, text, then=None):
    with socket.create_connection((host, int(port)), PATIENCE) as made:
        made.sendall(decode(text))
        try:
            came = made.recv(1500)
            if came and then is not None:
                made.sendall(decode(then))
                came += made.recv(1500)
        except socket.timeout:
            return b""
        if not came:
            raise OSError(errno.ECONNRESET, "closed")
        return came


def token(text):
    return text.replace("%TOKEN%", os.environ.get("ANCHORHOLD_PROVE_TOKEN", ""))


def fetch(proxy, method, address, field, body, to):
    import ssl  # small installations of Python have none
    url = urllib.parse.urlsplit(token(address))
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    made = socket.create_connection(("127.0.0.1", int(proxy)), PATIENCE)
    if url.scheme == "https":
        peer = f"{url.hostname if to == '-' else to}:443"
        made.sendall(f"CONNECT {peer} HTTP/1.1\r\nHost: {peer}\r\n\r\n".encode())
        head = made.recv(1500)
        if not head.startswith(b"HTTP/1.1 2"):
            raise OSError(errno.EACCES, "refused")
        trusting = ssl.create_default_context()
        trusting.check_hostname = False
        trusting.verify_mode = ssl.CERT_NONE
        made = trusting.wrap_socket(made, server_hostname=url.hostname)
    else:
        path = f"http://{url.netloc}{path}"
    text = b"" if body == "-" else token(body).encode()
    lines = [f"{method} {path} HTTP/1.1", f"Host: {url.netloc}"]
    if field != "-":
        lines.append(token(decode(field).decode("latin1")))
    if text:
        lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(text)}"]
    lines += ["Connection: close", "", ""]
    came = b""
    with made:
        made.settimeout(PATIENCE)
        made.sendall("\r\n".join(lines).encode("latin1") + text)
        while chunk := made.recv(4096):
            came += chunk
    if not came.startswith(b"HTTP/1.1 2"):
        raise OSError(errno.EACCES, "refused")
    return came


def udp(host, port, text):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as made:
        made.settimeout(0.4)
        made.sendto(decode(text), (host, int(port)))
        try:
            return made.recv(1500)
        except socket.timeout:
            return b""


def write(path, text):
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, decode(text))
    finally:
        os.close(handle)
    return b""


def read(path):
    with open(path, "rb", buffering=0) as file:
        return file.read(1500)


VERBS = {
    "read": read,
    "write": write,
    "list": lambda path: "\n".join(os.listdir(path)).encode("utf8", "surrogateescape"),
    "env": lambda: "\n".join(f"{name}={value}" for name, value in os.environ.items()).encode("utf8", "surrogateescape"),
    "tcp": tcp,
    "udp": udp,
    "fetch": fetch,
    "unix": lambda path, text: talk(socket.socket(socket.AF_UNIX), "\0" + path[1:] if path[0] == "@" else path, text),
    "name": lambda host: socket.getaddrinfo(host, 80)[0][4][0].encode(),
}


def attempt(line):
    probe, number, verb, *fields = line.split("\t")
    try:
        outcome, what = ("done", VERBS[verb](*fields)) if verb in VERBS else ("lacking", verb.encode())
    except OSError as error:
        outcome, what = "refused", errno.errorcode.get(error.errno or 0, type(error).__name__).encode()
    except ImportError as error:
        outcome, what = "lacking", (error.name or "").encode()
    except Exception as error:
        outcome, what = "refused", type(error).__name__.encode()
    os.write(1, "\t".join([nonce, probe, number, "python", outcome, what[:1500].hex()]).encode() + b"\n")


with open(listing, encoding="utf8", errors="surrogateescape") as file:
    lines = [line.rstrip("\n") for line in file if line.strip()]


def work():
    while lines:
        try:
            line = lines.pop()
        except IndexError:
            return
        attempt(line)


lines.reverse()
workers = [threading.Thread(target=work) for _ in range(8)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
