// SPDX-License-Identifier: Apache-2.0
// Mines logs of any size into kinds of entries, in one pass and bounded memory. Most lines are one pass over their bytes
// and one lookup by hash; only lines of a shape not seen before reach the tree.

/// Give it files piece by piece, then `finish`. Not thread-safe.
package final class LogMiner {
    private let limits: LogLimits
    private let groupsEvents: Bool
    private let onEntry: ((Int, ClosedRange<Int>) -> Void)?
    private var tree: TemplateTree
    private var sources = SourceNames()
    private var files: [String] = []
    private var fileSource = 0
    private var cutter: LineCutter
    private var records: [Record] = []
    /// By template, exception and level; see `recordKey`.
    private var recordNumbers: [UInt64: Int32] = [:]
    /// By the hash of a masked line and its source.
    private var memo: [UInt64: Int32] = [:]
    /// What the words of a template say of its level where its lines name none.
    private var impliedLevels: [LogLevel?] = []
    private var open: [Int: Entry] = [:]
    private var lines = 0
    private var bytes = 0
    private var events = 0
    private var overflow = 0
    /// Room for a line without its escapes, for a JSON string without its own, and for a masked line.
    private let plain: UnsafeMutablePointer<UInt8>
    private let unquoted: UnsafeMutablePointer<UInt8>
    private let masked: UnsafeMutablePointer<UInt8>

    private static let memoLimit = 1 << 16

    /// One entry whose continuation lines may still come.
    private struct Entry {
        var template: Int32
        var exception: Int32 = -1
        var level: LogLevel?
        /// The line that evidence refers to: the header, or else the one that names the exception.
        var line: Int
        var offset: Int
        var file: Int
        var time: Int64?
        var isInTraceback = false
        var lines: ClosedRange<Int>
    }

    private struct Record {
        var template: Int32
        var exception: Int32
        var level: LogLevel?
        var source: Int
        var count = 0
        var before: Int?
        var file = 0
        var first = (line: 0, offset: 0)
        var last = (line: 0, offset: 0)
        var times: (first: Int64?, last: Int64?)
    }

    /// - Parameters:
    ///   - known: templates of another log, with which the lines are compared: what they match carries their count.
    ///   - groupsEvents: false makes every line an entry of its own.
    package convenience init(
        limits: LogLimits = LogLimits(), known: [LogTemplate] = [], groupsEvents: Bool = true
    ) {
        self.init(limits: limits, known: known, groupsEvents: groupsEvents, onEntry: nil)
    }

    /// - Parameter onEntry: told of each entry when it is whole: the index of its record, and its lines.
    init(
        limits: LogLimits, known: [LogTemplate], groupsEvents: Bool, onEntry: ((Int, ClosedRange<Int>) -> Void)?
    ) {
        self.limits = limits
        self.onEntry = onEntry
        self.groupsEvents = groupsEvents
        tree = TemplateTree(limit: limits.templates)
        cutter = LineCutter(limit: limits.lineBytes)
        plain = .allocate(capacity: limits.lineBytes + 16)
        unquoted = .allocate(capacity: limits.lineBytes + 16)
        masked = .allocate(capacity: LineMask.room(limits.lineBytes + 16))
        for template in known { learn(template) }
    }

    deinit {
        plain.deallocate()
        unquoted.deallocate()
        masked.deallocate()
    }

    /// Begins a file. Its lines are of `source`, but for those that name their service themselves.
    package func begin(file: String, source: String) {
        endFile()
        files.append(file)
        fileSource = sources.number(Array(source.utf8), limit: limits.sources) ?? 0
        cutter = LineCutter(limit: limits.lineBytes)
    }

    package func take(_ chunk: UnsafeRawBufferPointer) {
        if files.isEmpty { begin(file: "", source: "") }
        var cutter = cutter
        // The cutter holds what it carries over: two holders would copy it.
        self.cutter = LineCutter(limit: limits.lineBytes)
        cutter.take(chunk) { line($0) }
        self.cutter = cutter
    }

    package func take(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { take($0) }
    }

    package func finish() -> LogProfile {
        endFile()
        let templates = records.indices.filter { records[$0].count > 0 }.map { template(ofRecord: $0) }
        return LogProfile(
            files: files, lines: lines, events: events, bytes: bytes,
            templates: templates.sorted { ($0.file, $0.firstLine) < ($1.file, $1.firstLine) }, overflow: overflow)
    }

    func template(ofRecord index: Int) -> LogTemplate {
        let record = records[index]
        return LogTemplate(
            source: sources.name(record.source), level: record.level?.name, template: tree.text(record.template),
            exception: record.exception < 0 ? nil : tree.text(record.exception), count: record.count,
            file: record.file, firstLine: record.first.line, lastLine: record.last.line,
            firstOffset: record.first.offset, lastOffset: record.last.offset, firstTime: record.times.first,
            lastTime: record.times.last, countBefore: record.before)
    }

    private func endFile() {
        var cutter = cutter
        cutter.finish { line($0) }
        lines += cutter.lines
        bytes += cutter.bytes
        self.cutter = LineCutter(limit: limits.lineBytes)
        for entry in open.sorted(by: { $0.value.line < $1.value.line }) { commit(entry.value, entry.key) }
        open = [:]
    }

    // MARK: - Lines

    private func line(_ raw: RawLine) {
        var bytes = raw.bytes
        if raw.isStyled {
            bytes = Bytes(start: UnsafePointer(plain), count: TerminalText.strip(raw.bytes, into: plain))
        }
        guard bytes.contains(where: { $0 > 32 }) else { return }
        let head = LineHead(bytes) { sources.known($0) != nil }
        var source = fileSource
        if let name = head.source, let number = sources.number(bytes[name], limit: limits.sources) { source = number }
        if bytes[safe: head.messageStart] == UInt8(ascii: "{"), let json = JSONLine(bytes, head.messageStart),
            let message = json.message
        {
            structured(bytes, json, message, raw, head, source)
        } else if !groupsEvents || !continues(bytes, raw, head, source) {
            let template = template(of: Bytes(rebasing: bytes[head.messageStart...]), source)
            begin(template, head.level, head.time, raw, source)
        }
    }

    private func structured(
        _ line: Bytes, _ json: JSONLine, _ message: Range<Int>, _ raw: RawLine, _ head: LineHead, _ tagged: Int
    ) {
        var source = tagged
        if head.source == nil, let name = json.service,
            let number = sources.number(line[name], limit: limits.sources)
        {
            source = number
        }
        var level = json.level
        var count = unescape(Bytes(rebasing: line[message]))
        if let status = json.status {
            for byte in " status=".utf8 {
                unquoted[count] = byte
                count += 1
            }
            for index in status {
                unquoted[count] = line[index]
                count += 1
            }
            if line[status.lowerBound] == UInt8(ascii: "5") { level = max(level ?? .error, .error) }
        }
        let time = head.time ?? json.time.flatMap { ISOTime.read(line, $0.lowerBound)?.milliseconds }
        let text = Bytes(start: UnsafePointer(unquoted), count: count)
        begin(template(of: text, source), level, time, raw, source)
        guard groupsEvents, let trace = json.exception else { return }
        attach(Bytes(rebasing: line[JSONLine.exceptionLine(line, trace)]), nil, source)
    }

    /// Writes a JSON string's text to `unquoted`, which has room for the status as well, and returns its length.
    private func unescape(_ text: Bytes) -> Int {
        var (index, count) = (0, 0)
        let end = min(text.count, limits.lineBytes - 16)
        while index < end {
            var byte = text[index]
            if byte == UInt8(ascii: "\\"), index + 1 < text.count {
                index += 1
                byte = text[index]
                if byte == UInt8(ascii: "n") || byte == UInt8(ascii: "t") || byte == UInt8(ascii: "r") { byte = 32 }
            }
            unquoted[count] = byte
            count += 1
            index += 1
        }
        return count
    }

    // MARK: - Continuation lines

    /// Takes a line that belongs to the entry before it.
    private func continues(_ line: Bytes, _ raw: RawLine, _ head: LineHead, _ source: Int) -> Bool {
        guard head.time == nil, head.level == nil || head.level == .error, open[source] != nil else { return false }
        let text = Bytes(rebasing: line[head.contentStart...])
        let kind = Continuation(text, inTraceback: open[source]?.isInTraceback ?? false)
        switch kind {
        case .none: return false
        case .exception:
            let isBad = (open[source]?.level ?? .info) >= .error || open[source]?.isInTraceback == true
            guard isBad || text.starts(with: "Caused by".utf8) else { return false }
            open[source]?.isInTraceback = false
            attach(text, raw, source)
        case .traceback: open[source]?.isInTraceback = true
        case .more: guard head.level == nil else { return false }
        }
        if let begin = open[source]?.lines.lowerBound { open[source]?.lines = begin...raw.number }
        return true
    }

    private func attach(_ text: Bytes, _ raw: RawLine?, _ source: Int) {
        let exception = template(of: text, source)
        open[source]?.exception = exception
        if let raw {
            open[source]?.line = raw.number
            open[source]?.offset = raw.offset
        }
    }

    // MARK: - Counting

    /// -1 where there is no room for a new one.
    private func template(of text: Bytes, _ source: Int) -> Int32 {
        let count = LineMask.mask(text, into: masked)
        let hash = LineMask.hash(masked, count, seed: UInt64(source &+ 1))
        if let known = memo[hash] { return known }
        let line = Bytes(start: UnsafePointer(masked), count: count)
        guard let (template, isNew) = tree.place(line, source: source) else { return -1 }
        if isNew { impliedLevels.append(ImpliedLevel.of(line)) }
        if memo.count >= LogMiner.memoLimit { memo.removeAll(keepingCapacity: true) }
        memo[hash] = template
        return template
    }

    private func begin(_ template: Int32, _ level: LogLevel?, _ time: Int64?, _ raw: RawLine, _ source: Int) {
        let implied = template < 0 ? nil : impliedLevels[Int(template)]
        let entry = Entry(
            template: template, level: level ?? implied, line: raw.number, offset: raw.offset,
            file: files.count - 1, time: time, lines: raw.number...raw.number)
        if !groupsEvents {
            commit(entry, source)
        } else if let before = open.updateValue(entry, forKey: source) {
            commit(before, source)
        }
    }

    private func commit(_ entry: Entry, _ source: Int) {
        events += 1
        guard entry.template >= 0 else {
            overflow += 1
            return
        }
        let level = entry.exception >= 0 ? max(entry.level ?? .error, .error) : entry.level
        let index = record(entry.template, entry.exception, level, source)
        onEntry?(index, entry.lines)
        records[index].count += 1
        records[index].last = (entry.line, entry.offset)
        if let time = entry.time { records[index].times.last = time }
        if records[index].count == 1 {
            records[index].file = entry.file
            records[index].first = (entry.line, entry.offset)
            records[index].times.first = entry.time
        }
    }

    private func record(_ template: Int32, _ exception: Int32, _ level: LogLevel?, _ source: Int) -> Int {
        let key =
            UInt64(UInt32(bitPattern: template)) << 32 | UInt64(UInt32(bitPattern: exception) & 0xff_ffff) << 8
            | UInt64(level?.rawValue ?? 0)
        if let known = recordNumbers[key] { return Int(known) }
        records.append(
            Record(template: template, exception: exception, level: level, source: source, times: (nil, nil)))
        recordNumbers[key] = Int32(records.count - 1)
        return records.count - 1
    }

    /// Puts a template of another log into the tree.
    private func learn(_ known: LogTemplate) {
        guard let source = sources.number(Array(known.source.utf8), limit: limits.sources) else { return }
        let header = place(known.template, source)
        let exception = known.exception.map { place($0, source) } ?? -1
        guard header >= 0 else { return }
        let index = record(header, exception, known.severity, source)
        records[index].before = (records[index].before ?? 0) + known.count
    }

    private func place(_ text: String, _ source: Int) -> Int32 {
        Array(text.utf8).withUnsafeBufferPointer { bytes in
            guard let (template, isNew) = tree.place(bytes, source: source) else { return -1 }
            if isNew { impliedLevels.append(ImpliedLevel.of(bytes)) }
            return template
        }
    }
}

/// Who writes: few names, looked up by their bytes.
private struct SourceNames {
    private var names: [[UInt8]] = []

    func known(_ name: Bytes) -> Int? {
        names.firstIndex { $0.count == name.count && $0.elementsEqual(name) }
    }

    /// Its number, or that of the first name where there is no room.
    mutating func number(_ name: some Collection<UInt8>, limit: Int) -> Int? {
        if let known = names.firstIndex(where: { $0.count == name.count && $0.elementsEqual(name) }) { return known }
        guard names.count < limit else { return names.isEmpty ? nil : 0 }
        names.append(Array(name))
        return names.count - 1
    }

    func name(_ number: Int) -> String { String(decoding: names[number], as: UTF8.self) }
}
