// Parts of HTTP/1.1 messages that readers are known to disagree about: request smuggling, response splitting, and limits.
// Each character is one byte.

export const NEXT_REQUEST = "GET /next HTTP/1.1\r\nHost: next\r\n\r\n";
export const NEXT_RESPONSE = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-Next: 1\r\n\r\nnext";

export const usualRequestLines = [
  ...[
    "POST /v1/messages HTTP/1.1",
    "POST /v1/messages?beta=true HTTP/1.1",
    "GET /v1/models HTTP/1.1",
  ],
  ...["HEAD /api/hello HTTP/1.1", "DELETE /v1/files/file_1 HTTP/1.1", "OPTIONS / HTTP/1.1"],
  ...["PUT /a%20b HTTP/1.1", "PATCH //a/../b HTTP/1.1", 'GET /a?b=c&d="{}|\\^`[]<> HTTP/1.1'],
];

export const trickyRequestLines = [
  ...[
    "GET / HTTP/1.0",
    "GET / HTTP/0.9",
    "GET / HTTP/2.0",
    "GET / HTTP/1.2",
    "GET / HTTP/1.01",
    "GET /",
  ],
  ...["GET / HTTP/1", "GET / http/1.1", "GET / HTTP/1.1 ", "GET /  HTTP/1.1", "GET  / HTTP/1.1"],
  ...[" GET / HTTP/1.1", "GET\t/ HTTP/1.1", "GET /\tHTTP/1.1", "GET / HTTP/1.1\t", "GET/ HTTP/1.1"],
  ...[
    "get / HTTP/1.1",
    "GETX / HTTP/1.1",
    "G\0T / HTTP/1.1",
    "GET /\0 HTTP/1.1",
    "GET /\x7f HTTP/1.1",
  ],
  ...["GET /\xe9 HTTP/1.1", "GET /a#b?c#d HTTP/1.1", "GET /?a?b HTTP/1.1", "GET /\f HTTP/1.1"],
  ...["GET * HTTP/1.1", "OPTIONS * HTTP/1.1", "GET a HTTP/1.1", "GET ?a HTTP/1.1", "GET  HTTP/1.1"],
  ...["GET http://a/b HTTP/1.1", "GET https://u@a:1/b HTTP/1.1", "CONNECT a:443 HTTP/1.1"],
  ...["CONNECT /a HTTP/1.1", "PRI * HTTP/2.0", "SOURCE /a ICE/1.1", "DESCRIBE /a RTSP/1.0"],
  ...["QUERY /a HTTP/1.1", "TRACE / HTTP/1.1", "PURGE /a HTTP/1.1", "MKCOL /a HTTP/1.1"],
  ...[
    "POST / HTTP/1.1\r",
    "POST / HTTP/1.1\n",
    "POST /\rHTTP/1.1",
    "POST / HTTP/1.1\0",
    "",
    "\r\n",
  ],
  ...["\r\nGET / HTTP/1.1", "\nGET / HTTP/1.1", "HTTP/1.1 200 OK", "\x16\x03\x01\x02\0\x01\0"],
];

export const usualStatusLines = [
  ...[
    "HTTP/1.1 200 OK",
    "HTTP/1.1 200 ",
    "HTTP/1.1 200",
    "HTTP/1.1 404 Not Found",
    "HTTP/1.0 200 OK",
  ],
  ...["HTTP/1.1 204 No Content", "HTTP/1.1 304 Not Modified", "HTTP/1.1 529 Overloaded"],
  ...[
    "HTTP/1.1 103 Early Hints",
    "HTTP/1.1 102 Processing",
    "HTTP/1.1 500 Fehler \xe9",
    "HTTP/1.1 205 R",
  ],
];

