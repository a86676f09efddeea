/** Command lines as Go's flag package reads them: one dash or two, a value behind `=` or as the next word. */

export interface GoFlag {
  readonly names: readonly string[];
  readonly kind: 'text' | 'switch';
}

export interface GoFlags {
  /** Values by first name, in the order given. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** What is wrong, in Go's words. */
  readonly problem: string | undefined;
  /** From the first word that is no flag. */
  readonly rest: readonly string[];
}

export function parseGoFlags(args: readonly string[], known: readonly GoFlag[]): GoFlags {
  const values = new Map<string, string[]>();
  for (let i = 0; i < args.length; i++) {
    // Blogs print an en dash.
    const word = (args[i] ?? '').replace(/^[–—]/, '--');
    if (word === '--') return { values, problem: undefined, rest: args.slice(i + 1) };
    const [, name, equals, inline = ''] = /^--?([^=-][^=]*)(=)?(.*)$/s.exec(word) ?? [];
    if (name === undefined) return { values, problem: undefined, rest: args.slice(i) };
    const flag = known.find(({ names }) => names.includes(name));
    const [key] = flag?.names ?? [];
    if (!flag || key === undefined) return { values, problem: `flag provided but not defined: -${name}`, rest: [] };
    let value = equals ? inline : 'true';
    if (flag.kind === 'text' && !equals) {
      const next = args[++i];
      if (next === undefined) return { values, problem: `flag needs an argument: -${name}`, rest: [] };
      value = next;
    }
    values.set(key, [...(values.get(key) ?? []), value]);
  }
  return { values, problem: undefined, rest: [] };
}
