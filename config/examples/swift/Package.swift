// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

let package = Package(
    name: "Prices",
    targets: [.target(name: "Prices"), .testTarget(name: "PricesTests", dependencies: ["Prices"])])
