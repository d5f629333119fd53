"""What is no JSON, no JSON of Matrix, or only looks dangerous. The number in a name is its place in our
catalogue of bad input."""

NJ, BJ, TL = (400, "M_NOT_JSON"), (400, "M_BAD_JSON"), (413, "M_TOO_LARGE")


def nested(depth):
    """So many levels of objects in all."""
    return b'{"x":' * (depth - 1) + b"{}" + b"}" * (depth - 1)


def member(value, name=b"x"):
    return b'{"' + name + b'":' + value + b"}"


def text(value, name=b"x"):
    return member(b'"' + value + b'"', name)


WHOLE = {
    "001 nothing": (b"", NJ),
    "002 blanks": (b" \t\r\n ", NJ),
    "003 an open brace": (b"{", NJ),
    "004 text behind it": (b'{"a":1}x', NJ),
    "005 two documents": (b"{}{}", NJ),
    "006 NUL behind it": (b"{}\0", NJ),
    "006 NUL before it": (b"\0{}", NJ),
    "007 an array": (b"[]", BJ),
    "008 a number": (b"1", BJ),
    "008 a string": (b'"x"', BJ),
    "008 null": (b"null", BJ),
    "008 true": (b"true", BJ),
    "009 a byte order mark": (b"\xef\xbb\xbf{}", NJ),
    "010 UTF-16, big end first": ("{}".encode("utf-16-be"), NJ),
    "010 UTF-16, small end first": ("{}".encode("utf-16"), NJ),
    "011 a comment": (b"{}/* x */", NJ),
    "011 single quotes": (b"{'a':1}", NJ),
    "011 a comma at the end": (b'{"a":1,}', NJ),
    "011 a comma too many": (b'{"a":[1,,2]}', NJ),
    "012 a key twice": (b'{"body":"a","body":"b"}', BJ),
    "012 a key twice further in": (b'{"x":[{"a":1,"b":2,"a":1}]}', BJ),
    "013 a key twice, once escaped": (b'{"body":"a","\\u0062ody":"b"}', BJ),
    "036 NUL in a key": (b'{"a\\u0000b":1}', BJ),
    "037 an open string": (b'{"x":"a', NJ),
    "043 10,000 levels": (nested(10000), BJ),
    "043 101 levels": (nested(101), BJ),
}

# As the value of a member.
NUMBERS = {
    "021 beyond 64 bits": (b"9223372036854775808", BJ),
    "022 two hundred digits": (b"1" * 200, BJ),
    "023 NaN": (b"NaN", NJ),
    "024 Infinity": (b"Infinity", NJ),
    "024 -Infinity": (b"-Infinity", NJ),
    "025 a leading zero": (b"01", NJ),
    "025 a plus": (b"+1", NJ),
    "025 hexadecimal": (b"0x10", NJ),
    "025 no digit behind the point": (b"1.", NJ),
    "025 no digit before the point": (b".5", NJ),
    "025 a lone minus": (b"-", NJ),
    "026 a real out of range": (b"1e400", NJ),
}

# As what a string has between its quotes.
STRINGS = {
    "027 a lone high surrogate": (b"\\ud800", NJ),
    "028 surrogates the wrong way": (b"\\udc00\\ud800", NJ),
    "029 a raw surrogate": (b"\xed\xa0\x80", NJ),
    "030 an overlong slash": (b"\xc0\xaf", NJ),
    "031 an overlong NUL": (b"\xc0\x80", NJ),
    "032 five bytes": (b"\xf8\x88\x80\x80\x80", NJ),
    "033 beyond Unicode": (b"\xf4\x90\x80\x80", NJ),
    "037 raw NUL": (b"\x00", NJ),
    "037 raw 0x01": (b"\x01", NJ),
    "037 raw 0x1F": (b"\x1f", NJ),
    "037 a raw line end": (b"\n", NJ),
    "037 an unknown escape": (b"\\x", NJ),
}


def refused(name=b"x", numbers=None):
    """All of it, and more numbers, as bodies; with members of that name."""
    return {
        **WHOLE,
        **{case: (member(value, name), expected)
           for case, (value, expected) in {**NUMBERS, **(numbers or {})}.items()},
        **{case: (text(value, name), expected) for case, (value, expected) in STRINGS.items()},
    }


# What is only odd, and what it means.
TAKEN = {
    "017 minus zero": (b"-0", 0),
    "018 2^53-1": (b"9007199254740991", 2 ** 53 - 1),
    "034 the ends of planes": ('"\ufffe\U0010ffff"'.encode(), "\ufffe\U0010ffff"),
    "035 NUL in a value": (b'"a\\u0000b"', "a\0b"),
    "038 escaped controls": (b'"\\u000b\\u001F"', "\x0b\x1f"),
    "039 what need not be escaped": ('"\u2028\x7f/"'.encode(), "\u2028\x7f/"),
    "surrogates that make a pair": (b'"\\ud83d\\ude00"', "\U0001f600"),
}


def taken(name="x"):
    return {
        **{case: (member(value, name.encode()), {name: meant})
           for case, (value, meant) in TAKEN.items()},
        "040 keys in the order of code points": (
            '{"\U0001f600":2,"\uff01":1}'.encode(), {"\uff01": 1, "\U0001f600": 2}),
        "041 keys that only look dangerous": (
            b'{"__proto__":1,"constructor":2,"":3}', {"__proto__": 1, "constructor": 2, "": 3}),
        "blanks around it": (b" \r\n\t{ } \n", {}),
    }
