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
/** Lines that are read, of texts of any length, and UTF-16 code units of each, so that no pattern takes long. */
export const linesMax = 10_000;
const lineLengthMax = 1000;

interface Grammar {
  /** Thrown exception first, then its cause, then the cause of that. */
  readonly parse: (lines: readonly string[]) => readonly StackSection[];
  readonly print: (header: string, frames: readonly Frame[]) => string;
  /** A text that can hardly be of another language. */
  readonly sign: RegExp;
}

/** The chain of exceptions in a stack trace, at least one; without frames when no grammar fits. */
export function parseStack(text: string, language: string | undefined): readonly StackSection[] {
  const lines = text.split('\n', linesMax).map(readLine);
  const named = grammarOf(language)?.parse(lines);
  if (named && hasFrames(named)) return named.slice(0, chainLengthMax);
  const sniffed = sniffedGrammars.find((grammar) => grammar.sign.test(text))?.parse(lines);
  return (sniffed ?? named ?? [emptySection]).slice(0, chainLengthMax);
}

/** A stack trace in the style of the language, Java's where we know no better. */
export function printStack(header: string, frames: readonly Frame[], language: string | undefined): string {
  return (grammarOf(language) ?? java).print(header, frames);
}

function readLine(line: string): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  return text.slice(0, lineLengthMax);
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

/**
 * Java: `TAB at module/label(path:line)`, four spaces where a log has replaced the tab; causes after
 * `Caused by: ` at the start of a line.
 */