export const trickyStatusLines = [
  ...["HTTP/1.1 100 Continue", "HTTP/1.1 101 Switching Protocols", "HTTP/1.1 199 Interim"],
  ...[
    "HTTP/1.1 99 Low",
    "HTTP/1.1 099 Low",
    "HTTP/1.1 000 Zero",
    "HTTP/1.1 999 High",
    "HTTP/1.1 600 A",
  ],
  ...[
    "HTTP/1.1 2000 OK",
    "HTTP/1.1 20 OK",
    "HTTP/1.1 2OO OK",
    "HTTP/1.1  200 OK",
    "HTTP/1.1 +20 OK",
  ],
  ...[
    "HTTP/1.1\t200 OK",
    "HTTP/1.1 200\tOK",
    "HTTP/1.1 200OK",
    "HTTP/1.1 200 O\0K",
    "HTTP/1.1 200 \x7f",
  ],
  ...["HTTP/2.0 200 OK", "HTTP/0.9 200 OK", "HTTP/1.2 200 OK", "HTTP/1.10 200 OK", "HTTP/1 200 OK"],
  ...[
    "http/1.1 200 OK",
    "ICE/1.1 200 OK",
    "RTSP/1.0 200 OK",
    "HTTPS/1.1 200 OK",
    "HTTP /1.1 200 OK",
  ],
  ...["\r\nHTTP/1.1 200 OK", "\nHTTP/1.1 200 OK", " HTTP/1.1 200 OK", "HTTP/1.1 200 OK\r"],
  ...["HTTP/1.1 200 OK\n", "HTTP/1.1 200\rOK", "", "GET / HTTP/1.1", "\x15\x03\x01\0\x02\x02"],
];

export const usualFields = [
  ...[
    "Host: localhost:8484",
    "content-type: application/json",
    "x-api-key: sk-ant-1",
    "Accept: */*",
  ],
  ...[
    "user-agent: anthropic-typescript/1.14.0",
    "anthropic-version: 2023-06-01",
    "Accept-Encoding: gzip",
  ],
  ...["Connection: keep-alive", "x-stainless-lang: js", "anthropic-beta: a,b", "cookie: a=1"],
  ...[
    "cookie: b=2",
    "X-Empty:",
    "X-Blank: ",
    "X-Latin: \xe9\xff",
    "x-two:  a  b  ",
    "set-cookie: a=1",
  ],
  ...[
    "Connection: close",
    "te: trailers",
    "trailer: x-sum",
    "keep-alive: timeout=5",
    "date: today",
  ],
];

