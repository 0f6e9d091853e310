// SPDX-License-Identifier: Apache-2.0
// A commit after which failing checks may no longer be seen is taken back alone, and everything runs once more.

import Domain
import Testing

@testable import Triage

struct MutingTests {
    @Test(arguments: [
        "        except (AssertionError, KeyError):", "    except:", "except Exception as error:",
        "with contextlib.suppress(Exception):", "@pytest.mark.skip(reason='slow')", "pytest.skip('not now')",
        "def pytest_runtest_makereport(item, call):", "report.outcome = 'passed'", "run_checks || true", "set +e",
        "} catch (error) {", "  await check().catch(() => {})", "try? check()", "t.Skip()", "it.only('works', () => {",
        "    continue-on-error: true", "#[ignore]",
    ])
    func `lines that may keep a failure from being seen`(line: String) { #expect(MutingLine.isMuting(line)) }

    @Test(arguments: [
        "# except: nothing", "    assert answer == 3", "except KeyError:", "for item in items:", "// .only(",
        "exceptional = 3", "do {} catch let known as KnownError {", "client = Client(timeout=3)",
    ])
    func `lines that hide nothing`(line: String) { #expect(!MutingLine.isMuting(line)) }

    @Test func `of tests alone such lines are looked at`() {
        #expect(MutingLine.mayStand(in: "tests/e2e/conftest.py"))
        #expect(MutingLine.mayStand(in: "scripts/check.sh"))
        #expect(!MutingLine.mayStand(in: "src/server.py"))
    }

    /// Everything passes; `commit-1` of three made the helper of the tests tolerant. Without it `failing` fail.
    private func scene(_ failing: @escaping (StageRun) -> [String]) -> Scene {
        var scene = Scene(commits: 3, files: { $0 == 1 ? ["tests/conftest.py"] : ["src/\($0).py"] }) { run, _ in
            guard run.kind == .test else { return Scene.Ending() }
            return Scene.tests(run, failing: run.purpose == .revert ? failing(run) : [], message: "answered 5, not 6")
        }
        scene.facts.commits[1].changes = [
            FileChange(path: "tests/conftest.py", added: 2, removed: 0, mutes: "except AssertionError:")
        ]
        scene.facts.burnIn = BurnInSettings()
        scene.run(.test, suite: "login")
        scene.facts.suites[0].status = .passed
        return scene
    }

    @Test func `where everything passes without it, one deployment is all it costs`() {
        var scene = scene { _ in [] }
        #expect(scene.investigate().isEmpty)
        #expect(scene.asked.map(\.kind) == [.revert])
        #expect(scene.asked.first?.reverting == Revision("commit-1"))
        #expect(scene.asked.first?.tests == [Experiment.Selection(suite: "login", only: [])])
        #expect(
            scene.asked.first?.question
                == "commit-1 may keep failures from being seen (tests/conftest.py: except AssertionError:): do the suites pass without it?"
        )
    }

    @Test func `what fails without it is run twice more, alone`() {
        var scene = scene { _ in ["t2", "t5"] }
        _ = scene.investigate()
        #expect(scene.asked.map(\.kind) == [.revert, .revert])
        #expect(scene.asked.map(\.times) == [1, 2])
        #expect(scene.asked.last?.tests == [Experiment.Selection(suite: "login", only: ["t2", "t5"])])
    }

    @Test func `a pass that hid failures is blamed on the commit that hid them`() throws {
        var scene = scene { _ in ["t2"] }
        scene.facts.doubts = [
            Reason(
                rule: Reason.checksMuted, verdict: .unproven, text: "1 test passes here, and without it fails",
                subject: "login")
        ]
        let incident = try #require(scene.investigate().first)
        let diagnosis = try #require(incident.diagnosis)
        #expect(diagnosis.category == .fakeEvidence)
        #expect(diagnosis.culprit?.commit == Revision("commit-1"))
        #expect(diagnosis.recommendedAction == .rejectReport)
        #expect(incident.tests == ["t2"])
        #expect(diagnosis.whys.allSatisfy { !$0.evidence.isEmpty })
        #expect(diagnosis.whys[1].answer == "t2 fails without commit-1: answered 5, not 6")
        #expect(diagnosis.whys[2].answer.contains("tests/conftest.py keeps failures from being seen"))
    }

    @Test func `a test that failed once by luck without another commit blames nobody`() throws {
        var scene = Scene(commits: 3, files: { ["tests/conftest\($0).py"] }) { run, _ in
            guard run.kind == .test else { return Scene.Ending() }
            guard run.purpose == .revert else { return Scene.tests(run, failing: []) }
            let isHiding = run.revision.id.hasSuffix("commit-0")
            return Scene.tests(run, failing: isHiding ? ["t2"] : run.only == nil ? ["t5"] : [])
        }
        for index in 0...1 {
            scene.facts.commits[index].changes = [
                FileChange(path: "tests/conftest\(index).py", added: 1, removed: 0, mutes: "except:")
            ]
        }
        scene.facts.burnIn = BurnInSettings()
        scene.run(.test, suite: "login")
        scene.facts.suites[0].status = .passed
        scene.facts.doubts = [
            Reason(rule: Reason.checksMuted, verdict: .unproven, text: "hidden", subject: "login")
        ]
        let incident = try #require(scene.investigate().first)
        #expect(scene.asked.map(\.times) == [1, 2, 1, 2])
        #expect(incident.diagnosis?.culprit?.commit == Revision("commit-0"))
        #expect(incident.tests == ["t2"])
    }

    @Test func `nothing is tried where deployments are barred, or a test fails, or nothing is suspicious`() {
        var barred = scene { _ in ["t2"] }
        barred.facts.allowance.deploysBarred = "triage.mayDeploy is false"
        #expect(barred.investigate().isEmpty)
        #expect(barred.asked.isEmpty)
        var known = scene { _ in ["t2"] }
        known.facts.burnIn = nil
        #expect(known.investigate().isEmpty)
        #expect(known.asked.isEmpty)
        var plain = scene { _ in ["t2"] }
        plain.facts.commits[1].changes[0].mutes = nil
        #expect(plain.investigate().isEmpty)
        #expect(plain.asked.isEmpty)
        var conflicting = scene { _ in ["t2"] }
        conflicting.facts.irrevertible[Revision("commit-1")] = "conflicts"
        #expect(conflicting.investigate().isEmpty)
        #expect(conflicting.asked.isEmpty)
    }
}
