// SPDX-License-Identifier: Apache-2.0
// Completion scripts for bash, zsh and fish, made from the command table.

enum Completions {
    static let shells = ["bash", "zsh", "fish"]

    static func script(_ shell: String, _ commands: [CommandDescription]) -> String? {
        switch shell {
        case "bash": bash(commands)
        case "zsh": zsh(commands)
        case "fish": fish(commands)
        default: nil
        }
    }

    // MARK: bash

    private static func bash(_ commands: [CommandDescription]) -> String {
        var cases = ""
        for command in commands {
            let options = command.allOptions.flatMap { option in
                ["--\(option.name)"] + (option.short.map { ["-\($0)"] } ?? [])
            }
            cases += "    \(command.name))\n"
            let valued = command.allOptions.filter { $0.value != nil }
            if !valued.isEmpty {
                cases += "      case $previous in\n"
                for option in valued {
                    let names = ["--\(option.name)"] + (option.short.map { ["-\($0)"] } ?? [])
                    cases += "        \(names.joined(separator: "|"))) \(bashValue(option)); return ;;\n"
                }
                cases += "      esac\n"
            }
            let words = (options + command.operands.flatMap(\.words)).joined(separator: " ")
            cases += "      COMPREPLY=($(compgen -W '\(words)' -- \"$current\"))\n      ;;\n"
        }
        return """
            # bash completion of nightjar. Install: nightjar completions bash > ~/.local/share/bash-completion/completions/nightjar
            _nightjar() {
              local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
              COMPREPLY=()
              if [ "$COMP_CWORD" -eq 1 ]; then
                COMPREPLY=($(compgen -W '\(commands.map(\.name).joined(separator: " ")) --help --version' -- "$current"))
                return
              fi
              case $command in
            \(cases)  esac
            }
            complete -F _nightjar nightjar

            """
    }

    private static func bashValue(_ option: OptionDescription) -> String {
        switch option.completion {
        case .none: "COMPREPLY=()"
        case .file: "COMPREPLY=($(compgen -f -- \"$current\"))"
        case .directory: "COMPREPLY=($(compgen -d -- \"$current\"))"
        case .words(let words): "COMPREPLY=($(compgen -W '\(words.joined(separator: " "))' -- \"$current\"))"
        }
    }

    // MARK: zsh

    private static func zsh(_ commands: [CommandDescription]) -> String {
        var cases = ""
        for command in commands {
            cases += "    \(command.name))\n      _arguments -s \\\n"
            for option in command.allOptions {
                let help = "[\(zshText(option.help))]"
                let repeats = option.repeats ? "*" : ""
                let value = option.value.map { ":\(zshText($0)):\(zshValue(option))" } ?? ""
                let equals = option.value == nil ? "" : "="
                cases += "        \(quoted("\(repeats)--\(option.name)\(equals)\(help)\(value)")) \\\n"
                if let short = option.short {
                    cases += "        \(quoted("\(repeats)-\(short)\(help)\(value)")) \\\n"
                }
            }
            for operand in command.operands {
                let words = operand.words.isEmpty ? " " : "(\(operand.words.joined(separator: " ")))"
                cases += "        \(quoted(":\(zshText(operand.name)):\(words)")) \\\n"
            }
            cases += "        && return 0\n      ;;\n"
        }
        let names = commands.map { "    \(quoted("\($0.name):\(zshText($0.summary))"))\n" }.joined()
        return """
            #compdef nightjar
            # zsh completion of nightjar. Install: nightjar completions zsh > "${fpath[1]}/_nightjar"
            _nightjar() {
              local -a commands
              commands=(
            \(names)  )
              if (( CURRENT == 2 )); then
                _describe -t commands 'nightjar command' commands
                return
              fi
              local command=${words[2]}
              shift words
              (( CURRENT-- ))
              case $command in
            \(cases)  esac
            }
            _nightjar "$@"

            """
    }

    private static func zshValue(_ option: OptionDescription) -> String {
        switch option.completion {
        case .none: " "
        case .file: "_files"
        case .directory: "_files -/"
        case .words(let words): "(\(words.joined(separator: " ")))"
        }
    }

    private static func zshText(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("[", with: "\\[").replacing("]", with: "\\]")
            .replacing(":", with: "\\:")
    }

    // MARK: fish

    private static func fish(_ commands: [CommandDescription]) -> String {
        var text =
            "# fish completion of nightjar. Install: nightjar completions fish > ~/.config/fish/completions/nightjar.fish\n"
        text += "complete -c nightjar -f\n"
        for command in commands {
            text +=
                "complete -c nightjar -n __fish_use_subcommand -a \(command.name) -d \(fishQuoted(command.summary))\n"
            let here = "complete -c nightjar -n '__fish_seen_subcommand_from \(command.name)'"
            for option in command.allOptions {
                let short = option.short.map { " -s \($0)" } ?? ""
                text += "\(here) -l \(option.name)\(short)\(fishValue(option)) -d \(fishQuoted(option.help))\n"
            }
            for operand in command.operands where !operand.words.isEmpty {
                text += "\(here) -a \(fishQuoted(operand.words.joined(separator: " ")))\n"
            }
        }
        return text
    }

    private static func fishValue(_ option: OptionDescription) -> String {
        guard option.value != nil else { return "" }
        switch option.completion {
        case .none: return " -x"
        case .file: return " -r -F"
        case .directory: return " -x -a '(__fish_complete_directories)'"
        case .words(let words): return " -x -a \(fishQuoted(words.joined(separator: " ")))"
        }
    }

    // MARK: quoting

    /// A single-quoted word of a POSIX shell.
    static func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "'\\''") + "'" }

    private static func fishQuoted(_ text: String) -> String {
        "'" + text.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
    }
}
