// SPDX-License-Identifier: Apache-2.0
// What a shepherd is told on its standard input: one frame, whole or worth nothing.
//
//     "NJSO"  version (u32)  length of the rest (u64)  fields …  "END."
//
// Numbers are little-endian; a text or a run of bytes is its length (u64) and its bytes; a list is its count and its
// elements. Secrets travel here, so this is never a file, an argument or an environment variable.

/// The work order of one shepherd.
package struct ShepherdOrder: Hashable, Sendable {
    /// Raised when the fields change; a shepherd refuses any other.
    package static let version: UInt32 = 2

    /// The cookie of this run, unique for ever on this machine.
    package var stageID: String
    /// The absolute path of the run's folder, which exists.
    package var folder: String
    package var arguments: [String]
    /// The complete environment, `NAME=value`.
    package var environment: [String]
    package var workingDirectory: String
    package var timeoutMilliseconds: Int64
    /// 0: no limit.
    package var idleTimeoutMilliseconds: Int64
    package var graceMilliseconds: Int64
    /// Whether processes that outlive the command are services that stay.
    package var leavesServices: Bool
    /// Bytes of console output that are kept.
    package var outputLimit: Int64
    /// Values of secrets.
    package var needles: [String]
    package var standardInput: [UInt8]
    /// The path of a file to hold locked; nil for none.
    package var lock: String?

    package init(
        stageID: String, folder: String, arguments: [String], environment: [String], workingDirectory: String,
        timeoutMilliseconds: Int64, idleTimeoutMilliseconds: Int64, graceMilliseconds: Int64, leavesServices: Bool,
        outputLimit: Int64, needles: [String], standardInput: [UInt8], lock: String? = nil
    ) {
        self.stageID = stageID
        self.folder = folder
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.timeoutMilliseconds = timeoutMilliseconds
        self.idleTimeoutMilliseconds = idleTimeoutMilliseconds
        self.graceMilliseconds = graceMilliseconds
        self.leavesServices = leavesServices
        self.outputLimit = outputLimit
        self.needles = needles
        self.standardInput = standardInput
        self.lock = lock
    }
}

extension ShepherdOrder {
    private static let start = Array("NJSO".utf8)
    private static let end = Array("END.".utf8)

    /// The frame.
    package func encoded() -> [UInt8] {
        var fields = FrameWriter()
        fields.put(stageID)
        fields.put(folder)
        fields.put(arguments)
        fields.put(environment)
        fields.put(workingDirectory)
        fields.put(UInt64(bitPattern: timeoutMilliseconds))
        fields.put(UInt64(bitPattern: idleTimeoutMilliseconds))
        fields.put(UInt64(bitPattern: graceMilliseconds))
        fields.put(UInt64(leavesServices ? 1 : 0))
        fields.put(UInt64(bitPattern: outputLimit))
        fields.put(needles)
        fields.put(bytes: standardInput)
        fields.put(lock.map { [$0] } ?? [])
        var frame = FrameWriter()
        frame.bytes = ShepherdOrder.start
        frame.put(ShepherdOrder.version)
        frame.put(UInt64(fields.bytes.count + ShepherdOrder.end.count))
        return frame.bytes + fields.bytes + ShepherdOrder.end
    }

    /// Reads a frame; nil where it is incomplete, of another version or no frame at all.
    package init?(_ frame: [UInt8]) {
        var reader = FrameReader(frame)
        guard reader.raw(4) == ShepherdOrder.start[...], reader.number(4) == UInt64(ShepherdOrder.version),
            let length = reader.number(8), length == UInt64(reader.remaining), let stageID = reader.text(),
            let folder = reader.text(), let arguments = reader.texts(), let environment = reader.texts(),
            let workingDirectory = reader.text(), let timeout = reader.number(8), let idleTimeout = reader.number(8),
            let grace = reader.number(8), let leavesServices = reader.number(8), let outputLimit = reader.number(8),
            let needles = reader.texts(), let standardInput = reader.run(),
            let locks = reader.texts(), locks.count < 2, reader.raw(4) == ShepherdOrder.end[...], reader.remaining == 0
        else { return nil }
        self.init(
            stageID: stageID, folder: folder, arguments: arguments, environment: environment,
            workingDirectory: workingDirectory, timeoutMilliseconds: Int64(bitPattern: timeout),
            idleTimeoutMilliseconds: Int64(bitPattern: idleTimeout), graceMilliseconds: Int64(bitPattern: grace),
            leavesServices: leavesServices == 1, outputLimit: Int64(bitPattern: outputLimit), needles: needles,
            standardInput: Array(standardInput), lock: locks.first)
    }
}

private struct FrameWriter {
    var bytes: [UInt8] = []

    mutating func put(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func put(bytes run: [UInt8]) {
        put(UInt64(run.count))
        bytes.append(contentsOf: run)
    }

    mutating func put(_ text: String) {
        put(bytes: Array(text.utf8))
    }

    mutating func put(_ texts: [String]) {
        put(UInt64(texts.count))
        for text in texts { put(text) }
    }
}

private struct FrameReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    var remaining: Int { bytes.count - position }

    mutating func raw(_ count: Int) -> ArraySlice<UInt8>? {
        guard count >= 0, count <= remaining else { return nil }
        defer { position += count }
        return bytes[position..<position + count]
    }

    mutating func number(_ width: Int) -> UInt64? {
        raw(width)?.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    mutating func run() -> ArraySlice<UInt8>? {
        number(8).flatMap { Int(exactly: $0) }.flatMap { raw($0) }
    }

    mutating func text() -> String? {
        run().map { String(decoding: $0, as: UTF8.self) }
    }

    mutating func texts() -> [String]? {
        // Each element takes at least its length, so a count beyond that is no frame.
        guard let count = number(8), count <= UInt64(remaining / 8) else { return nil }
        var texts: [String] = []
        for _ in 0..<count {
            guard let text = text() else { return nil }
            texts.append(text)
        }
        return texts
    }
}
