"""The Python runtime of Croft: takes events from the Runtime API, calls the handler, posts what it returns.

Started as `python3 -S -u bootstrap.py`. It imports as little as it can, because every import is part of every cold start:
`logging`, `traceback` and `decimal` come in only when the function itself brings them or fails.

Log framing: one line of stdout is one log event. A message of several lines is written with MESSAGE_NEWLINE inside, and
NO_FINAL_NEWLINE before its end where AWS's event has no newline at its end (bytes that no UTF-8 text contains).
Follows "Building a custom runtime for AWS Lambda" and "Using the Lambda runtime API for custom runtimes".
"""

import os
import sys

if __name__ == "__main__":
    # The directory of this file is no part of the function's path; nothing of Croft can be imported by accident.
    sys.path.pop(0)

import importlib
import json
import socket
import time

MESSAGE_NEWLINE = b"\xff\x8a"
NO_FINAL_NEWLINE = b"\xff\x8b"
NO_BREAK_SPACE = "\u00a0"
RECEIVE_BYTES = 65536
# Runtimes before this version escape what is not ASCII in answers; later ones send UTF-8.
UTF8_SINCE = (3, 12)

_request_id = None
_tenant_id = None


class Fault(Exception):
    """A failure that the runtime itself finds, with AWS's type and wording."""

    def __init__(self, kind, message, trace=None):
        Exception.__init__(self, message)
        self.kind = kind
        self.message = message
        self.trace = trace


# ---------------------------------------------------------------------------------------------------------- the platform


def connect(address):
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)))


def wait_for_function():
    """Started ahead of any function (`--pool`): waits on the connection to the Runtime API for the one that this becomes."""
    connection = connect(os.environ["AWS_LAMBDA_RUNTIME_API"])
    received = b""
    while not received.endswith(b"\n"):
        chunk = connection.recv(RECEIVE_BYTES)
        if not chunk:
            os._exit(0)
        received += chunk
    launch = json.loads(received)
    os.environ.clear()
    os.environ.update(launch["variables"])
    time.tzset()
    os.chdir(launch["directory"])
    sys.argv[1:] = launch["args"]
    return connection


