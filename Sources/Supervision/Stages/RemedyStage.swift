// SPDX-License-Identifier: Apache-2.0
// Runbook commands of the operators.

import Domain
import Execution

/// Runs one of the operators' runbook commands.
struct RemedyStage: Sendable {
    let context: LoopContext
    let run: StageRun
    let surroundings: StageSurroundings

    func perform(_ started: Stopwatch) async -> StageRecord {
        let settings = context.settings.current
        guard let entry = settings.remedy.runbook.first(where: { $0.name == run.subject }) else {
            return started.record(run, .couldNotRun, "remedy.runbook has no \(run.subject ?? "such command")")
        }
        if surroundings.component == nil, entry.needsComponent {
            return started.record(run, .failed, "\(entry.name) needs a {component} and the diagnosis names none")
        }
        let values = PlaceholderValues(run, surroundings, settings)
        let main = await context.command(entry.command, role: "main", of: run, values: values, leavesServices: true)
        let outcome = main.stageOutcome
        // Why it could not is the first question.
        let said = main.succeeded || main.lastLine.isEmpty ? "" : ": \(main.lastLine)"
        return started.record(
            run, outcome, "\(main.words)\(said)", [main], infrastructure: outcome == .couldNotRun)
    }
}
