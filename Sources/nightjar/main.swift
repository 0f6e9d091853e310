// SPDX-License-Identifier: Apache-2.0
// The one binary. Hidden paths first, before anything heavy is touched; everything else is the command line.

import Commands
import Foundation
import Shepherd

if let status = ShepherdMain.runIfAsked(CommandLine.arguments) {
    exit(status)
}
exit(await NightjarCommands.main(arguments: CommandLine.arguments))