class RuntimeApi:
    """One kept-alive connection to the Runtime API. The platform gone means that this process has no purpose: it exits."""

    def __init__(self, address, connection=None):
        self.host = address
        self.socket = connection or connect(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.pending = 0
        self.next_request = ("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: %s\r\n\r\n" % address).encode()

    def _post(self, path, body, headers):
        lines = ["POST /2018-06-01/runtime/%s HTTP/1.1" % path, "Host: " + self.host, "Content-Length: %d" % len(body)]
        lines += ["%s: %s" % header for header in headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "replace") + body

    def finish(self, path, body, headers):
        """Posts an answer and asks for the next event in one write: one round trip less for each invoke."""
        self.pending += 1
        self.socket.sendall(self._post(path, body, headers) + self.next_request)

    def post(self, path, body, headers):
        self.socket.sendall(self._post(path, body, headers))
        self._read()

    def next(self):
        """The next event: its headers (names in lower case) and its body."""
        if self.pending == 0:
            self.socket.sendall(self.next_request)
        while self.pending > 0:
            self._read()
            self.pending -= 1
        return self._read()

    def _fill(self):
        chunk = self.socket.recv(RECEIVE_BYTES)
        if not chunk:
            os._exit(0)
        self.buffer += chunk

    def _read(self):
        while True:
            end = self.buffer.find(b"\r\n\r\n")
            if end >= 0:
                break
            self._fill()
        headers = {}
        for line in self.buffer[:end].decode("latin-1").split("\r\n")[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        self.buffer = self.buffer[end + 4 :]
        length = int(headers.get("content-length", "0"))
        if len(self.buffer) < length:
            chunks = [self.buffer]
            have = len(self.buffer)
            while have < length:
                chunk = self.socket.recv(max(RECEIVE_BYTES, length - have))
                if not chunk:
                    os._exit(0)
                chunks.append(chunk)
                have += len(chunk)
            self.buffer = b"".join(chunks)
        body = self.buffer[:length]
        self.buffer = self.buffer[length:]
        return headers, body


def watch_lifeline(fd):
    """Ends this process and its children when the platform dies, even by SIGKILL: it holds the other end of `fd`."""
    try:
        import fcntl
        import signal

        set_signal = getattr(fcntl, "F_SETSIG", 10)
        if not sys.platform.startswith("linux"):
            raise OSError("only Linux sends a chosen signal when a descriptor hangs up")
        fcntl.fcntl(fd, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(fd, set_signal, signal.SIGKILL)
        fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) | os.O_ASYNC)
    except (ImportError, OSError, AttributeError):
        import threading

        def wait():
            while os.read(fd, 1):
                pass
            os._exit(0)

        threading.Thread(target=wait, daemon=True).start()


# ------------------------------------------------------------------------------------------------------------------ logs


def write_event(text, final_newline=True):
    """Writes one log event, however many lines it has, in one write."""
    if text.endswith("\n"):
        text = text[:-1]
    data = text.encode("utf-8", "backslashreplace").replace(b"\n", MESSAGE_NEWLINE)
    data += b"\n" if final_newline else NO_FINAL_NEWLINE + b"\n"
    sys.stdout.flush()
    while data:
        data = data[os.write(1, data) :]


def error_event(error):
    """`[ERROR] Type: message` with its traceback, indented by no-break spaces as AWS does it."""
    title = "[ERROR]"
    if error["errorType"]:
        title += " " + error["errorType"]
    if error["errorMessage"]:
        title += (":" if error["errorType"] else "") + " " + error["errorMessage"]
    lines = [title, "Traceback (most recent call last):"]
    for entry in error["stackTrace"]:
        for line in entry.splitlines() or [""]:
            text = line.lstrip(" ")
            lines.append(NO_BREAK_SPACE * (len(line) - len(text)) + text)
    write_event("\n".join(lines), final_newline=False)


def json_error_event(error):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    write_event(encode(dict([("timestamp", stamp), ("level", "ERROR")] + list(error.items()))))


def log_error(error):
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON":
        json_error_event(error)
    else:
        error_event(error)


# What a JSON log line does not take over of a record.
RESERVED_FIELDS = frozenset(
    "name msg args levelname levelno pathname filename module exc_info exc_text stack_info lineno funcName created msecs"
    " relativeCreated thread threadName processName process aws_request_id tenant_id".split()
)


def configure_logging(logging):
    """The root handler that AWS's runtime installs before the function is loaded."""
    logging.Formatter.converter = time.gmtime
    encode_line = json.JSONEncoder(ensure_ascii=False, default=str).encode

    class RequestFilter(logging.Filter):
        def filter(self, record):
            record.aws_request_id = _request_id or ""
            record.tenant_id = _tenant_id
            return True

    class JsonFormatter(logging.Formatter):
        def format(self, record):
            level = min(50, max(0, record.levelno)) // 10 * 10
            kind, value, trace = record.exc_info or (None, None, None)
            import traceback

            fields = {
                "timestamp": self.formatTime(record, "%Y-%m-%dT%H:%M:%SZ"),
                "level": logging.getLevelName(level),
                "message": record.msg if isinstance(record.msg, dict) and not record.args else record.getMessage(),
                "logger": record.name,
                "stackTrace": traceback.format_tb(trace) if record.exc_info else None,
                "errorType": kind.__name__ if kind else None,
                "errorMessage": str(value) if record.exc_info else None,
                "requestId": getattr(record, "aws_request_id", None),
                "location": "%s:%s:%s" % (record.pathname, record.funcName, record.lineno) if record.exc_info else None,
            }
            if getattr(record, "tenant_id", None) is not None:
                fields["tenantId"] = record.tenant_id
            for key, field in record.__dict__.items():
                if key not in RESERVED_FIELDS and key not in fields:
                    fields[key] = field
            return encode_line(dict((k, v) for k, v in fields.items() if v is not None))

    class LambdaLoggerHandler(logging.Handler):
        def emit(self, record):
            write_event(self.format(record))

    handler = LambdaLoggerHandler()
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON":
        handler.setFormatter(JsonFormatter())
    else:
        line = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"
        handler.setFormatter(logging.Formatter(line, "%Y-%m-%dT%H:%M:%S"))
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
    names = {"TRACE": "DEBUG", "FATAL": "CRITICAL", "WARN": "WARNING"}
    level = names.get(level, level)
    if isinstance(logging.getLevelName(level), int):
        logging.getLogger().setLevel(level)
    handler.addFilter(RequestFilter())
    logging.getLogger().addHandler(handler)


class LoggingOnImport:
    """Configures `logging` when something imports it first: functions that do not log save its import."""

    def find_spec(self, name, path=None, target=None):
        if name != "logging":
            return None
        sys.meta_path.remove(self)
        import importlib.util

        spec = importlib.util.find_spec("logging")
        run = spec.loader.exec_module

        def exec_module(module):
            run(module)
            configure_logging(module)

        spec.loader.exec_module = exec_module
        return spec


# -------------------------------------------------------------------------------------------------------------- the event

_decimal_mark = "\x00decimal:" + os.urandom(12).hex() + ":"


def _default(value):
    decimal = sys.modules.get("decimal")
    if decimal is not None and isinstance(value, decimal.Decimal):
        return float("nan") if value.is_nan() else _decimal_mark + str(value)
    # AWS's runtime encodes with simplejson, which takes bytes for UTF-8 text.
    if isinstance(value, bytes):
        return value.decode("utf-8")
    raise TypeError("Object of type %s is not JSON serializable" % value.__class__.__name__)


def _ascii_only():
    name = os.environ.get("AWS_EXECUTION_ENV", "")
    try:
        version = tuple(int(part) for part in name.rsplit("python", 1)[1].split("."))
    except (IndexError, ValueError):
        return False
    return version < UTF8_SINCE


_encoder = json.JSONEncoder(ensure_ascii=_ascii_only(), default=_default)
_mark_in_json = json.dumps(_decimal_mark)[1:-1]


def encode(value):
    """JSON as AWS's runtime writes it: a Decimal stands as the number it is, digit for digit."""
    text = _encoder.encode(value)
    # As simplejson does: these two end lines in JavaScript.
    if "\u2028" in text or "\u2029" in text:
        text = text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    if _mark_in_json in text:
        import re

        text = re.sub('"%s([^"]*)"' % re.escape(_mark_in_json), lambda match: match.group(1), text)
    return text


class CognitoIdentity(object):
    __slots__ = ["cognito_identity_id", "cognito_identity_pool_id"]


class Client(object):
    __slots__ = ["installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name"]


class ClientContext(object):
    __slots__ = ["custom", "env", "client"]


def _filled(kind, values):
    result = kind()
    for name in kind.__slots__:
        setattr(result, name, values.get(name))
    return result


def _header_json(text, name):
    try:
        return json.loads(text)
    except Exception as error:
        raise Fault("Runtime.LambdaContextUnmarshalError", "Unable to parse %s JSON: %s" % (name, error))


class LambdaContext(object):
    """What the handler gets as `context`; "Using the Lambda context object to retrieve Python function information"."""

    def __init__(self, headers):
        self.aws_request_id = headers.get("lambda-runtime-aws-request-id")
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        self.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        self._deadline_ms = int(headers.get("lambda-runtime-deadline-ms", "0"))
        self.client_context = None
        client_context = headers.get("lambda-runtime-client-context")
        if client_context:
            values = _header_json(client_context, "Client Context")
            if values is not None:
                self.client_context = _filled(ClientContext, values)
                if self.client_context.client is not None:
                    self.client_context.client = _filled(Client, self.client_context.client)
        self.identity = _filled(CognitoIdentity, {})
        identity = headers.get("lambda-runtime-cognito-identity")
        if identity:
            values = _header_json(identity, "Cognito Identity") or {}
            self.identity.cognito_identity_id = values.get("cognitoIdentityId")
            self.identity.cognito_identity_pool_id = values.get("cognitoIdentityPoolId")

    def get_remaining_time_in_millis(self):
        return max(0, self._deadline_ms - int(time.time() * 1000))

    def log(self, message):
        write_event(str(message))

    def __repr__(self):
        names = "aws_request_id log_group_name log_stream_name function_name memory_limit_in_mb function_version"
        names += " invoked_function_arn client_context identity tenant_id"
        return "LambdaContext([%s])" % ",".join("%s=%s" % (name, getattr(self, name)) for name in names.split())


# -------------------------------------------------------------------------------------------------------------- failures


def error_body(message, kind, trace, request_id=None):
    body = {
        "errorMessage": message or "",
        "errorType": kind or "",
        "requestId": request_id or "",
        "stackTrace": trace or [],
    }
    # AWS's last runtime for it does not say which request.
    if os.environ.get("AWS_EXECUTION_ENV") == "AWS_Lambda_python3.8":
        del body["requestId"]
    return body


def error_of(failure, request_id=None):
    """The error body of an exception, with the frames of this file left out."""
    if isinstance(failure, Fault):
        return error_body(failure.message, failure.kind, failure.trace, request_id)
    import traceback

    frames = traceback.extract_tb(failure.__traceback__)
    while frames and frames[0].filename == __file__:
        frames = frames[1:]
    plain = [(frame.filename, frame.lineno, frame.name, frame.line) for frame in frames]
    return error_body(str(failure), type(failure).__name__, traceback.format_list(plain), request_id)


UNHANDLED = (
    "LAMBDA_WARNING: Unhandled exception. The most likely cause is an issue in the function code. However, in rare cases, a Lambda"
    " runtime update can cause unexpected function behavior. For functions using managed runtimes, runtime updates can be triggered"
    " by a function change, or can be applied automatically. To determine if the runtime has been updated, check the runtime version"
    " in the INIT_START log entry. If this error correlates with a change in the runtime version, you may be able to mitigate this"
    " error by temporarily rolling back to the previous runtime version. For more information, see"
    " https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html\r"
)


def load_handler(name):
    """The function `package/module.function` of the code directory."""
    module_name, dot, function_name = name.rpartition(".")
    if not dot:
        raise Fault("Runtime.MalformedHandlerName", "Bad handler '%s': not enough values to unpack (expected 2, got 1)" % name)
    if module_name.split(".")[0] in sys.builtin_module_names:
        raise Fault("Runtime.BuiltInModuleConflict", "Cannot use built-in module %s as a handler module" % module_name)
    import importlib

    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise Fault("Runtime.ImportModuleError", "Unable to import module '%s': %s" % (module_name, error))
    except SyntaxError as error:
        trace = ['  File "%s" Line %s\n    %s' % (error.filename, error.lineno, error.text)]
        raise Fault("Runtime.UserCodeSyntaxError", "Syntax error in module '%s': %s" % (module_name, error), trace)
    try:
        return getattr(module, function_name)
    except AttributeError:
        raise Fault("Runtime.HandlerNotFound", "Handler '%s' missing on module '%s'" % (function_name, module_name))


def handle(handler, headers, body):
    """Calls the handler; returns the bytes and the content type of its answer."""
    context = LambdaContext(headers)
    try:
        event = json.loads(body)
    except Exception as error:
        raise Fault("Runtime.UnmarshalError", "Unable to unmarshal input: %s" % error)
    answer = handler(event, context)
    if isinstance(answer, bytes):
        return answer, "application/unknown"
    try:
        return encode(answer).encode("utf-8", "surrogatepass"), "application/json"
    except Exception as error:
        raise Fault("Runtime.MarshalError", "Unable to marshal response: %s" % error)


def serve(api, handler):
    global _request_id, _tenant_id
    headers, body = api.next()
    while True:
        _request_id = headers["lambda-runtime-aws-request-id"]
        _tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        trace = headers.get("lambda-runtime-trace-id")
        if trace:
            os.environ["_X_AMZN_TRACE_ID"] = trace
        else:
            os.environ.pop("_X_AMZN_TRACE_ID", None)
        path = "invocation/%s/" % _request_id
        try:
            answer, content_type = handle(handler, headers, body)
        except Exception as failure:
            error = error_of(failure, _request_id)
            log_error(error)
            answer = encode(error).encode("utf-8", "replace")
            headers_out = [("Content-Type", "application/json"), ("Lambda-Runtime-Function-Error-Type", "Unhandled")]
            api.finish(path + "error", answer, headers_out)
        else:
            api.finish(path + "response", answer, [("Content-Type", content_type)])
        answer = None
        headers, body = api.next()


def prepare_paths(vendor, layers):
    """The function's own code first, layers next, the SDK that the runtime provides last: what the function bundles wins."""
    root = os.environ.get("LAMBDA_TASK_ROOT", os.getcwd())
    extra = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    for path in extra:
        if path in sys.path:
            sys.path.remove(path)
    # AWS's place of the provided SDK, which is the last one here.
    extra = [path for path in extra if path != os.environ.get("LAMBDA_RUNTIME_DIR")]
    if layers:
        version = os.environ.get("AWS_EXECUTION_ENV", "").rsplit("_", 1)[-1]
        packages = os.path.join(layers, "python")
        extra += [os.path.join(packages, "lib", version, "site-packages"), packages]
    sys.path[:0] = [root] + extra
    if vendor:
        sys.path.append(vendor)


def main():
    connection = wait_for_function() if sys.argv[1:] == ["--pool"] else None
    lifeline = int(sys.argv[1]) if len(sys.argv) > 1 else -1
    vendor = sys.argv[2] if len(sys.argv) > 2 else ""
    layers = sys.argv[3] if len(sys.argv) > 3 else ""
    os.dup2(1, 2)  # one stream, so that what was written first is read first
    if lifeline >= 0:
        os.set_inheritable(lifeline, False)
        watch_lifeline(lifeline)
    sys.argv = [sys.argv[0]]
    prepare_paths(vendor, layers)
    import builtins

    # `-S` leaves these out, and functions use them.
    builtins.exit = builtins.quit = sys.exit
    sys.meta_path.insert(0, LoggingOnImport())
    api = RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"], connection)
    try:
        handler = load_handler(os.environ.get("_HANDLER", ""))
    except Exception as failure:
        import logging

        logging.warning(UNHANDLED)
        error = error_of(failure)
        log_error(error)
        headers = [("Content-Type", "application/json"), ("Lambda-Runtime-Function-Error-Type", error["errorType"])]
        api.post("init/error", encode(error).encode("utf-8", "replace"), headers)
        sys.exit(1)
    serve(api, handler)


if __name__ == "__main__":
    # Code that imports `bootstrap` or looks at __main__ must not run this twice.
    main()