/** Fields that decide about framing, in forms that are wrong, rare or ambiguous. */
export const trickyFields = [
  ...["Content-Length: 5", "content-length: 5", "Content-Length: 05", "Content-Length: +5"],
  ...["Content-Length: -5", "Content-Length: 0x5", "Content-Length: 5.0", "Content-Length: 5e0"],
  ...["Content-Length: 5, 5", "Content-Length: 5 5", "Content-Length: 5,6", "Content-Length: 5;"],
  ...[
    "Content-Length:",
    "Content-Length: ",
    "Content-Length: 0",
    "Content-Length: 00000000000000005",
  ],
  ...["Content-Length: 18446744073709551616", "Content-Length: 18446744073709551621"],
  ...["Content-Length: 9007199254740993", "Content-Length: 4294967301", "Content-Length: five"],
  ...["Content-Length : 5", "Content-Length\t: 5", "Content-Length:5", "Content-Length:\t5"],
  ...[
    "Content-Length: 5\t",
    "Content-Length: 5 ",
    "Content-Length: \x0b5",
    "Content-Length: 5\x0b",
  ],
  ...["Content-Length: \xa05", "Content_Length: 5", "Content-Length\0: 5", "Content-Length: 5\0"],
  ...[
    " Content-Length: 5",
    "\tContent-Length: 5",
    "X: a\r\n Content-Length: 5",
    "X: a\nContent-Length: 5",
  ],
  ...[
    "X: a\rContent-Length: 5",
    "X:\r\n\tb",
    "X:\r\n b",
    "Content-Length:\r\n 5",
    "Content-Length: 5\r\n 6",
  ],
  ...["Transfer-Encoding: chunked", "transfer-encoding: chunked", "Transfer-Encoding: Chunked"],
  ...["Transfer-Encoding: chunked ", "Transfer-Encoding: chunked\t", "Transfer-Encoding:chunked"],
  ...[
    "Transfer-Encoding:\tchunked",
    "Transfer-Encoding: \x0bchunked",
    "Transfer-Encoding: xchunked",
  ],
  ...["Transfer-Encoding: chunked, chunked", "Transfer-Encoding: gzip, chunked"],
  ...["Transfer-Encoding: chunked, gzip", "Transfer-Encoding: gzip", "Transfer-Encoding: identity"],
  ...[
    "Transfer-Encoding: chunked,",
    "Transfer-Encoding: ,chunked",
    "Transfer-Encoding: chunked;q=1",
  ],
  ...['Transfer-Encoding: "chunked"', "Transfer-Encoding: 'chunked'", "Transfer-Encoding: chunke"],
  ...[
    "Transfer-Encoding: chunkedx",
    "Transfer-Encoding:",
    "Transfer-Encoding: ",
    "Transfer-Encoding",
  ],
  ...["Transfer-Encoding : chunked", "Transfer_Encoding: chunked", "Transfer-Encoding\0: chunked"],
  ...[
    "Transfer-Encoding: chunked\0",
    "Transfer-Encoding: chun\r\n ked",
    "Transfer-Encoding:\r\n chunked",
  ],
  ...[
    " Transfer-Encoding: chunked",
    "X: a\nTransfer-Encoding: chunked",
    "X: a\rTransfer-Encoding: chunked",
  ],
  ...["Transfer-Encoding: \xa0chunked", "Transfer-Encoding: chunked\xa0", "TE: chunked"],
  ...["Connection: close, keep-alive", "Connection: keep-alive, close", "Connection: Close "],
  ...["Connection: closed", "Connection: x, close", "Connection: close,", "Connection: ,close"],
  ...[
    "Connection: close\t",
    "Connection: \xa0close",
    "Connection: close;x",
    "Connection: content-length",
  ],
  ...["Connection: upgrade", "Connection: keep-alive, Upgrade", "Connection:", "Connection: TE"],
  ...["Proxy-Connection: close", "Proxy-Connection: keep-alive", "Keep-Alive: timeout=0"],
  ...[
    "Upgrade: websocket",
    "Upgrade: h2c",
    "Upgrade:",
    "HTTP2-Settings: AAMAAABk",
    "Expect: 100-continue",
  ],
  ...[
    "Expect: 200-ok",
    "expect:",
    "Host: other",
    "host:",
    "HOST : a",
    "Host: a b",
    "Host: a,b",
    "Hos\0t: a",
  ],
  ...[
    "X: \0",
    "X: \x01",
    "X: \x7f",
    "X\x7f: a",
    "X\xe9: a",
    "X\0: a",
    ": a",
    " : a",
    "X",
    "X Y: a",
    "X: \b",
  ],
  ...["(X): a", "X;: a", '"X": a', "X=: a", "{X}: a", "X/: a", "X@: a", "X[]: a", "X,: a", "X?: a"],
  ...[
    "!#$%&'*+-.^_`|~: a",
    "0: 1",
    "__proto__: a",
    "constructor: a",
    "X: a\r",
    "X: a\n",
    "X: \r\r",
  ],
  ...[
    "X: a\r\n\r",
    "X: a\n\n",
    "\r",
    "\n",
    "\0",
    "",
    " ",
    "\t",
    "\r\nX: b",
    "X:: a",
    "X: a: b",
    "X:a:b",
  ],
];