const java: Grammar = {
  sign: /^\tat .{1,1000}\)$|^ {4}at [^\s()]{1,1000}\([^()]{0,1000}\)$/m,
  parse(lines) {
    const sections: { header: string[]; frames: Frame[] }[] = [{ header: [], frames: [] }];
    for (const line of lines.slice(1)) {
      const current = sections.at(-1);
      if (!current) break;
      const frame = /^(?:\t| {4})at (.*)$/.exec(line)?.[1];
      if (line.startsWith('Caused by: ')) sections.push({ header: [line.slice(11)], frames: [] });
      else if (frame !== undefined) current.frames.push(...javaFrame(frame));
      // What stands deeper belongs to suppressed exceptions; before the first frame the message goes on.
      else if (current.frames.length === 0 && !line.startsWith('\t')) current.header.push(line);
    }
    return sections.map(({ header, frames }) => sectionOf(header.join('\n'), frames));
  },
  print: (header, frames) =>
    [header, ...frames.map(({ label, path, line }) => `\tat ${label}(${path}${line > 0 ? `:${line}` : ''})`)].join(
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

/** PHP: `#N path(line): label`, the cause before its effect, which follows `Next `; OpenTelemetry prints Java's style. */
const php: Grammar = {
  sign: /^#0 .{1,1000}(?:\(\d{1,9}\)|\[internal function\]): /m,
  parse(lines) {
    if (!lines.some((line) => phpFrame(line).length > 0)) return java.parse(lines);
    const blocks: string[][] = [[]];
    for (const line of lines)
      if (line.startsWith('Next ')) blocks.push([line.slice(5)]);
      else blocks.at(-1)?.push(line);
    return blocks.map(phpSection).reverse();
  },
  print: java.print,
};

function phpSection(lines: readonly string[]): StackSection {
  const end = lines.indexOf('Stack trace:');
  const header = lines.slice(0, end < 0 ? 1 : end).join('\n');
  return sectionOf(header.replace(/ in \S{1,1000}:\d{1,9}$/, ''), lines.flatMap(phpFrame));
}

function phpFrame(line: string): readonly Frame[] {
  const [, path, number, label] =
    /^#\d{1,9} (?:(.{1,1000}?)\((\d{1,9})\)|\[internal function\]): (.*)$/.exec(line) ?? [];
  return label === undefined ? [] : [{ label, path: path ?? '', line: Number(number ?? 0) }];
}

const pythonFrame = /^ {2}File "(.*)", line (\d{1,9})(?:, in (.*))?$/;
const pythonSeparator =
  /^(?:During handling of the above exception, another exception occurred|The above exception was the direct cause of the following exception):/;
/** Members of an exception group stand further in than the group, below a line that numbers them. */
const pythonGroupMember = /^(?: {2}\+-\+-| {3,100}[|+])/;

/**
 * Python prints callers before callees and causes before effects: both are turned around. Members
 * of an exception group are not part of the chain; its own lines are marked with `|`.
 */
const python: Grammar = {
  sign: /^(?: {2}\+ Exception Group )?Traceback \(most recent call last\):$|^ {2}File ".{1,1000}", line \d/m,
  parse(lines) {
    const blocks: string[][] = [[]];
    const isGroup = lines.some((line) => line.startsWith('  + Exception Group Traceback'));
    for (const line of lines) {
      if (isGroup && pythonGroupMember.test(line)) continue;
      const plain = isGroup ? line.replace(/^ {2}[|+] ?/, '') : line;
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

/** The header stands below the frames; an exception that was never raised has no more than that. */
function pythonSection(lines: readonly string[]): StackSection {
  const frames: Frame[] = [];
  let header: string[] = [];
  for (const line of lines) {
    const [, path, number, label] = pythonFrame.exec(line) ?? [];
    if (path !== undefined) {
      frames.push({ path, line: Number(number), label: label ?? '' });
      header = [];
    } else if (header.length > 0 || (/^\S/.test(line) && !isPythonTitle(line))) header.push(line);
  }
  return sectionOf(header.join('\n').trim(), frames.reverse());
}

function isPythonTitle(line: string): boolean {
  return line.endsWith('Traceback (most recent call last):');
}

/**
 * JavaScript: `at label (path:line:column)`. Node prints causes after `[cause]: `, further in, and
 * the members of an AggregateError, which are not part of the chain, between `[errors]: [` and `]`.
 */
const javascript: Grammar = {
  sign: /^ {4}at .{1,1000}/m,
  parse(lines) {
    const sections: { header: string[]; frames: Frame[] }[] = [{ header: [], frames: [] }];
    let isInErrors = false;
    for (const full of lines.slice(1)) {
      const line = full.endsWith(' {') ? full.slice(0, -2) : full;
      if (isInErrors || /^\s{0,100}\[errors\]: \[/.test(line)) {
        isInErrors = !/^\s{0,100}\]/.test(line);
        continue;
      }
      const cause = /^\s{0,100}(?:\[cause\]|Caused by): (.*)$/.exec(line)?.[1];
      const frame = /^ {4,100}at (.*)$/.exec(line)?.[1];
      const current = sections.at(-1);
      if (cause !== undefined) sections.push({ header: [cause], frames: [] });
      else if (frame !== undefined) current?.frames.push(...javascriptFrame(frame));
      else if (current?.frames.length === 0) current.header.push(line);
    }
    return sections.map(({ header, frames }) => sectionOf(header.join('\n'), frames));
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
  // The first parenthesis: a path may have some too, as in `C:\Program Files (x86)\a.js`.
  const open = text.indexOf(' (');
  const isLabelled = open >= 0 && text.endsWith(')');
  if (open >= 0 && !text.includes(')', open)) return [];
  const label = isLabelled ? text.slice(0, open) : '';
  const place = isLabelled ? text.slice(open + 2, -1) : text.replace(/^async /, '');
  const [, path, line] = /^(.{1,1000}?):(\d{1,9})(?::\d{1,9})?$/.exec(place) ?? [];
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
      // The members of an AggregateException follow once more, after its own frames.
      if (line.trimStart().startsWith('---> (Inner Exception')) break;
      if (line.trim() === '--- End of inner exception stack trace ---') blocks.push([]);
      else blocks.at(-1)?.push(...dotnetFrame(line));
    }
    const headers = header.split(/\s{0,10} ---> (?:\(Inner Exception #\d{1,4}\) )?/);
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

/**
 * Go: pairs of lines, the function and, after a tab, `path:line +offset`; after `created by ` the
 * one that started the goroutine. Other goroutines are not part of the failure.
 */
const go: Grammar = {
  sign: /^goroutine \d{1,9} \[/m,
  parse(lines) {
    const frames: Frame[] = [];
    for (const [i, line] of lines.entries()) {
      if (frames.length > 0 && go.sign.test(line)) break;
      const [, path, number] = /^\t(.{1,1000}?):(\d{1,9})(?: \+0x[0-9a-f]{1,16})?$/.exec(line) ?? [];
      if (path !== undefined) frames.push({ label: lines[i - 1] ?? '', path, line: Number(number) });
    }
    return [{ ...emptySection, frames }];
  },
  print: (_header, frames) =>
    ['goroutine 1 [running]:', ...frames.map(({ label, path, line }) => `${label}\n\t${path}:${line}`)].join('\n'),
};

/**
 * Ruby: `path:line:in 'label'`, after `from ` but for the first, which goes on with
 * `: message (Type)`; causes follow in the same way.
 */
const ruby: Grammar = {
  sign: /^.{1,1000}:\d{1,9}:in [`']/m,
  parse(lines) {
    const sections: { header: string[]; frames: Frame[] }[] = [{ header: [], frames: [] }];
    for (const line of lines) {
      const [, from, path, number, label, message] =
        /^\s{0,100}(from )?(\S.{0,1000}?):(\d{1,9}):in [`']([^'`]{1,1000})'(?:: (.*))?$/.exec(line) ?? [];
      const isThrown = from === undefined && message !== undefined;
      if (isThrown && sections.some(({ frames }) => frames.length > 0)) sections.push({ header: [], frames: [] });
      const current = sections.at(-1);
      if (message !== undefined) current?.header.push(message);
      if (path !== undefined) current?.frames.push({ label: label ?? '', path, line: Number(number) });
      else if (current?.frames.length === 1) current.header.push(line);
    }
    return sections.map(({ header, frames }) => rubySection(header.join('\n').trim(), frames));
  },
  print: (header, frames) =>
    [header, ...frames.map(({ label, path, line }) => `\tfrom ${path}:${line}:in '${label}'`)].join('\n'),
};

/** `message (Type)`; of a message of several lines the type stands at the end of the first. */
function rubySection(header: string, frames: readonly Frame[]): StackSection {
  const [, message, type, rest] = /^(.*?) ?\(([A-Z][\w:]{0,200})\)((?:\n[^]*)?)$/.exec(header) ?? [];
  return type === undefined ? { type: '', message: header, frames } : { type, message: `${message}${rest}`, frames };
}

/** Rust: `  N: symbol`, then `at path:line:column`. */
const rust: Grammar = {
  sign: /^ {1,10}\d{1,4}: .{1,1000}\n {4,100}at /m,
  parse(lines) {
    const frames: Frame[] = [];
    for (const line of lines) {
      const symbol = /^ {1,10}\d{1,4}: (.{1,1000})$/.exec(line)?.[1];
      const [, path, number] = /^ {4,100}at (.{1,1000}?):(\d{1,9})(?::\d{1,9})?$/.exec(line) ?? [];
      const last = frames.at(-1);
      if (symbol !== undefined) frames.push({ label: symbol, path: '', line: 0 });
      else if (path !== undefined && last) frames[frames.length - 1] = { ...last, path, line: Number(number) };
    }
    return [{ ...emptySection, frames }];
  },
  print: (header, frames) =>
    [
      header,
      ...frames.map(
        ({ label, path, line }, i) => `${String(i).padStart(4)}: ${label}\n             at ${path}:${line}`,
      ),
    ].join('\n'),
};

/** By what is least likely to be mistaken: JavaScript's sign fits many a text. */
const sniffedGrammars: readonly Grammar[] = [python, java, go, rust, php, dotnet, ruby, javascript];

const grammars: ReadonlyMap<string | undefined, Grammar> = new Map([
  ['java', java],
  ['php', php],
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
