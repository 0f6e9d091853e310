// SPDX-License-Identifier: Apache-2.0
// What the kernel says about this machine right now, from /proc. Values that it does not give are nil.

import Glibc

/// Memory, descriptors, load and pressure.
package struct HostReadings: Hashable, Sendable {
    package var availableMemory: Int64?
    package var memory: Int64?
    /// Open files of the whole system, and how many there may be.
    package var openFiles: Int64?
    package var mostOpenFiles: Int64?
    package var ownDescriptors: Int?
    package var mostOwnDescriptors: Int?
    /// Average number of tasks that want to run, over the last minute.
    package var load: Double?
    package var processors: Int
    package var cpuPressure: Pressure?
    package var memoryPressure: Pressure?
    package var ioPressure: Pressure?
    /// Microseconds since boot that the hypervisor gave to others, over all processors.
    package var stolen: Int64?

    /// Pressure stall information: shares of time in which tasks waited (kernel documentation, accounting/psi).
    package struct Pressure: Hashable, Sendable {
        /// Percent of the last ten seconds in which at least one task waited.
        package var someOfTen: Double
        /// The same in microseconds since boot.
        package var someTotal: Int64
        /// Percent of the last ten seconds in which all did.
        package var fullOfTen: Double?
    }

    /// A dozen small reads, well below a millisecond.
    package static func now() -> HostReadings {
        var readings = HostReadings(processors: max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))))
        let memory = lines("/proc/meminfo")
        readings.availableMemory = kibibytes("MemAvailable:", memory)
        readings.memory = kibibytes("MemTotal:", memory)
        let files = words(lines("/proc/sys/fs/file-nr").first)
        if files.count == 3 {
            readings.openFiles = Int64(files[0])
            readings.mostOpenFiles = Int64(files[2])
        }
        readings.ownDescriptors = (try? Files.list("/proc/self/fd")).map(\.count)
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            readings.mostOwnDescriptors = Int(clamping: limit.rlim_cur)
        }
        readings.load = words(lines("/proc/loadavg").first).first.flatMap { Double($0) }
        readings.cpuPressure = pressure("/proc/pressure/cpu")
        readings.memoryPressure = pressure("/proc/pressure/memory")
        readings.ioPressure = pressure("/proc/pressure/io")
        let times = words(lines("/proc/stat").first)
        if times.count > 8, let ticks = Int64(times[8]) {
            readings.stolen = ticks * 1_000_000 / Int64(max(1, ProcessTable.ticksPerSecond))
        }
        return readings
    }

    private init(processors: Int) {
        self.processors = processors
    }

    private static func lines(_ path: String) -> [Substring] {
        guard let file = try? Descriptor.open(path, O_RDONLY) else { return [] }
        let bytes = (try? file.readAll(limit: 64 << 10, path: path).bytes) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    }

    private static func words(_ line: Substring?) -> [Substring] {
        line?.split(whereSeparator: { $0 == " " || $0 == "\t" }) ?? []
    }

    private static func kibibytes(_ name: String, _ lines: [Substring]) -> Int64? {
        let found = words(lines.first { $0.hasPrefix(name) })
        return found.count >= 2 ? Int64(found[1]).map { $0 << 10 } : nil
    }

    /// `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`, and `full …`.
    static func pressure(_ path: String) -> Pressure? {
        var some: (ten: Double, total: Int64)?
        var full: Double?
        for line in lines(path) {
            let fields = words(line)
            guard let ten = value("avg10=", fields).flatMap({ Double($0) }),
                let total = value("total=", fields).flatMap({ Int64($0) })
            else { continue }
            if fields.first == "some" { some = (ten, total) } else { full = ten }
        }
        return some.map { Pressure(someOfTen: $0.ten, someTotal: $0.total, fullOfTen: full) }
    }

    private static func value(_ name: String, _ fields: [Substring]) -> Substring? {
        fields.first { $0.hasPrefix(name) }?.dropFirst(name.count)
    }
}
