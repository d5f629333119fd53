"""Requests that are malformed before anybody asks what they want: whatever the daemon, it refuses
them, runs nothing that may hide behind them, and ends the connection.

The number in a case's name is its place in our catalogue of bad input. LIBRARY marks replies that
libmicrohttpd makes before our code sees the request: their body is its HTML.
"""

from wire import HOST, LIBRARY, STRICT_LIBRARY, check_error, raw

CLOSED = "closed without an answer"
HX = (400, "M_UNKNOWN")

GET = "GET /io/hello HTTP/1.1"
POST = "POST /raw HTTP/1.1"
HIDDEN = b"PUT /count/hidden HTTP/1.1\r\nHost: here\r\nContent-Length: 0\r\n\r\n"
CHUNKED = b"0\r\n\r\n" + HIDDEN


def hidden(*lines):
    """A head whose length two parsers could read in two ways, with a request behind it."""
    return raw(POST, HOST, *lines, body=CHUNKED)


MALFORMED = {
    "061 length and chunks": (hidden("Content-Length: 5", "Transfer-Encoding: chunked"), HX),
    "062 chunks and length": (hidden("Transfer-Encoding: chunked", "Content-Length: 5"), HX),
    "063 two lengths": (hidden("Content-Length: 5", "Content-Length: 60"), HX),
    "064 the same length twice": (hidden("Content-Length: 5", "Content-Length: 5"), HX),
    "065 a list of lengths": (hidden("Content-Length: 5, 5"), (400, LIBRARY)),
    "066 a length with a plus": (hidden("Content-Length: +5"), (400, LIBRARY)),
    "066 a negative length": (hidden("Content-Length: -1"), (400, LIBRARY)),
    "066 a hexadecimal length": (hidden("Content-Length: 0x5"), (400, LIBRARY)),
    "066 a length with a tail": (hidden("Content-Length: 5 a"), (400, LIBRARY)),
    "066 an empty length": (hidden("Content-Length:"), (400, LIBRARY)),
    "067 a length of 2^64": (hidden("Content-Length: 18446744073709551616"), (413, LIBRARY)),
    "067 a length of 2^63": (hidden("Content-Length: 9223372036854775808"), HX),
    "068 a blank before the colon": (hidden("Content-Length : 5"), HX),
    "069 the same with chunks": (hidden("Transfer-Encoding : chunked"), HX),
    "070 an unknown coding": (hidden("Transfer-Encoding: xchunked"), HX),
    "071 identity": (hidden("Transfer-Encoding: identity"), HX),
    "072 gzip and chunked": (hidden("Transfer-Encoding: gzip, chunked"), HX),
    "073 chunked and identity": (hidden("Transfer-Encoding: chunked, identity"), HX),
    "073 chunked twice": (hidden("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), HX),
    "074 chunks in HTTP 1.0": (raw("POST /raw HTTP/1.0", HOST, "Transfer-Encoding: chunked",
                                   body=CHUNKED), HX),
    "081 bare LF": (b"GET /io/hello HTTP/1.1\nHost: here\n\n", HX),
    "081 one bare LF": (b"GET /io/hello HTTP/1.1\r\nHost: here\nX: y\r\n\r\n", HX),
    "081 a bare LF at the end": (b"GET /io/hello HTTP/1.1\r\nHost: here\r\n\n", HX),
    "081 a bare LF behind the request": (b"GET /io/hello HTTP/1.1\nHost: here\r\n\r\n", HX),
    "082 a bare CR in a value": (raw(GET, HOST, b"X: a\rb"), HX),
    "082 a bare CR before the end": (raw(GET, HOST, b"X: a\r"), HX),
    "083 a folded value": (raw(GET, HOST, "X: a", " b"), HX),
    "083 folded with a tab": (raw(GET, HOST, "X: a", "\tb"), HX),
    "083 folded to nothing": (raw(GET, HOST, "X: a", " "), HX),
    "083 the last of many is folded": (raw(GET, HOST, *["X: y"] * 20, "Z: a", " b"), HX),
    "084 a fold that splices a name": (
        raw(POST, HOST, "Content-Leng: 5", " th", body=CHUNKED), HX),
    "084 a fold balanced by missing blanks": (
        raw(POST, "Host:here", "A:1", "B:2", "Content-Leng:5", " th", body=CHUNKED), HX),
    "085 a folded first header": (raw(GET, " Host: here", HOST), HX),
    "086 NUL in a value": (raw(GET, HOST, b"X: a\0b"), HX),
    "086 NUL at the end of a value": (raw(GET, HOST, b"X: a\0"), HX),
    "086 NUL in a name": (raw(GET, HOST, b"X\0Y: a"), (400, LIBRARY)),
    "086 NUL at the start of a header": (raw(GET, HOST, b"\0X: a"), HX),
    "086 NUL in the path": (raw(b"GET /io/hello\0x HTTP/1.1", HOST), HX),
    "086 NUL in the method": (raw(b"GET\0 /io/hello HTTP/1.1", HOST), HX),
    "087 no name": (raw(GET, HOST, ": a"), HX),
    "088 no colon": (raw(GET, HOST, "abc"), (400, LIBRARY)),
    "089 no Host": (raw(GET), (400, LIBRARY)),
    "090 two Hosts": (raw(GET, HOST, "Host: there"), HX),
    "090 a Host with a path": (raw(GET, "Host: here/there"), HX),
    "091 two Authorizations": (raw("GET /whoami HTTP/1.1", HOST, "Authorization: Bearer good",
                                   "Authorization: Bearer good"), HX),
    "097 a target of 40 KiB": (raw("GET /" + "a" * 40960 + " HTTP/1.1", HOST), (414, LIBRARY)),
    "098 a header of 40 KiB": (raw(GET, HOST, "X: " + "a" * 40960), (431, LIBRARY)),
    "099 ten thousand headers": (raw(GET, HOST, *["X: y"] * 10000), (431, LIBRARY)),
    "107 HTTP 0.9": (b"GET /io/hello\r\n\r\n", (400, LIBRARY)),
    "107 HTTP 0.9 by number": (raw("GET /io/hello HTTP/0.9", HOST), (505, LIBRARY)),
    "108 HTTP 2.0": (raw("GET /io/hello HTTP/2.0", HOST), (505, LIBRARY)),
    "108 the preface of HTTP 2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (505, LIBRARY)),
    "108 a version in small letters": (raw("GET /io/hello http/1.1", HOST), (400, LIBRARY)),
    "109 another host's target": (raw("GET http://evil/io/hello HTTP/1.1", HOST), HX),
    "109 a target of another scheme": (raw("GET ftp://here/io/hello HTTP/1.1", HOST), HX),
    "110 a star for GET": (raw("GET * HTTP/1.1", HOST), HX),
    "118 raw UTF-8 in the path": (raw("GET /echo/ä HTTP/1.1", HOST), HX),
    "118 raw UTF-8 in the query": (raw("GET /echo/a?q=ä HTTP/1.1", HOST), HX),
    "118 a control in the path": (raw(b"GET /echo/\x01 HTTP/1.1", HOST), HX),
    "118 a fragment": (raw("GET /echo/a#b HTTP/1.1", HOST), HX),
    "118 a blank in the path": (raw("GET /echo/a b HTTP/1.1", HOST), CLOSED),
    "118 two blanks before the path": (raw("GET  /io/hello HTTP/1.1", HOST), HX),
}


def check_refused(library, answers, expected):
    """library: its version. A newer one refuses by itself, in its own words or by closing."""
    if library >= STRICT_LIBRARY and expected in (HX, CLOSED):
        if not answers or not answers[0].is_json:
            expected = (400, LIBRARY) if answers else CLOSED
    if expected == CLOSED:
        assert not answers
    else:
        check_error(answers[0], *expected)
