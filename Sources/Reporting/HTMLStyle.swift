// SPDX-License-Identifier: Apache-2.0
// The style sheet of the HTML report: system fonts, light and dark after the reader's own setting, prints well.

enum HTMLStyle {
    static let sheet = """
        :root { --ink: #1c2024; --soft: #60646c; --paper: #fff; --card: #f7f8f9; --line: #dfe3e6;
          --good: #18794e; --good-bg: #ddf3e4; --bad: #cd2b31; --bad-bg: #ffe5e5; --doubt: #8f5700; --doubt-bg: #ffecc7;
          --quiet: #60646c; --quiet-bg: #eceef0 }
        @media (prefers-color-scheme: dark) { :root { --ink: #edeef0; --soft: #a1a7ae; --paper: #111315; --card: #191b1f;
          --line: #2f3338; --good: #63c995; --good-bg: #113123; --bad: #ff9592; --bad-bg: #3b1219; --doubt: #ffca5c;
          --doubt-bg: #33270b; --quiet: #a1a7ae; --quiet-bg: #23262a } }
        * { box-sizing: border-box }
        body { margin: 0; background: var(--paper); color: var(--ink);
          font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif }
        main { max-width: 68rem; margin: 0 auto; padding: 2rem 1.25rem 4rem }
        header { border-left: 6px solid var(--edge, var(--line)); padding-left: 1rem; margin-bottom: 1.25rem }
        header.good { --edge: var(--good) } header.bad { --edge: var(--bad) } header.doubt { --edge: var(--doubt) }
        h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem }
        h3 { font-size: 1rem; margin: 1rem 0 .3rem } .times, small, footer { color: var(--soft) }
        .times { margin: .15rem 0 } footer { margin-top: 3rem; font-size: .85rem }
        .badge { display: inline-block; border-radius: 1em; padding: .05em .65em; font-size: .75em; font-weight: 650;
          letter-spacing: .02em; white-space: nowrap; color: var(--quiet); background: var(--quiet-bg) }
        .badge.good { color: var(--good); background: var(--good-bg) } .badge.bad { color: var(--bad); background: var(--bad-bg) }
        .badge.doubt { color: var(--doubt); background: var(--doubt-bg) }
        .reasons { list-style: none; padding: 0; margin: 0 0 1.25rem }
        .reasons li { padding: .45rem .8rem; margin-bottom: .3rem; border-radius: 6px; background: var(--card) }
        .reasons li.bad { background: var(--bad-bg) } .reasons li.doubt { background: var(--doubt-bg) }
        dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 0 }
        dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere }
        .scroll { overflow-x: auto } table { border-collapse: collapse; width: 100% }
        th { text-align: left; font-weight: 600; color: var(--soft); font-size: .85rem }
        th, td { padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere }
        .n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
        code, pre { font: .88em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere }
        pre { background: var(--card); padding: .8rem; border-radius: 6px; overflow-x: auto; white-space: pre }
        article { border-left: 3px solid var(--line); padding: .1rem 0 .1rem .9rem; margin: .8rem 0 }
        article.bad { border-color: var(--bad) } article h3 { margin: 0 } article p { margin: .25rem 0; overflow-wrap: anywhere }
        summary { cursor: pointer; color: var(--soft) } .whys li { margin-bottom: .6rem } q { quotes: none; color: var(--soft) }
        .incident { background: var(--card); border-radius: 8px; padding: .2rem 1.1rem 1rem; margin-top: 1.6rem }
        .incident h2 { margin-top: .8rem }
        @media print { main { padding: 0 } details { display: block } }
        """
}
