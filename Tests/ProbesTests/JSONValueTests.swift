// SPDX-License-Identifier: Apache-2.0
// The bounded JSON reader and JSON pointers.

import Testing

@testable import Probes

struct JSONValueTests {
    @Test(arguments: [
        ("null", "null"), (" true ", "true"), ("-0", "-0"), ("1.5e+3", "1.5e+3"), ("\"a\"", "\"a\""),
        ("[1, 2 ,3]", "[1,2,3]"), ("{ }", "{}"), ("[]", "[]"), ("{\"a\" : {\"b\": [null]}}", "{\"a\":{\"b\":[null]}}"),
        (#""\u00e9\n\/\"\\""#, #""é\n/\"\\""#), (#""\ud83d\ude00""#, "\"😀\""), (#""\ud83d""#, "\"\u{FFFD}\""),
        (#""\ud83dx""#, "\"\u{FFFD}x\""),
    ])
    func `a document is read and written back compactly`(text: String, expected: String) throws {
        #expect(try JSONValue(parsing: text).description == expected)
    }

    @Test(arguments: [
        ("", JSONProblem.endsEarly), ("  ", .endsEarly), ("{", .endsEarly), ("[1,", .endsEarly), ("\"a", .endsEarly),
        ("tru", .endsEarly), ("-", .endsEarly), ("1.", .endsEarly), (#""\u12"#, .endsEarly),
        ("01", .unexpected(byte: UInt8(ascii: "1"), offset: 1)),
        ("[1,]", .unexpected(byte: UInt8(ascii: "]"), offset: 3)),
        ("{a:1}", .unexpected(byte: UInt8(ascii: "a"), offset: 1)),
        ("nul!", .unexpected(byte: UInt8(ascii: "!"), offset: 3)),
        ("{\"a\" 1}", .unexpected(byte: UInt8(ascii: "1"), offset: 5)), ("1 2", .trailing(offset: 2)),
        ("\"a\nb\"", .badString(offset: 0)), (#""\x""#, .badString(offset: 0)), (#""\u+123""#, .badString(offset: 0)),
        ("<html>", .unexpected(byte: UInt8(ascii: "<"), offset: 0)),
    ])
    func `what is no JSON is refused with its place`(text: String, problem: JSONProblem) {
        #expect(throws: problem) { try JSONValue(parsing: text) }
    }

    @Test func `every cut of a document is refused, none crashes`() throws {
        let whole = Array(#"{"a":[1,-2.5e3,"x\u0041\\"],"b":{"c":null,"d":true}}"#.utf8)
        _ = try JSONValue(parsing: whole)
        for end in 0..<whole.count {
            #expect(throws: JSONProblem.self) { try JSONValue(parsing: Array(whole[..<end])) }
        }
    }

    @Test func `depth is bounded`() throws {
        let limit = JSONValue.depthLimit
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        _ = try JSONValue(parsing: nested(limit))
        #expect(throws: JSONProblem.tooDeep(limit: limit)) { try JSONValue(parsing: nested(limit + 1)) }
        #expect(throws: JSONProblem.tooDeep(limit: limit)) {
            try JSONValue(parsing: String(repeating: "{\"a\":", count: 100_000))
        }
    }

    /// The examples of RFC 6901, section 5.
    @Test(arguments: [
        ("/foo", #"["bar","baz"]"#), ("/foo/0", #""bar""#), ("/", "0"), ("/a~1b", "1"), ("/c%d", "2"), ("/e^f", "3"),
        ("/g|h", "4"), ("/i\\j", "5"), ("/k\"l", "6"), ("/ ", "7"), ("/m~0n", "8"),
    ])
    func `pointers find what the standard says`(pointer: String, expected: String) throws {
        let document = try JSONValue(
            parsing: #"{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8}"#)
        #expect(document.value(at: pointer)?.description == expected)
        #expect(document.value(at: "") == document)
    }

    @Test(arguments: [
        "foo", "/foo/2", "/foo/01", "/foo/-", "/foo/-1", "/foo/0/x", "/nope", "/foo/", "/foo/99999999999999999999",
    ])
    func `pointers to nothing find nothing`(pointer: String) throws {
        #expect(try JSONValue(parsing: #"{"foo":["bar","baz"]}"#).value(at: pointer) == nil)
    }

    @Test func `a tilde escape is undone once`() throws {
        #expect(try JSONValue(parsing: #"{"~1":5}"#).value(at: "/~01")?.description == "5")
    }

    @Test(arguments: [
        ("3", "3.0", true), ("3", "30e-1", true), ("9007199254740993", "9007199254740992", false),
        ("9007199254740993", "9007199254740993", true), ("1e400", "2e400", false), ("\"3\"", "3", false),
        ("{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true), ("{\"a\":1}", "{\"a\":1,\"b\":2}", false),
        ("[1,2]", "[2,1]", false),
        ("{\"a\":1,\"a\":2}", "{\"a\":2}", true), ("null", "false", false), ("true", "true", true),
    ])
    func `values are compared as data`(one: String, other: String, equal: Bool) throws {
        #expect(try (JSONValue(parsing: one) == JSONValue(parsing: other)) == equal)
    }
}
