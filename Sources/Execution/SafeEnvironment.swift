// SPDX-License-Identifier: Apache-2.0
// What a command gets of the daemon's environment: little, and nothing by accident.

/// The base of every command's environment.
package enum SafeEnvironment {
    /// What programs need to find themselves at home. Proxies and certificates belong to it: without them a command
    /// that works in a shell fails here for no visible reason.
    package static let names: Set<String> = [
        "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TERM", "XDG_RUNTIME_DIR",
        "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSH_AUTH_SOCK",
        "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
    ]
    private static let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// The safe part of `inherited`, with `added` over it.
    ///
    /// - Parameter passed: further names to take over.
    package static func make(
        from inherited: [String: String], passing passed: [String] = [], adding added: [String: String] = [:]
    ) -> [String: String] {
        let wanted = names.union(passed)
        var environment = inherited.filter { wanted.contains($0.key) || $0.key.hasPrefix("LC_") }
        if environment["PATH"]?.isEmpty ?? true { environment["PATH"] = path }
        environment.merge(added) { $1 }
        return environment
    }
}
