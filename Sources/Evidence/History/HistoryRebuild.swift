// SPDX-License-Identifier: Apache-2.0
// Puts a damaged history index right. A torn tail is cut. Any other damage costs a new generation: cycles that still
// have their folder are read from it again, all others are carried over frame by frame.

import Platform

package enum HistoryRebuild {
    /// Where the frame of a cycle lies.
    private struct Place {
        var offset: Int
        var count: Int
    }

    /// Writes the index again, whatever state it is in.
    package static func run(_ layout: EvidenceLayout) throws(EvidenceError) {
        var ignored = HistoryUpdate()
        let folder = layout.history
        try onDisk("create", folder) { () throws(SystemError) in _ = try Files.createDirectory(folder) }
        let old = try HistoryGeneration.newest(layout) ?? HistoryGeneration(folder: folder, number: 0)
        _ = try renew(layout, old, try places(old).places, &ignored)
    }

    static func repair(
        _ layout: EvidenceLayout, _ generation: HistoryGeneration, _ size: Int, _ result: inout HistoryUpdate
    ) throws(EvidenceError) -> HistoryStore {
        let (places, scanner) = try places(generation)
        if scanner.damagedBytes == 0, Files.exists(generation.names) || places.isEmpty {
            let names = Files.exists(generation.names) ? try HistoryNames(generation.names) : HistoryNames()
            if names.damagedBytes == 0 {
                result.cutBytes = size - scanner.end
                return HistoryStore(layout, generation, names, end: scanner.end, last: places.keys.max() ?? 0)
            }
        }
        return try renew(layout, generation, places, &result)
    }

    private static func places(
        _ generation: HistoryGeneration
    ) throws(EvidenceError) -> (places: [Int: Place], scanner: FrameScanner) {
        var scanner = FrameScanner()
        var places: [Int: Place] = [:]
        guard Files.exists(generation.runs) else { return ([:], scanner) }
        try HistoryFiles.scan(generation.runs, &scanner) { payload, offset in
            guard let cycle = HistoryCoding.cycle(of: payload) else { return }
            let around = HistoryFormat.prefixBytes + HistoryFormat.suffixBytes
            places[cycle] = Place(offset: offset, count: payload.count + around)
        }
        return (places, scanner)
    }

    private static func renew(
        _ layout: EvidenceLayout, _ old: HistoryGeneration, _ places: [Int: Place], _ result: inout HistoryUpdate
    ) throws(EvidenceError) -> HistoryStore {
        let new = HistoryGeneration(folder: old.folder, number: old.number + 1, isFinished: false)
        try discard(layout) { $0 == new.number }
        let bytes = places.isEmpty ? [] : try contents(old.runs) ?? []
        var names = try salvage(old, new, bytes)
        try names.write(to: new.names)
        var store = HistoryStore(layout, new, names, end: 0, last: 0)
        let reader = CycleReader(layout)
        let sealed = Set(try reader.numbers().filter { reader.isSealed($0) })
        for cycle in sealed.union(places.keys).sorted() {
            if sealed.contains(cycle), let record = try? reader.record(cycle) {
                try store.append(HistoryCycle(record, layout))
            } else if let place = places[cycle] {
                try store.append(frame: Array(bytes[place.offset..<place.offset + place.count]), cycle: cycle)
            }
        }
        let finished = try store.finish()
        try discard(layout) { $0 < new.number }
        result.isRebuilt = true
        return finished
    }

    /// The names that can still be read, with the numbers kept free that runs use without a name.
    private static func salvage(
        _ old: HistoryGeneration, _ new: HistoryGeneration, _ runs: [UInt8]
    ) throws(EvidenceError) -> HistoryNames {
        var frames: [UInt8] = []
        if Files.exists(old.names) {
            var scanner = FrameScanner()
            try HistoryFiles.scan(old.names, &scanner) { payload, _ in frames += HistoryFormat.frame(Array(payload)) }
        }
        if !frames.isEmpty { try HistoryFiles.append(frames, to: new.names, end: 0) }
        var names = frames.isEmpty ? HistoryNames() : try HistoryNames(new.names)
        var used: [Int: Int] = [:]
        var scanner = FrameScanner()
        let note: (UnsafeRawBufferPointer, Int) -> Void = { payload, _ in
            HistoryFrame.forEachRun(payload) { run in
                used[run.suite] = max(used[run.suite] ?? 0, run.endOfRanges)
            }
        }
        runs.withUnsafeBytes { scanner.push($0, note) }
        scanner.finish(note)
        for (suite, end) in used.sorted(by: { $0.key < $1.key }) { names.reserve(suite: suite, below: end) }
        return names
    }

    /// Removes the files of generations that `matches` says.
    private static func discard(_ layout: EvidenceLayout, _ matches: (Int) -> Bool) throws(EvidenceError) {
        for name in try names(in: layout.history) {
            let parts = name.split(whereSeparator: { $0 == "-" || $0 == "." })
            guard parts.count > 1, let number = EvidenceLayout.number(parts[1]), matches(number) else { continue }
            let path = "\(layout.history)/\(name)"
            try onDisk("remove", path) { () throws(SystemError) in try Files.remove(path) }
        }
    }
}

extension HistoryStore {
    /// Gives the `runs` file of a new generation its name: from then on it is the index.
    fileprivate func finish() throws(EvidenceError) -> HistoryStore {
        let done = HistoryGeneration(folder: files.folder, number: files.number)
        let (from, target, folder) = (files.runs, done.runs, files.folder)
        let isEmpty = end == 0
        try onDisk("name", target) { () throws(SystemError) in
            let file = try DiskFile(from, .appending)
            if isEmpty { try file.write(HistoryFormat.header) }
            try file.sync()
            try Files.rename(from, to: target)
            try Files.synchronizeDirectory(folder)
        }
        return HistoryStore(
            layout, done, names, end: isEmpty ? HistoryFormat.header.count : end, last: lastCycle)
    }
}
