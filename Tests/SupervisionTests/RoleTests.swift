// SPDX-License-Identifier: Apache-2.0
// Roles with real commands: the example set that mends by revert, and what wrong and hostile ones come to.

import Domain
import Evidence
import Execution
import Platform
import TestSupport
import Testing

@testable import Supervision

struct RoleTests {
    private static let done = "echo '{\"decision\": \"done\", \"summary\": \"ok\"}'"
    private static let enter = "cat > /dev/null; cd \"$NIGHTJAR_WORKTREE\"; "

    private func example(_ name: String) -> CommandSettings {
        let root = Files.parent(of: Files.parent(of: Files.parent(of: #filePath)))
        return CommandSettings(
            arguments: ["/bin/sh", "\(root)/config/examples/roles/\(name).sh"], timeout: .seconds(60))
    }

    /// A fixture whose implementing role does `text` in its working tree and then says that it is done.
    private func fixture(
        _ text: String, timeout: Duration = .seconds(30), review: CommandSettings? = nil,
        change: (inout FixSettings) -> Void = { _ in }
    ) async throws -> RoleFixture {
        let command = RoleFixture.script(Self.enter + text + "; " + Self.done, timeout: timeout)
        return try await RoleFixture(roles: RoleSettings(implement: command, review: review), change: change)
    }

    // MARK: - The example set

    @Test func `the example set takes the culprit back, on a branch of its own`() async throws {
        var fixture = try await RoleFixture(
            roles: RoleSettings(implement: example("implement"), review: example("review")))
        let implemented = await fixture.step("implement")
        #expect(implemented.outcome == .succeeded, "\(implemented.summary)")
        let audited = await fixture.step("audit")
        #expect(audited.outcome == .succeeded, "\(audited.summary)")
        let reviewed = await fixture.step("review")
        #expect(reviewed.outcome == .succeeded, "\(reviewed.summary)")
        let committed = await fixture.step("commit")
        #expect(committed.outcome == .succeeded, "\(committed.summary)")
        let app = fixture.folder("app")
        let fixed = try #require(committed.role?.revision)
        #expect(committed.role?.branch == "nightjar/fix-INC-3")
        #expect(try await RoleFixture.git(["rev-parse", "nightjar/fix-INC-3^"], in: app) == fixture.wanted.id)
        #expect(try await RoleFixture.git(["show", "\(fixed.id):src/price"], in: app) == "1\n2\n3")
        // Tests stay, the operators' branch stays, and so does their working tree.
        #expect(try await RoleFixture.git(["show", "\(fixed.id):test/price"], in: app) == "expect 1\nexpect 20")
        #expect(try await RoleFixture.git(["rev-parse", "main"], in: app) == fixture.wanted.id)
        #expect(try await RoleFixture.git(["status", "--porcelain"], in: app) == "")
        let message = try await RoleFixture.git(["show", "--no-patch", "--format=%B", fixed.id], in: app)
        for trailer in [
            "Nightjar-Incident: INC-3", "Nightjar-Cycle: 7", "Nightjar-Loop: \(fixture.name)",
            "Nightjar-Diagnosis: code-regression, proven, \(fixture.culprit.id)",
        ] {
            #expect(message.contains(trailer))
        }
        // Done again after a crash, it is the same commit on the same branch.
        let again = await fixture.step("commit", attempt: 2)
        #expect(again.role?.revision == fixed)
        #expect(again.role?.branch == "nightjar/fix-INC-3")
        #expect(
            try fixture.folder.read("state/cycles/\(EvidenceLayout.name(7))/remedy-1-audit/fix.patch").contains("-20"))
    }

    @Test func `the example review rejects what is not the inverse of the culprit`() async throws {
        for text in ["echo 1 > src/price", "printf '1\\n2\\n3\\n' > src/price; echo y > src/other"] {
            var fixture = try await fixture(text, review: example("review"))
            #expect(await fixture.step("implement").outcome == .succeeded)
            #expect(await fixture.step("audit").outcome == .succeeded)
            let reviewed = await fixture.step("review")
            #expect(reviewed.outcome == .failed)
            #expect(reviewed.role?.decision == .reject)
        }
    }

    // MARK: - The contract

    @Test func `a role reads the diagnosis, and its notes reach the next one`() async throws {
        let investigate = RoleFixture.script(
            "cat > \"$TMPDIR/request.json\"; echo looking; printf '{\"decision\":\"done\",\\n\"notes\":[\"it is the price\"]}\\n'"
        )
        let implement = RoleFixture.script(
            "cat > \"$TMPDIR/second.json\"; cd \"$NIGHTJAR_WORKTREE\"; echo 2 > src/price; \(Self.done)")
        var fixture = try await RoleFixture(roles: RoleSettings(investigate: investigate, implement: implement))
        let place = ["TMPDIR": fixture.folder.path]
        var settings = fixture.context.settings.current
        settings.remedy.roles.investigate?.environment = place
        settings.remedy.roles.implement?.environment = place
        fixture.context.settings.stage(settings, hash: "changed")
        fixture.context.settings.adoptStaged("changed")
        let looked = await fixture.step("investigate")
        #expect(looked.outcome == .succeeded, "\(looked.summary)")
        #expect(looked.role?.notes == ["it is the price"])
        let request = try fixture.folder.read("request.json")
        for word in [
            "\"schema\":\"nightjar.role-request/1\"", "\"role\":\"investigate\"", fixture.culprit.id, "\"maxFiles\":20",
            "\"category\":\"code-regression\"", "\"branch\":\"nightjar/fix-INC-3\"",
        ] {
            #expect(request.contains(word), "\(word)")
        }
        _ = await fixture.step("implement")
        #expect(try fixture.folder.read("second.json").contains("it is the price"))
    }

    @Test(arguments: [
        ("", "it answered nothing"), ("echo rubbish", "does not end with a JSON object"),
        ("echo '{\"decision\": \"done\"'", "does not end with a JSON object"),
        ("echo '{\"decision\": \"maybe\"}'", "wrong at decision"), ("echo '{}'", "has no decision"),
        ("echo '{\"schema\": \"x/9\", \"decision\": \"done\"}'", "its schema is x/9"),
        ("head -c 3000000 /dev/zero | tr '\\0' 'x'; \(done)", "more than the"),
        ("echo '{\"decision\": \"giveUp\", \"summary\": \"too hard\"}'", "giveUp: too hard"), ("exit 3", "exit 3"),
    ])
    func `an answer that is none is refused`(_ text: String, _ why: String) async throws {
        let command = RoleFixture.script(Self.enter + text)
        var fixture = try await RoleFixture(roles: RoleSettings(implement: command))
        let record = await fixture.step("implement")
        #expect(record.outcome == .failed)
        #expect(record.summary.contains(why), "\(record.summary)")
    }

    @Test func `a role that hangs is ended, with what it left running`() async throws {
        let text = "sleep 300 & setsid sleep 300 & sleep 300"
        var fixture = try await fixture(text, timeout: .seconds(1))
        let record = await fixture.step("implement")
        #expect(record.outcome == .timedOut)
        #expect(record.limitHit?.contains("timeout") == true)
        let cookie = "NIGHTJAR_STAGE=\(fixture.name)-7-remedy-1-implement-main"
        #expect(await eventually { ProcessTable.withEnvironment(cookie).isEmpty })
        #expect(record.commands.first?.leftovers.allSatisfy(\.ended) == true)
    }

    // MARK: - What a change must keep to

    @Test(arguments: [
        ("tests", "echo 'expect 1' > test/price"), ("tests", "rm test/price"),
        ("tests", "printf 'expect 1\\nexpect 20\\npytest.mark.skip\\n' > test/price"),
        ("paths", "echo x > deploy.sh"), ("empty", "true"), ("size", "seq 1000 > src/price"),
        ("forbidden", "echo '-----BEGIN RSA PRIVATE KEY-----' > src/price"),
        ("binary", "printf 'a\\0b' > src/price"), ("modes", "ln -sf /etc/passwd src/price"),
        ("modes", "chmod +x src/price; echo 2 > src/price"),
        ("control-files", "echo '* filter=evil' > src/.gitattributes"),
        ("modes", "rm -r src; ln -s /etc src"), ("empty", "mkfifo src/pipe"),
        ("modes", "git init -q src/own; git -C src/own -c user.name=x -c user.email=x commit -q --allow-empty -m x"),
    ])
    func `a change that breaks a rule is refused, and the rule is named`(_ rule: String, _ text: String) async throws {
        var fixture = try await fixture(text)
        let implemented = await fixture.step("implement")
        #expect(implemented.outcome == .succeeded, "\(implemented.summary)")
        let record = await fixture.step("audit")
        #expect(record.outcome == .failed)
        #expect(RoleFixture.broken(record).contains(rule), "\(record.summary)")
        #expect(record.summary.contains("\(rule):"))
        #expect(try await RoleFixture.git(["branch", "--list", "nightjar/*"], in: fixture.folder("app")) == "")
    }

    @Test func `commands of the operators audit the change in a checkout of its own`() async throws {
        let audits = [
            FixSettings.AuditCommand(name: "good", command: RoleFixture.script("grep -q 2 src/price && [ ! -e .git ]")),
            FixSettings.AuditCommand(name: "bad", command: RoleFixture.script("echo 'too cheap'; exit 1")),
        ]
        var fixture = try await fixture("echo 2 > src/price", change: { $0.audit = audits })
        _ = await fixture.step("implement")
        let record = await fixture.step("audit")
        #expect(RoleFixture.broken(record) == ["bad"])
        #expect(record.summary.contains("bad: exit 1: too cheap"))
        #expect(record.commands.map(\.role) == ["audit-good", "audit-bad"])
    }

    // MARK: - What a role must not touch

    @Test(arguments: [
        (
            "git", "printf '#!/bin/sh\\ntouch /tmp/never' > .git/hooks/post-checkout",
            ".git/hooks/post-checkout was added"
        ),
        ("git", "git config core.fsmonitor 'touch /tmp/never'", ".git/config was changed"),
        (
            "git", "git -c user.name=x -c user.email=x commit --quiet --allow-empty -m own",
            "refs/heads/nightjar/fix-INC-3"
        ),
        ("git", "git checkout --quiet -b elsewhere", ".git/HEAD was changed"),
        ("git", "rm -rf .git; echo 'gitdir: /tmp' > .git", ".git is gone or is no folder"),
        ("git", "echo /tmp >> .git/objects/info/alternates", ".git/objects/info/alternates was changed"),
        ("outside", "echo x > ../stranger", "../stranger"), ("outside", "echo x > ../../stranger", "../../stranger"),
    ])
    func `a role that reaches beyond its files is refused`(_ rule: String, _ text: String, _ what: String) async throws
    {
        var fixture = try await fixture("mkdir -p .git/hooks; \(text); echo 2 > src/price")
        let record = await fixture.step("implement")
        #expect(record.outcome == .failed)
        #expect(record.summary.hasPrefix("refused: \(rule): "), "\(record.summary)")
        #expect(record.summary.contains(what), "\(record.summary)")
    }

    @Test func `hooks and settings of the operators' repository are watched`() async throws {
        var fixture = try await fixture("echo 2 > src/price")
        var settings = fixture.context.settings.current
        let app = fixture.folder("app")
        settings.remedy.roles.implement = RoleFixture.script(
            Self.enter + "git -C '\(app)' config alias.x '!true'; mkdir -p '\(app)/.git/hooks'; "
                + "echo x > '\(app)/.git/hooks/pre-push'; echo 2 > src/price; " + Self.done)
        fixture.context.settings.stage(settings, hash: "changed")
        fixture.context.settings.adoptStaged("changed")
        let record = await fixture.step("implement")
        #expect(record.outcome == .failed)
        #expect(record.summary.contains("repository: config was changed, hooks/pre-push was added"))
    }

    @Test func `what is done to the working tree after the audit is not committed`() async throws {
        var fixture = try await fixture("echo 2 > src/price")
        _ = await fixture.step("implement")
        #expect(await fixture.step("audit").outcome == .succeeded)
        let work = "\(fixture.context.layout.root)/roles/7/remedy-1-implement/work"
        try AtomicFile.write(Array("evil\n".utf8), to: "\(work)/src/price", durable: false)
        let record = await fixture.step("commit")
        #expect(record.outcome == .failed)
        #expect(record.summary.contains("changed after the audit"))
    }

    @Test func `git commands that the tree asks for are not run`() async throws {
        // Filters and hooks that would leave a mark, named by attributes and settings of the role's own repository.
        var fixture = try await fixture(
            "printf '[filter \"evil\"]\\n clean = touch /tmp/nightjar-never-$$; cat\\n' >> .git/config; "
                + "echo '* filter=evil' > .git/info/attributes; echo 2 > src/price")
        let record = await fixture.step("implement")
        #expect(record.outcome == .failed)
        #expect(record.summary.contains(".git/config was changed"))
    }

    @Test func `a flood of bytes in the working tree is not even read`() async throws {
        var fixture = try await fixture("head -c 70000000 /dev/zero > src/price")
        _ = await fixture.step("implement")
        let record = await fixture.step("audit")
        #expect(record.outcome == .failed)
        #expect(record.summary.contains("MiB were written into the working tree"), "\(record.summary)")
    }

    @Test func `an executing role gets the commit and stands in for the deploy command`() async throws {
        var fixture = try await fixture("echo 2 > src/price")
        for step in ["implement", "audit", "commit"] { _ = await fixture.step(step) }
        let fixed = try #require(fixture.readings.last?.revision)
        var settings = fixture.context.settings.current
        let seen = fixture.folder("seen")
        settings.deploy = DeploySettings(command: RoleFixture.script("exit 1"), worktree: false)
        settings.remedy.roles.execute = RoleFixture.script("cat > '\(seen)'")
        fixture.context.settings.stage(settings, hash: "changed")
        fixture.context.settings.adoptStaged("changed")
        let record = await fixture.deploy(fixed)
        #expect(record.outcome == .succeeded, "\(record.summary)")
        let request = try fixture.folder.read("seen")
        #expect(request.contains("\"role\":\"execute\""))
        #expect(request.contains("\"revision\":\"\(fixed.id)\""))
        #expect(request.contains("remedy-1-audit/fix.patch"))
        #expect(request.contains("\"rule\":\"paths\""))
    }

    // MARK: - Afterwards

    @Test func `a branch that was not proven goes, one that a person took further stays`() async throws {
        var fixture = try await fixture("echo 2 > src/price")
        _ = await fixture.step("implement")
        _ = await fixture.step("audit")
        let committed = await fixture.step("commit")
        let fixed = try #require(committed.role?.revision)
        let app = fixture.folder("app")
        let repository = try #require(fixture.context.repository)
        await repository.dropBranch("nightjar/fix-INC-3", at: fixture.wanted)
        #expect(try await RoleFixture.git(["rev-parse", "nightjar/fix-INC-3"], in: app) == fixed.id)
        await repository.dropBranch("main", at: fixture.wanted)
        #expect(try await RoleFixture.git(["rev-parse", "main"], in: app) == fixture.wanted.id)
        await repository.dropBranch("nightjar/fix-INC-3", at: fixed)
        #expect(try await RoleFixture.git(["branch", "--list", "nightjar/*"], in: app) == "")
        // Somebody else's branch of that name is not taken over.
        try await RoleFixture.git(["branch", "nightjar/fix-INC-3", fixture.green.id], in: app)
        let again = await fixture.step("commit", attempt: 2)
        #expect(again.role?.branch == "nightjar/fix-INC-3-2")
        #expect(try await RoleFixture.git(["rev-parse", "nightjar/fix-INC-3"], in: app) == fixture.green.id)
    }

    @Test func `a proven branch is pushed where the configuration names a remote`() async throws {
        var fixture = try await fixture("echo 2 > src/price", change: { $0.push = "backup" })
        let app = fixture.folder("app")
        try await RoleFixture.git(["init", "--quiet", "--bare", fixture.folder("backup")])
        try await RoleFixture.git(["remote", "add", "backup", fixture.folder("backup")], in: app)
        for step in ["implement", "audit", "commit", "push"] {
            let record = await fixture.step(step)
            #expect(record.outcome == .succeeded, "\(step): \(record.summary)")
        }
        let branches = try await RoleFixture.git(["branch", "--list", "nightjar/*"], in: fixture.folder("backup"))
        #expect(branches == "nightjar/fix-INC-3")
    }
}
