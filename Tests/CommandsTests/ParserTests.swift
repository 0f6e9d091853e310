// SPDX-License-Identifier: Apache-2.0
// The command line word by word.

import Commands
import Testing

@Suite struct ParserTests {
    private let parser = ArgumentParser(
        CommandDescription(
            "try", "try things", operands: [OperandDescription("WHAT", "a thing", isRequired: true)],
            options: [
                .flag("follow", short: "f", "go on"), .value("number", "N", short: "n", "how many"),
                .value("mark", "MARK", "which", completion: .words(["FAIL", "ok"]), repeats: true),
                .flag("json", short: "j", "as JSON"),
            ]))

    private func problem(_ words: String...) -> String {
        do throws(CommandError) {
            _ = try parser.parse(words)
            return "none"
        } catch {
            #expect(error.exitCode == .usage)
            return error.description.split(separator: "\n").first.map(String.init) ?? ""
        }
    }

    @Test func `options stand anywhere and in every form`() throws {
        let parsed = try parser.parse(["--number=5", "thing", "-fj", "--mark", "FAIL", "--mark=ok"])
        #expect(parsed.value("number") == "5")
        #expect(try parsed.integer("number", in: 1...9) == 5)
        #expect(parsed.flag("follow") && parsed.flag("json"))
        #expect(parsed.all("mark") == ["FAIL", "ok"])
        #expect(parsed.operands == ["thing"])
        #expect(try parser.parse(["x", "-n", "7"]).value("number") == "7")
        #expect(try parser.parse(["x", "-n7"]).value("number") == "7")
        #expect(try parser.parse(["x", "--number="]).value("number")?.isEmpty == true)
    }

    @Test func `after two dashes everything is an operand`() throws {
        #expect(try parser.parse(["--", "--follow"]).operands == ["--follow"])
        #expect(try parser.parse(["-"]).operands == ["-"])
    }

    @Test func `help needs no operands`() throws {
        #expect(try parser.parse(["--help"]).flag("help"))
        #expect(try parser.parse(["-h"]).flag("help"))
    }

    @Test func `what is wrong is said with the way out`() {
        #expect(problem("x", "--folow") == "unknown option '--folow' of 'try'; did you mean '--follow'?")
        #expect(problem("x", "--zzzzzz") == "unknown option '--zzzzzz' of 'try'")
        #expect(problem("x", "-z") == "unknown option '-z' of 'try'")
        #expect(problem("x", "--json=yes") == "option '--json' takes no value")
        #expect(problem("x", "--number") == "option '--number' needs its N")
        #expect(problem("x", "--number", "--json") == "option '--number' needs its N")
        #expect(problem("x", "-n", "1", "-n", "2") == "option '--number' is given twice")
        #expect(problem("x", "--mark", "fial") == "option '--mark' takes FAIL, ok, not 'fial'")
        #expect(problem("x", "y") == "unexpected 'y' after 'try'")
        #expect(problem() == "'try' needs WHAT: a thing")
    }

    @Test func `a number out of range is refused`() throws {
        let parsed = try parser.parse(["x", "-n", "12"])
        #expect(throws: CommandError.usage("option '--number' takes a whole number, 1 to 9, not '12'", command: "try"))
        {
            try parsed.integer("number", in: 1...9)
        }
    }
}