/** Bodies in the chunked coding, usual and not. */
export const chunkedBodies = [
  ...[
    "5\r\nhello\r\n0\r\n\r\n",
    "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
    "0\r\n\r\n",
    "A\r\n0123456789\r\n0\r\n\r\n",
  ],
  ...[
    "00005\r\nhello\r\n0\r\n\r\n",
    "5\r\nhello\r\n000\r\n\r\n",
    "00000000000005\r\nhello\r\n0\r\n\r\n",
  ],
  ...[
    "+5\r\nhello\r\n0\r\n\r\n",
    "-5\r\nhello\r\n0\r\n\r\n",
    "0x5\r\nhello\r\n0\r\n\r\n",
    "5.\r\nhello\r\n0\r\n\r\n",
  ],
  ...[
    "5 \r\nhello\r\n0\r\n\r\n",
    "5\t\r\nhello\r\n0\r\n\r\n",
    " 5\r\nhello\r\n0\r\n\r\n",
    "5\0\r\nhello\r\n0\r\n\r\n",
  ],
  ...[
    "5\nhello\n0\n\n",
    "5\rhello\r0\r\r",
    "5\r\nhello\n0\r\n\r\n",
    "5\r\nhello\r0\r\n\r\n",
    "5\r\nhello0\r\n\r\n",
  ],
  ...[
    "5\n\r\nhello\r\n0\r\n\r\n",
    "5\r\r\nhello\r\n0\r\n\r\n",
    "5\r\nhello\r\n\r\n0\r\n\r\n",
    "\r\n5\r\nhello\r\n0\r\n\r\n",
  ],
  ...[
    "4\r\nhello\r\n0\r\n\r\n",
    "6\r\nhello\r\n0\r\n\r\n",
    "\r\n\r\n",
    "g\r\nhello\r\n0\r\n\r\n",
    "5;\r\nhello\r\n0\r\n\r\n",
  ],
  ...[
    "ffffffffffffffff\r\nhello",
    "10000000000000005\r\nhello\r\n0\r\n\r\n",
    "fffffffffffff\r\nhello",
  ],
  ...[
    "5;a\r\nhello\r\n0\r\n\r\n",
    "5;a=b\r\nhello\r\n0;a=b\r\n\r\n",
    "5;a;b=c;d\r\nhello\r\n0\r\n\r\n",
  ],
  ...[
    "5;a=\r\nhello\r\n0\r\n\r\n",
    "5;=b\r\nhello\r\n0\r\n\r\n",
    "5;;\r\nhello\r\n0\r\n\r\n",
    "5;a;\r\nhello\r\n0\r\n\r\n",
  ],
  ...[
    '5;a="b"\r\nhello\r\n0\r\n\r\n',
    '5;a="b\r\nhello\r\n0\r\n\r\n',
    '5;a="b\\"c"\r\nhello\r\n0\r\n\r\n',
  ],
  ...[
    '5;a="b"c\r\nhello\r\n0\r\n\r\n',
    '5;a=b"c"\r\nhello\r\n0\r\n\r\n',
    '5;"a"\r\nhello\r\n0\r\n\r\n',
  ],
  ...[
    '5;a=";"\r\nhello\r\n0\r\n\r\n',
    '5;a="\xe9\t\\\xe9"\r\nhello\r\n0\r\n\r\n',
    '5;a="\\\0"\r\nhello\r\n0\r\n\r\n',
  ],
  ...[
    "5; a\r\nhello\r\n0\r\n\r\n",
    "5;a =b\r\nhello\r\n0\r\n\r\n",
    "5;a= b\r\nhello\r\n0\r\n\r\n",
    "5 ;a\r\nhello\r\n0\r\n\r\n",
  ],
  ...[
    "5;a\nhello\r\n0\r\n\r\n",
    "5;a\rhello\r\n0\r\n\r\n",
    "5;\nhello\r\n0\r\n\r\n",
    "5;a\0\r\nhello\r\n0\r\n\r\n",
  ],
  ...[
    "5;\x7f\r\nhello\r\n0\r\n\r\n",
    "5;\xe9\r\nhello\r\n0\r\n\r\n",
    '5;a="b";c\r\nhello\r\n0\r\n\r\n',
    "5;a=b\n\r\nhello\r\n0\r\n\r\n",
  ],
  ...[
    "5\r\nhello\r\n0\r\nX-Sum: a\r\n\r\n",
    "5\r\nhello\r\n0\r\nX: a\r\n b\r\n\r\n",
    "5\r\nhello\r\n0\r\n X: a\r\n\r\n",
  ],
  ...[
    "5\r\nhello\r\n0\r\nContent-Length: 3\r\n\r\n",
    "0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "0\r\nX\r\n\r\n",
  ],
  ...[
    "0\r\nConnection: close\r\n\r\n",
    "0\r\nConnection: keep-alive\r\n\r\n",
    "0\r\nUpgrade: h2c\r\n\r\n",
  ],
  ...[
    "0\r\nProxy-Connection: close\r\n\r\n",
    "0\r\nHost: a\r\nHost: b\r\n\r\n",
    "0\r\n: a\r\n\r\n",
    "0\r\nX : a\r\n\r\n",
  ],
  ...[
    "0\r\nX: a\n\r\n",
    "0\r\nX: a\r\n\n",
    "0\r\nX: a\r\n\r",
    "0\r\nX: \0\r\n\r\n",
    "0\r\nX:\r\n\r\n",
    "0\r\nX: \t \r\n\r\n",
  ],
  ...[
    "0\r\nX:\r\n a\r\n\r\n",
    "0\r\nX: a\rY: b\r\n\r\n",
    "0\r\nContent-Lengthx: 3\r\n\r\n",
    "0\r\nX: a\t\r\n\r\n",
  ],
  ...[
    "0\r\n",
    "0\r",
    "0",
    "5\r\nhel",
    "5\r\nhello",
    "5\r\nhello\r",
    "5\r\nhello\r\n",
    "",
    "5",
    "5\r",
    "5\r\n",
  ],
];

export const plainBodies = [
  "hello",
  "",
  "hel",
  "hello world",
  "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
  "\r\n",
  "0\r\n\r\n",
];
