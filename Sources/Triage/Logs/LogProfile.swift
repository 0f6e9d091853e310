// SPDX-License-Identifier: Apache-2.0
// What a log came to: its kinds of lines with their counts.

/// How much of a log is looked at and remembered.
package struct LogLimits: Hashable, Sendable {
    /// Bytes of one line; the rest of a longer one is passed over.
    package var lineBytes: Int
    /// Kinds of lines; further ones are counted together.
    package var templates: Int
    package var sources: Int

    package init(lineBytes: Int = 16 << 10, templates: Int = 5000, sources: Int = 64) {
        self.lineBytes = lineBytes
        self.templates = templates
        self.sources = sources
    }
}

/// One kind of log entry: a header line, and the exception that its continuation lines name, if any.
package struct LogTemplate: Codable, Hashable, Sendable {
    package var source: String
    /// See `LogLevel.name`; nil where the lines name none.
    package var level: String?
    /// The header with `<*>` for what varies.
    package var template: String
    /// The line that names the exception, masked too.
    package var exception: String?
    package var count: Int
    /// Index into the profile's files, of the first occurrence.
    package var file: Int
    /// Of the first and the last occurrence, counted from 1; the line that names the exception where there is one. The
    /// last one may be in a later file.
    package var firstLine: Int
    package var lastLine: Int
    /// Where the first line begins, in bytes.
    package var firstOffset: Int
    package var lastOffset: Int
    /// Milliseconds since 1970, where the lines name a time.
    package var firstTime: Int64?
    package var lastTime: Int64?
    /// How often it was seen in the log that the miner knew; nil where it knew none or not this one.
    package var countBefore: Int?

    package init(
        source: String, level: String?, template: String, exception: String? = nil, count: Int, file: Int = 0,
        firstLine: Int = 0, lastLine: Int = 0, firstOffset: Int = 0, lastOffset: Int = 0, firstTime: Int64? = nil,
        lastTime: Int64? = nil, countBefore: Int? = nil
    ) {
        self.source = source
        self.level = level
        self.template = template
        self.exception = exception
        self.count = count
        self.file = file
        self.firstLine = firstLine
        self.lastLine = lastLine
        self.firstOffset = firstOffset
        self.lastOffset = lastOffset
        self.firstTime = firstTime
        self.lastTime = lastTime
        self.countBefore = countBefore
    }

    /// Header and exception.
    package var text: String { exception.map { "\(template): \($0)" } ?? template }

    package var severity: LogLevel? { level.flatMap { LogLevel(name: $0) } }
}

/// What mining some log files came to.
package struct LogProfile: Codable, Hashable, Sendable {
    package static let schemaName = "nightjar.templates/1"
    package var schema = LogProfile.schemaName
    package var files: [String]
    package var lines: Int
    /// Entries: lines without their continuation lines.
    package var events: Int
    package var bytes: Int
    /// In the order of their first occurrence.
    package var templates: [LogTemplate]
    /// Entries of kinds for which there was no room.
    package var overflow: Int

    package init(
        files: [String], lines: Int, events: Int, bytes: Int, templates: [LogTemplate], overflow: Int = 0
    ) {
        self.files = files
        self.lines = lines
        self.events = events
        self.bytes = bytes
        self.templates = templates
        self.overflow = overflow
    }

    /// The same with at most `limit` templates: errors first, then the most frequent ones.
    package func trimmed(to limit: Int) -> LogProfile {
        guard templates.count > limit else { return self }
        let order = templates.indices.sorted { one, other in
            let errors = (
                (templates[one].severity ?? .info) >= .error, (templates[other].severity ?? .info) >= .error
            )
            if errors.0 != errors.1 { return errors.0 }
            return (templates[other].count, one) < (templates[one].count, other)
        }
        var shorter = self
        shorter.templates = order.prefix(limit).sorted().map { templates[$0] }
        shorter.overflow += order.dropFirst(limit).reduce(0) { $0 + templates[$1].count }
        return shorter
    }
}
