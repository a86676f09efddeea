/**
 * Stack traces: the text of `exception.stacktrace` ↔ frames of an X-Ray exception.
 *
 * Every language prints its own grammar. The resource's `telemetry.sdk.language` says which; where
 * it says nothing, or the text is of another language, the text itself is asked. A grammar reads
 * the thrown exception and, where it prints them, the exceptions that caused it. Lines that fit no
 * rule are skipped: a stack trace is never a reason to reject a span.
 */

export interface Frame {
  readonly label: string;
  readonly path: string;
  /** 0 when the text names none. */
  readonly line: number;
}

/** One exception of a chain. Of the first one type and message are not read: the event has them. */
export interface StackSection {
  readonly type: string;
  readonly message: string;
  readonly frames: readonly Frame[];
}

/** Exceptions in a chain that are read; the rest of the text is left. */
const chainLengthMax = 20;
/** Lines that are read, of texts of any length. */
export const linesMax = 10_000;

interface Grammar {
  /** Thrown exception first, then its cause, then the cause of that. */
  readonly parse: (lines: readonly string[]) => readonly StackSection[];
  readonly print: (header: string, frames: readonly Frame[]) => string;
  /** A text that can hardly be of another language. */
  readonly sign: RegExp;
}

/** The chain of exceptions in a stack trace, at least one; without frames when no grammar fits. */
export function parseStack(text: string, language: string | undefined): readonly StackSection[] {
  const lines = text.split('\n', linesMax).map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  const named = grammarOf(language)?.parse(lines);
  if (named && hasFrames(named)) return named.slice(0, chainLengthMax);
  const sniffed = sniffedGrammars.find((grammar) => grammar.sign.test(text))?.parse(lines);
  return (sniffed ?? named ?? [emptySection]).slice(0, chainLengthMax);
}

/** A stack trace in the style of the language, Java's where we know no better. */
export function printStack(header: string, frames: readonly Frame[], language: string | undefined): string {
  return (grammarOf(language) ?? java).print(header, frames);
}

const emptySection: StackSection = { type: '', message: '', frames: [] };

function hasFrames(sections: readonly StackSection[]): boolean {
  return sections.some((section) => section.frames.length > 0);
}

/** `Type: message`, a message of several lines included; no colon means that there is a type only. */
function sectionOf(header: string, frames: readonly Frame[]): StackSection {
  const at = header.indexOf(':');
  if (at < 0) return { type: header.trim(), message: '', frames };
  return { type: header.slice(0, at).trim(), message: header.slice(at + 1).trim(), frames };
}

/** Java and PHP: `TAB at module/label(path:line)`, causes after `Caused by: ` at the start of a line. */
const java: Grammar = {
  sign: /^\tat .{1,1000}\)$/m,
  parse(lines) {
    const sections: { header: string[]; frames: Frame[] }[] = [{ header: [], frames: [] }];
    for (const line of lines.slice(1)) {
      const current = sections.at(-1);
      if (!current) break;
      if (line.startsWith('Caused by: ')) sections.push({ header: [line.slice(11)], frames: [] });
      else if (line.startsWith('\tat ')) current.frames.push(...javaFrame(line.slice(4)));
      // What stands deeper belongs to suppressed exceptions; before the first frame the message goes on.
      else if (current.frames.length === 0 && !line.startsWith('\t')) current.header.push(line);
    }
    return sections.map(({ header, frames }) => sectionOf(header.join('\n'), frames));
  },
  print: (header, frames) =>
    [header, ...frames.map(({ label, path, line }) => `\tat ${label}(${path}${line === 0 ? '' : `:${line}`})`)].join(
      '\n',
    ),
};

function javaFrame(text: string): readonly Frame[] {
  const open = text.lastIndexOf('(');
  if (open < 0 || !text.endsWith(')')) return [];
  const label = text.slice(0, open).replace(/^(?:[\w.@-]{0,200}\/){1,2}/, '');
  return [{ label, ...located(text.slice(open + 1, -1)) }];
}

/** `path:line`; a path alone, or one with nothing after the colon, has line 0. */
function located(text: string): { readonly path: string; readonly line: number } {
  const parts = /^([^]*):(\d{0,9})$/.exec(text);
  return parts ? { path: parts[1] ?? '', line: Number(parts[2]) } : { path: text, line: 0 };
}

