// SPDX-License-Identifier: Apache-2.0
// What is looked at around the tests: keys, and how they are read.

import Domain

extension KeyTable {
    static let fingerprint = ObjectShape(
        name: "fingerprint",
        keys: [
            KeyShape(
                name: "files", shape: .list(.text(.path), atLeast: 0), standard: "[]",
                help: "Files that must not change during the tests: they are hashed before and after."),
            KeyShape(
                name: "disks", shape: .list(.text(.path), atLeast: 0), standard: "[]",
                help: "Folders whose free space and inodes are looked at, beside those of the evidence."),
            KeyShape(
                name: "commands", shape: .map(key: .name, value: .command), standard: "{}",
                help: "Commands by name that print a value which must not change during the tests: a schema version, "
                    + "feature flags. Timeout 10s."),
        ])
}

extension SettingsDecoder {
    func fingerprint(_ section: Section) -> FingerprintSettings {
        let path = join(section.path, "commands")
        let value = section.written("commands")
        let names = value?.members.map(\.key) ?? []
        // Names are free, so the keys of this object are those that stand there.
        let shape = ObjectShape(
            name: "commands", keys: names.map { KeyShape(name: $0, shape: .command, help: "") })
        let commands = Section(value, shape, at: path, notes: notes)
        if names.isEmpty { notes.effect(path, "{}", origin: .standard) }
        let place = Place(timeout: .seconds(10), timeoutOrigin: "default of fingerprint commands")
        return FingerprintSettings(
            files: section.texts("files").map(resolve), disks: section.texts("disks").map(resolve),
            commands: names.compactMap { name in
                command(commands, name, place).map { FingerprintSettings.Command(name: name, command: $0) }
            })
    }
}
