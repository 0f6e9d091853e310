// SPDX-License-Identifier: Apache-2.0
//
// Measures Nightjar: what a cycle, a probe, an idle daemon, ten thousand cycles, a large report, logs and a flood of
// output cost. docs/benchmarks.md says how, and what came out.

import Foundation

let usage = """
    usage: nightjar-bench BENCHMARK [options] [--json]
      cycle    [--cycles N]            a cycle of four supervised commands beside the bare commands
      probes   [--rounds N]            what one probe by our own client and one by curl adds
      idle     [--seconds N]           memory and processor time of a daemon that waits
      soak     [--cycles N] [--keep N] memory, descriptors and threads after N cycles in one process
      reports  [--cases N] [--rounds N] JUnit readers beside each other
      logs     [--megabytes N] [--rounds N] log templates beside drain3, grep and awk
      flood    [--bytes N]             output through the shepherd
      culprit  [--histories N] [--seed S] culprit searches over the same synthetic histories; also --commits N,
                                       --flakes PERCENT, --reference 1 (deterministic culprits alone),
                                       --grid 1 (those in all sizes and rates of the reference)
      history  [--cycles N] [--tests N] the index of outcomes, beside SQLite (--peer 0: without)
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
    case "logs": try LogBench.run(arguments, &report)
    case "flood": try await FloodBench.run(arguments, &report)
    case "culprit": try CulpritBench.run(arguments, &report)
    case "history": try await HistoryBench.run(arguments, &report)
    case "proxy": try ProxyBench.run(arguments, &report)
    case ReportBench.childName:
        try ReportBench.child(arguments.operands)
        exit(0)
    case HistoryBench.childName:
        try HistoryBench.child(arguments.operands)
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