const pythonFrame = /^ {2}File "(.*)", line (\d{1,9})(?:, in (.*))?$/;
const pythonSeparator =
  /^(?:During handling of the above exception, another exception occurred|The above exception was the direct cause of the following exception):/;

/**
 * Python prints callers before callees and causes before effects: both are turned around. Members
 * of an exception group are not part of the chain; its own lines are marked with `|`.
 */
const python: Grammar = {
  sign: /^(?: {2}\+ Exception Group )?Traceback \(most recent call last\):$|^ {2}File ".{1,1000}", line \d/m,
  parse(lines) {
    const blocks: string[][] = [[]];
    for (const line of lines) {
      if (/^ {2,100}\+-\+-{4,100}/.test(line)) break;
      const plain = line.replace(/^ {2}[|+] /, '');
      if (pythonSeparator.test(plain)) blocks.push([]);
      else blocks.at(-1)?.push(plain);
    }
    return blocks.map(pythonSection).reverse();
  },
  print: (header, frames) =>
    [
      'Traceback (most recent call last):',
      ...[...frames].reverse().map(({ label, path, line }) => `  File "${path}", line ${line}, in ${label}`),
      header,
    ].join('\n'),
};

function pythonSection(lines: readonly string[]): StackSection {
  const frames: Frame[] = [];
  let header: string[] = [];
  for (const line of lines) {
    const [, path, number, label] = pythonFrame.exec(line) ?? [];
    if (path !== undefined) {
      frames.push({ path, line: Number(number), label: label ?? '' });
      header = [];
    } else if (header.length > 0 || (frames.length > 0 && /^\S/.test(line))) header.push(line);
  }
  return sectionOf(header.join('\n').trim(), frames.reverse());
}

/** JavaScript: `at label (path:line:column)`; V8 and Node print causes after `[cause]: `. */
const javascript: Grammar = {
  sign: /^ {4}at .{1,1000}/m,
  parse(lines) {
    const sections: { header: string; frames: Frame[] }[] = [{ header: '', frames: [] }];
    for (const line of lines.slice(1)) {
      const cause = /^\s{0,100}(?:\[cause\]|Caused by): (.*?)(?: \{)?$/.exec(line)?.[1];
      const frame = /^ {4,100}at (.{1,5000})$/.exec(line)?.[1];
      if (cause !== undefined) sections.push({ header: cause, frames: [] });
      else if (frame !== undefined) sections.at(-1)?.frames.push(...javascriptFrame(frame));
    }
    return sections.map(({ header, frames }) => sectionOf(header, frames));
  },
  print: (header, frames) =>
    [
      header,
      ...frames.map(({ label, path, line }) => {
        const place = line === 0 ? path : `${path}:${line}`;
        return label === '' ? `    at ${place}` : `    at ${label} (${place})`;
      }),
    ].join('\n'),
};

/** The last two numbers are line and column: `file:///a.js`, `node:internal/x` and `C:\a.js` have colons of their own. */
function javascriptFrame(text: string): readonly Frame[] {
  const open = text.lastIndexOf(' (');
  const isLabelled = open >= 0 && text.endsWith(')');
  if (open >= 0 && !isLabelled) return [];
  const label = isLabelled ? text.slice(0, open) : '';
  const place = isLabelled ? text.slice(open + 2, -1) : text.replace(/^async /, '');
  const [, path, line] = /^(.{1,5000}?):(\d{1,9})(?::\d{1,9})?$/.exec(place) ?? [];
  return [{ label, path: path ?? place, line: Number(line ?? 0) }];
}

/**
 * .NET: `   at label in path:line N`. The header names outer and inner exceptions with ` ---> `
 * between, and the frames of the innermost come first, up to the line that ends them.
 */
const dotnet: Grammar = {
  sign: /^ {3}at .{1,1000}\)(?: in .{1,1000}:line \d{1,9})?$/m,
  parse(lines) {
    const headerEnd = lines.findIndex((line) => dotnetFrameLine.test(line));
    const header = lines.slice(0, headerEnd < 0 ? lines.length : headerEnd).join('\n');
    const blocks: Frame[][] = [[]];
    for (const line of lines.slice(headerEnd < 0 ? lines.length : headerEnd)) {
      if (line.trim() === '--- End of inner exception stack trace ---') blocks.push([]);
      else blocks.at(-1)?.push(...dotnetFrame(line));
    }
    const headers = header.split(/\s{0,10} ---> /);
    const chain = headers.length === blocks.length ? headers : headers.slice(0, 1);
    // Frames that cannot be told apart by exception stay together.
    if (chain.length === 1) return [sectionOf(chain[0] ?? '', blocks.flat())];
    return chain.map((text, i) => sectionOf(text, blocks.at(-1 - i) ?? []));
  },
  print: (header, frames) =>
    [
      header,
      ...frames.map(
        ({ label, path, line }) =>
          `   at ${label}${path === '' ? '' : ` in ${path}`}${line === 0 ? '' : `:line ${line}`}`,
      ),
    ].join('\n'),
};

