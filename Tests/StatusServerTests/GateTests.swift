// SPDX-License-Identifier: Apache-2.0
// Addresses that a server may listen on.

import Platform
import Testing

struct GateTests {
    @Test(arguments: [
        ("127.0.0.1:8787", true, true), ("[::1]:80", true, true), ("0.0.0.0:1", true, false), ("[::]:1", true, false),
        ("127.9.9.9:0", true, true), ("10.0.0.1:65535", true, false), ("localhost:80", false, false),
        ("127.0.0.1", false, false), ("127.0.0.1:65536", false, false), ("::1:80", false, false),
        ("[127.0.0.1]:80", false, false), ("127.0.0.1:+80", false, false), (":80", false, false), ("", false, false),
        ("1:80", false, false),
    ])
    func `an address is numeric and has a port`(text: String, isValid: Bool, isLoopback: Bool) {
        let address = ListenAddress(text)
        #expect((address != nil) == isValid)
        if let address {
            #expect(address.isLoopback == isLoopback)
            #expect(address.description == text)
        }
    }
}
