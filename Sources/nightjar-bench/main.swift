// SPDX-License-Identifier: Apache-2.0
//
// Measures Nightjar: what a cycle, a probe, an idle daemon, ten thousand cycles, a large report and a flood of output
// cost. docs/benchmarks.md says how, and what came out.

import Foundation

let usage = """
    usage: nightjar-bench BENCHMARK [options] [--json]
      cycle    [--cycles N]            a cycle of four supervised commands beside the bare commands
      probes   [--rounds N]            what one probe by our own client and one by curl adds
      idle     [--seconds N]           memory and processor time of a daemon that waits
      soak     [--cycles N]            memory, descriptors and threads after N cycles in one process
      reports  [--cases N] [--rounds N] JUnit readers beside each other
      flood    [--bytes N]             output through the shepherd
      proxy    [--megabytes N] [--rounds N] the fault proxy beside a plain relay (socat)
    """

let arguments = BenchArguments(Array(CommandLine.arguments.dropFirst()))
do {
    var report = BenchReport(benchmark: arguments.name)
    switch arguments.name {
    case "cycle": try await CycleBench.run(arguments, &report)
    case "probes": try await ProbeBench.run(arguments, &report)
    case "idle": try IdleBench.run(arguments, &report)
    case "soak": try await SoakBench.run(arguments, &report)
    case "reports": try ReportBench.run(arguments, &report)
    case "flood": try await FloodBench.run(arguments, &report)
    case "proxy": try ProxyBench.run(arguments, &report)
    case ReportBench.childName:
        try ReportBench.child(arguments.operands)
        exit(0)
    case FloodBench.childName:
        FloodBench.child(arguments.operands)
        exit(0)
    default:
        print(usage)
        exit(2)
    }
    print(arguments.wantsJSON ? report.json : report.text)
} catch {
    FileHandle.standardError.write(Data("nightjar-bench: \(error)\n".utf8))
    exit(1)
}