const dotnetFrameLine = /^\s{1,100}at \S/;

function dotnetFrame(line: string): readonly Frame[] {
  if (!dotnetFrameLine.test(line)) return [];
  const text = line.trim().slice(3);
  const at = text.indexOf(') in ');
  const split = at >= 0 ? at + 1 : text.indexOf(' in ');
  if (split < 0) return [{ label: text, path: '', line: 0 }];
  const [, path, number] = /^(.{0,5000}):line (\d{1,9})$/.exec(text.slice(split + 4)) ?? [];
  return [{ label: text.slice(0, split), path: path ?? text.slice(split + 4), line: Number(number ?? 0) }];
}

/** Go: pairs of lines, the function and, after a tab, `path:line +offset`. */
const go: Grammar = {
  sign: /^goroutine \d{1,9} \[/m,
  parse(lines) {
    const frames: Frame[] = [];
    for (const [i, line] of lines.entries()) {
      const [, path, number] = /^\t(.{1,5000}?):(\d{1,9})(?: \+0x[0-9a-f]{1,16})?$/.exec(line) ?? [];
      if (path !== undefined) frames.push({ label: lines[i - 1] ?? '', path, line: Number(number) });
    }
    return [{ ...emptySection, frames }];
  },
  print: (_header, frames) =>
    ['goroutine 1 [running]:', ...frames.map(({ label, path, line }) => `${label}\n\t${path}:${line}`)].join('\n'),
};

/** Ruby: `path:line:in 'label'`, after `from ` but for the first; the first line is a frame too. */
const ruby: Grammar = {
  sign: /^.{1,1000}:\d{1,9}:in [`']/m,
  parse(lines) {
    const frames = lines.flatMap((line) => {
      const [, path, number, label] =
        /^\s{0,100}(?:from )?(\S.{0,5000}?):(\d{1,9}):in [`']([^'`]{1,1000})'/.exec(line) ?? [];
      return path === undefined ? [] : [{ label: label ?? '', path, line: Number(number) }];
    });
    return [{ ...emptySection, frames }];
  },
  print: (header, frames) =>
    [header, ...frames.map(({ label, path, line }) => `\tfrom ${path}:${line}:in '${label}'`)].join('\n'),
};

/** Rust: `  N: symbol`, then `at path:line:column`. */
const rust: Grammar = {
  sign: /^ {1,10}\d{1,4}: .{1,1000}\n {4,100}at /m,
  parse(lines) {
    const frames: Frame[] = [];
    for (const line of lines) {
      const symbol = /^ {1,10}\d{1,4}: (.{1,5000})$/.exec(line)?.[1];
      const [, path, number] = /^ {4,100}at (.{1,5000}?):(\d{1,9})(?::\d{1,9})?$/.exec(line) ?? [];
      const last = frames.at(-1);
      if (symbol !== undefined) frames.push({ label: symbol, path: '', line: 0 });
      else if (path !== undefined && last) frames[frames.length - 1] = { ...last, path, line: Number(number) };
    }
    return [{ ...emptySection, frames }];
  },
  print: java.print,
};

/** By what is least likely to be mistaken: JavaScript's sign fits many a text. */
const sniffedGrammars: readonly Grammar[] = [python, java, go, rust, dotnet, ruby, javascript];

const grammars: ReadonlyMap<string | undefined, Grammar> = new Map([
  ['java', java],
  ['php', java],
  ['python', python],
  ['javascript', javascript],
  ['nodejs', javascript],
  ['webjs', javascript],
  ['dotnet', dotnet],
  ['go', go],
  ['ruby', ruby],
  ['rust', rust],
]);

function grammarOf(language: string | undefined): Grammar | undefined {
  return grammars.get(language);
}
