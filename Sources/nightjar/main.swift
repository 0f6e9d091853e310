// SPDX-License-Identifier: Apache-2.0
// The entry: hidden subcommands first, before anything of Foundation is touched.

import Foundation
import Shepherd

if let status = ShepherdMain.runIfAsked(CommandLine.arguments) {
    exit(status)
}
exit(2)
